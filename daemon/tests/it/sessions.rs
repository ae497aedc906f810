//! Sessions, resume credentials and the secret: when they open the door, and when no longer.

use ipc_protocol::auth::Credential;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{AdminRevoke, Fetch, Renew, Revoke, WhenLive, Whoami};
use ipc_protocol::token::{Sid, Token, TokenKind};
use rand::SeedableRng;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{House, code, copy, name, registration};

const HOUR: i64 = 3_600;

#[test]
fn a_session_unused_for_twelve_hours_is_over() {
    let house = House::new();
    let mut bob = house.register("bob");
    house.clock.pass(12 * HOUR - 1);
    let mut again = house.reconnect(&bob).unwrap();
    again.call(&Whoami {}).unwrap();
    house.clock.pass(12 * HOUR);
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
    assert_eq!(
        code(bob.whoami()),
        ErrorCode::Expired,
        "on an open connection too"
    );
    assert!(house.resume(bob.resume(), "bob", WhenLive::Join).is_ok());
}

#[test]
fn a_session_is_over_after_24_hours_however_busy() {
    let house = House::new();
    let mut bob = house.register("bob");
    for _ in 0..23 {
        house.clock.pass(HOUR);
        bob.whoami().unwrap();
    }
    house.clock.pass(HOUR - 1);
    assert!(house.reconnect(&bob).is_ok());
    bob.whoami().unwrap();
    house.clock.pass(1);
    assert_eq!(code(bob.whoami()), ErrorCode::Expired);
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
}

#[test]
fn a_clock_set_back_a_day_ends_sessions_and_five_minutes_do_not() {
    let house = House::new();
    let mut bob = house.register("bob");
    house.clock.set_back(300);
    bob.whoami().unwrap();
    house.clock.set_back(24 * HOUR);
    assert_eq!(code(bob.whoami()), ErrorCode::Expired);
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
}

#[test]
fn a_clock_set_back_does_not_lengthen_a_session_within_one_boot() {
    let house = House::new();
    let bob = house.register("bob");
    for _ in 0..24 {
        house.clock.pass(HOUR);
        drop(
            house
                .reconnect(&bob)
                .and_then(|mut client| client.call(&Whoami {})),
        );
        house.clock.set_back(299);
    }
    // Wall time says 22 hours, the time since boot says 24.
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
}

#[test]
fn expiry_is_told_only_to_somebody_who_has_proved_the_token() {
    let house = House::new();
    let bob = house.register("bob");
    house.clock.pass(25 * HOUR);
    let mut raw = Raw::stranger(&house);
    raw.hello_with(&bob.registered.session);
    let wrong = serde_json::json!({"proof": "A".repeat(43)});
    assert_eq!(
        code_in(&raw.ask(2, "authenticate", &wrong)),
        "unauthenticated"
    );
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
}

#[test]
fn renewing_rotates_the_token_and_the_old_one_is_good_for_a_minute() {
    let house = House::new();
    let mut bob = house.register("bob");
    house.clock.pass(23 * HOUR / 2);
    let renewed = bob.call(&Renew {}).unwrap();
    let new = Credential::Token(renewed.session);
    house.clock.pass(59);
    assert!(house.reconnect(&bob).is_ok());
    house.clock.pass(1);
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Expired);
    let mut again = house.prove(&new).unwrap();
    assert_eq!(again.call(&Whoami {}).unwrap().name, name("bob"));
}

#[test]
fn revoking_ends_one_session_or_all_and_leaves_the_resume_credential() {
    let house = House::new();
    let mut first = house.register("bob");
    let mut second = house.resume(first.resume(), "bob", WhenLive::Join).unwrap();
    let mut third = house.resume(first.resume(), "bob", WhenLive::Join).unwrap();
    assert_eq!(second.call(&Revoke { all: false }).unwrap().sessions, 1);
    assert_eq!(code(house.reconnect(&second)), ErrorCode::Unauthenticated);
    assert!(house.reconnect(&first).is_ok());
    assert_eq!(first.call(&Revoke { all: true }).unwrap().sessions, 2);
    assert_eq!(code(third.call(&Fetch::default())), ErrorCode::Expired);
    for gone in [&first, &third] {
        assert_eq!(code(house.reconnect(gone)), ErrorCode::Unauthenticated);
    }
    assert!(
        house
            .resume(first.resume(), "bob", WhenLive::Refuse)
            .is_ok()
    );
}

