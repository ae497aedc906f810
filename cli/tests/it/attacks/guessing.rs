//! Guesses without end: secrets, tokens, names, lengths. None opens, and none costs the daemon
//! memory, time or disk.

use ipc_protocol::auth::Credential;
use ipc_protocol::token::{Token, TokenKind};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use super::Resident;
use crate::harness::stranger::{Stranger, code, secret};
use crate::harness::{Home, Measured, scale};

/// Growth of the daemon's memory that is no growth: pages of its allocator, in KiB.
const NOTHING_KIB: u64 = 4_096;

/// The same of its files, in bytes: log and journal.
const NOTHING_BYTES: u64 = 1_048_576;

/// What the daemon takes before an attack, to be compared with after it.
struct Before {
    resident_kib: u64,
    stored_bytes: u64,
}

impl Before {
    fn of(daemon: &Measured) -> Self {
        Self {
            resident_kib: daemon.resident_kib(),
            stored_bytes: daemon.stored_bytes(),
        }
    }

    fn assert_flat(&self, daemon: &Measured) {
        let grown = daemon.resident_kib().saturating_sub(self.resident_kib);
        assert!(grown < NOTHING_KIB, "{grown} KiB more of memory");
        let grown = daemon.stored_bytes().saturating_sub(self.stored_bytes);
        assert!(grown < NOTHING_BYTES, "{grown} bytes more on disk");
    }
}

/// Says hello with `cred` and proves it with nothing; the code of the refusal.
fn wrong_proof(home: &Home, hello: &serde_json::Value) -> String {
    let mut stranger = Stranger::of(home);
    let challenge = stranger.ask("hello", hello).unwrap();
    if !challenge["error"].is_null() {
        return code(&challenge).to_owned();
    }
    let proof = json!({"proof": "A".repeat(43)});
    let refused = stranger.ask("authenticate", &proof).unwrap();
    assert!(stranger.next().is_none(), "and the connection ends");
    code(&refused).to_owned()
}

#[test]
fn a_thousand_wrong_secrets_are_throttled_and_cost_no_more_than_a_thousand_logins() {
    let home = Home::new();
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let registered = Stranger::proved(&home, &secret(&home)).register("guest");
    let session = Credential::Token(registered.session);
    let begun = daemon.ticks();
    for _ in 0..1_000 {
        drop(Stranger::proved(&home, &session));
    }
    let logins = daemon.ticks() - begun;
    let (before, begun) = (Before::of(&daemon), daemon.ticks());
    let hello = json!({"v": 1, "cred": "secret", "cn": "A".repeat(43), "kdfs": ["argon2id"]});
    let mut looked_at = 0;
    for _ in 0..1_000 {
        match wrong_proof(&home, &hello).as_str() {
            "rate_limited" => {}
            "unauthenticated" => looked_at += 1,
            other => panic!("{other}"),
        }
        // Ten at once and ten a minute.
        assert!(looked_at <= 40, "{looked_at} were looked at");
    }
    let guesses = daemon.ticks() - begun;
    assert!(
        guesses <= 2 * logins + 10,
        "{guesses} ticks, {logins} for as many logins"
    );
    before.assert_flat(&daemon);
    resident.is_well();
    let status = resident.status();
    assert_eq!(status["counters"]["failed_authentications"], looked_at);
}

#[test]
fn a_million_random_tokens_open_nothing_and_leave_memory_and_disk_flat() {
    let home = Home::new();
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let mut rng = StdRng::seed_from_u64(19);
    let tokens = scale(10_000, 1_000_000);
    let (mut looked_at, mut before) = (0, None);
    for number in 0..tokens {
        let kind = [TokenKind::Session, TokenKind::Resume][number % 2];
        let token = Token::random(kind, &mut rng);
        let cred = ["session", "resume"][number % 2];
        let (id, cn) = (token.sid().to_string(), "A".repeat(43));
        let hello = json!({"v": 1, "cred": cred, "id": id, "cn": cn, "kdfs": []});
        match wrong_proof(&home, &hello).as_str() {
            "rate_limited" => {}
            "unauthenticated" => looked_at += 1,
            other => panic!("{other}"),
        }
        assert!(
            looked_at <= 20 + number / 100,
            "{looked_at} of {number} were looked at"
        );
        if number == tokens / 10 {
            before = Some(Before::of(&daemon));
        }
    }
    before.unwrap().assert_flat(&daemon);
    resident.is_well();
}

#[test]
fn a_million_register_names_leave_memory_and_disk_flat() {
    let home = Home::new();
    home.configure("[limits]\nenrolments_per_minute = 10\n");
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let secret = secret(&home);
    let mut newcomer = Stranger::proved(&home, &secret);
    let names = scale(20_000, 1_000_000);
    let (mut enrolled, mut before) = (0, None);
    for number in 0..names {
        let params = json!({"name": format!("invented-{number}")});
        let reply = newcomer.ask("register", &params).unwrap();
        if reply["error"].is_null() {
            enrolled += 1;
            newcomer = Stranger::proved(&home, &secret);
        } else {
            assert_eq!(code(&reply), "rate_limited", "{reply}");
        }
        assert!(
            enrolled <= 20 + number / 100,
            "{enrolled} of {number} enrolled"
        );
        if number == names / 10 {
            before = Some(Before::of(&daemon));
        }
    }
    before.unwrap().assert_flat(&daemon);
    resident.is_well();
}

#[test]
fn lengths_of_zero_of_four_gibibytes_and_over_the_cap_are_closed_and_take_no_memory() {
    let home = Home::new();
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let registered = Stranger::proved(&home, &secret(&home)).register("thief");
    let session = Credential::Token(registered.session);
    drop(Stranger::proved(&home, &session));
    let (before, peak) = (Before::of(&daemon), daemon.peak_kib());
    for length in [0, 4_097, u32::MAX] {
        for _ in 0..100 {
            let mut stranger = Stranger::of(&home);
            stranger.write(&length.to_be_bytes());
            assert_eq!(code(&stranger.next().unwrap()), "too_large", "{length}");
            assert!(stranger.next().is_none());
        }
    }
    let mut announced = Vec::new();
    for _ in 0..60 {
        for length in [0, 2_097_153, u32::MAX] {
            let mut agent = Stranger::proved(&home, &session);
            agent.write(&length.to_be_bytes());
            assert_eq!(code(&agent.next().unwrap()), "too_large", "{length}");
            assert!(agent.next().is_none());
        }
        // What is allowed is not there either before it comes: 120 MiB are announced.
        let mut agent = Stranger::proved(&home, &session);
        agent.write(&2_097_152_u32.to_be_bytes());
        announced.push(agent);
    }
    let grown = daemon.peak_kib() - peak;
    // The secret may still be being compared, which takes 64 MiB for a moment.
    assert!(grown < 100 * 1_024, "{grown} KiB of address space");
    before.assert_flat(&daemon);
    resident.is_well();
}