#[test]
fn a_takeover_ends_the_other_sessions_and_the_old_resume_credential() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut old = house.register("bob");
    alice.send("bob", "for whoever is bob");
    let mut new = house
        .resume(old.resume(), "bob", WhenLive::TakeOver)
        .unwrap();
    assert_eq!(new.registered.incarnation, old.registered.incarnation + 1);
    assert_eq!(new.registered.agent_id, old.registered.agent_id);
    assert_eq!(code(old.call(&Fetch::default())), ErrorCode::TakenOver);
    assert_eq!(code(house.reconnect(&old)), ErrorCode::Unauthenticated);
    let back = house.resume(old.resume(), "bob", WhenLive::TakeOver);
    assert_eq!(code(back), ErrorCode::Unauthenticated);
    assert_eq!(new.check(), ["for whoever is bob"]);
    assert!(house.resume(new.resume(), "bob", WhenLive::Join).is_ok());
}

#[test]
fn a_waiting_fetch_hears_of_a_takeover() {
    let house = House::new();
    let bob = house.register("bob");
    let mut raw = Raw::of(&house, &bob);
    raw.call(1, "fetch", &serde_json::json!({"wait_ms": 600_000}));
    raw.call(2, "whoami", &serde_json::json!({}));
    assert_eq!(raw.next().unwrap()["id"], 2, "the fetch waits");
    house
        .resume(bob.resume(), "bob", WhenLive::TakeOver)
        .unwrap();
    let last: Vec<_> = raw.until_closed();
    assert!(last.iter().any(|reply| reply["id"] == 1));
    assert!(
        last.iter().all(|reply| code_in(reply) == "taken_over"),
        "{last:?}"
    );
}

#[test]
fn the_seventeenth_session_takes_the_place_of_the_least_recently_used() {
    let house = House::new();
    let first = house.register("bob");
    let mut others = Vec::new();
    for _ in 0..15 {
        house.clock.pass(1);
        others.push(house.resume(first.resume(), "bob", WhenLive::Join).unwrap());
    }
    house.clock.pass(1);
    assert!(
        house.reconnect(&first).is_ok(),
        "the first one is the latest used now"
    );
    house.clock.pass(1);
    let mut last = house.resume(first.resume(), "bob", WhenLive::Join).unwrap();
    assert_eq!(last.whoami().unwrap().sessions, 16);
    assert_eq!(
        code(house.reconnect(&others[0])),
        ErrorCode::Unauthenticated
    );
    assert_eq!(code(others[0].whoami()), ErrorCode::Expired);
    for kept in others[1..].iter().chain([&first, &last]) {
        assert!(house.reconnect(kept).is_ok());
    }
}

#[test]
fn a_row_that_somebody_wrote_into_the_database_opens_nothing() {
    let house = House::new();
    let bob = house.register("bob");
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    for kind in [TokenKind::Session, TokenKind::Resume] {
        let forged = Token::random(kind, &mut rng);
        let verifier = ipc_protocol::auth::SaltedKey::of_token(*forged.key()).verifier();
        let word = if kind == TokenKind::Session {
            "session"
        } else {
            "resume"
        };
        // As good as a forgery can be: a true row, with the forger's keys in it.
        let sql = "INSERT INTO credentials SELECT ?1, kind, agent, ?2, ?3, kid, created_ms,
                   created_boot_ms, boot_id, expires_ms, last_used_ms, peer_uid, peer_pid,
                   host_pid, host_start, row_mac FROM credentials WHERE kind = ?4 LIMIT 1";
        let sid = *forged.sid().as_bytes();
        let keys = (verifier.stored_key, verifier.server_key);
        let params = rusqlite::params![sid, keys.0, keys.1, word];
        assert_eq!(house.database().execute(sql, params).unwrap(), 1);
        let refused = house.prove(&Credential::Token(forged));
        assert_eq!(code(refused), ErrorCode::Unauthenticated);
    }
    assert!(house.reconnect(&bob).is_ok());
}

#[test]
fn a_session_cannot_be_extended_or_moved_to_another_agent_in_the_database() {
    let house = House::new();
    let (alice, bob) = (house.register("alice"), house.register("bob"));
    for (agent, change) in [
        (&alice, "expires_ms = expires_ms + 86400000"),
        (
            &bob,
            "agent = (SELECT agent FROM names WHERE folded = 'alice')",
        ),
    ] {
        let sql = format!("UPDATE credentials SET {change} WHERE sid = ?1");
        let sid: Sid = agent.registered.session.sid();
        assert_eq!(house.database().execute(&sql, [sid.as_bytes()]).unwrap(), 1);
        assert_eq!(code(house.reconnect(agent)), ErrorCode::Unauthenticated);
    }
}

#[test]
fn a_stolen_database_cannot_log_in_to_itself() {
    let house = House::new();
    let bob = house.register("bob");
    let sid = bob.registered.session.sid();
    let sql = "SELECT stored_key FROM credentials WHERE sid = ?1";
    let stolen: [u8; 32] = house
        .database()
        .query_row(sql, [sid.as_bytes()], |row| row.get(0))
        .unwrap();
    // The thief takes what is stored for the key itself.
    let payload = [&sid.as_bytes()[..], &stolen].concat();
    let crc = crc(b"ipcs_", &payload);
    let text = format!("ipcs_{}_{}", base64(&payload), base64(&crc));
    let forged = Token::parse(&text).unwrap();
    let refused = house.prove(&Credential::Token(forged));
    assert_eq!(code(refused), ErrorCode::Unauthenticated);
}

fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(bytes)
}

/// CRC-32 of both parts together, big-endian, bit by bit.
fn crc(prefix: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut crc = u32::MAX;
    for byte in prefix.iter().chain(payload) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            crc = (crc >> 1) ^ carry;
        }
    }
    (!crc).to_be_bytes().to_vec()
}

#[test]
fn a_session_revoked_between_hello_and_proof_opens_nothing() {
    let house = House::new();
    let mut bob = house.register("bob");
    let mut raw = Raw::stranger(&house);
    let proof = raw.hello_with(&bob.registered.session);
    bob.call(&Revoke { all: true }).unwrap();
    raw.call(2, "authenticate", &proof);
    raw.call(3, "whoami", &serde_json::json!({}));
    let replies = raw.until_closed();
    assert!(
        replies
            .iter()
            .all(|reply| reply["id"] != 3 || !reply["error"].is_null())
    );
    assert!(
        replies.iter().any(|reply| code_in(reply) == "expired"),
        "{replies:?}"
    );
}

#[test]
fn a_resume_credential_proved_before_a_takeover_is_worthless_after_it() {
    let house = House::new();
    let bob = house.register("bob");
    let stolen = Credential::Token(copy(bob.resume()));
    let mut thief = house.prove(&stolen).unwrap();
    house
        .resume(bob.resume(), "bob", WhenLive::TakeOver)
        .unwrap();
    for when_live in [WhenLive::Join, WhenLive::TakeOver] {
        let late = thief.call(&registration("bob", when_live));
        assert!(
            late.is_err(),
            "the old resume credential made a session: {late:?}"
        );
    }
}

#[test]
fn a_resume_credential_proved_before_a_revocation_is_worthless_after_it() {
    let house = House::new();
    let bob = house.register("bob");
    let mut thief = house.prove(&Credential::Token(copy(bob.resume()))).unwrap();
    let revoked = house.operator().call(&AdminRevoke {
        name: "bob".parse().unwrap(),
    });
    assert_eq!(revoked.unwrap().sessions, 1);
    let late = thief.call(&registration("bob", WhenLive::Join));
    let refused = code(late.map(|_| ()));
    assert!(matches!(
        refused,
        ErrorCode::Expired | ErrorCode::Unauthenticated
    ));
}
