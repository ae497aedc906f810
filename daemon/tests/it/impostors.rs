//! Proofs that are replayed, carried elsewhere, reflected or bent: none opens the door.

use ipc_protocol::auth::Credential;
use ipc_protocol::request::WhenLive;
use ipc_protocol::token::{Token, TokenKind};
use rand::SeedableRng;
use serde_json::{Value, json};

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, SECRET, copy, secret};

/// What the daemon says to a proof that is not right, and that it then closes.
fn refusal_of(mut raw: Raw, proof: &Value) -> Value {
    raw.call(2, "authenticate", proof);
    let mut replies = raw.until_closed();
    assert_eq!(replies.len(), 1, "{replies:?}");
    replies.remove(0)
}

fn agent(house: &House) -> Agent {
    house.register("alice")
}

#[test]
fn a_proof_is_good_for_one_connection_only() {
    let house = House::new();
    let alice = agent(&house);
    let mut first = Raw::stranger(&house);
    let proof = first.hello_with(&alice.registered.session);
    // Another connection, the same client nonce: the daemon's own nonce differs.
    let mut other = Raw::stranger(&house);
    other.hello_with(&alice.registered.session);
    assert_eq!(code_in(&refusal_of(other, &proof)), "unauthenticated");
    // Where it belongs it is good, once.
    assert!(first.ask(2, "authenticate", &proof)["error"].is_null());
    assert_eq!(code_in(&first.ask(3, "authenticate", &proof)), "conflict");
    let mut replay = Raw::stranger(&house);
    replay.hello_with(&alice.registered.session);
    assert_eq!(code_in(&refusal_of(replay, &proof)), "unauthenticated");
}

#[test]
fn the_daemons_own_signature_is_no_proof() {
    let house = House::new();
    let alice = agent(&house);
    let mut raw = Raw::stranger(&house);
    let proof = raw.hello_with(&alice.registered.session);
    let signed = raw.ask(2, "authenticate", &proof);
    let reflected = json!({"proof": signed["result"]["sig"]});
    let mut again = Raw::stranger(&house);
    again.hello_with(&alice.registered.session);
    assert_eq!(code_in(&refusal_of(again, &reflected)), "unauthenticated");
}

#[test]
fn one_flipped_bit_of_a_proof_is_a_wrong_proof() {
    let house = House::with_config("[limits]\nfailed_auth_per_minute = 1000\n");
    let alice = agent(&house);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::thread::scope(|scope| {
        for at in (0..43).step_by(4) {
            let (house, alice) = (&house, &alice);
            scope.spawn(move || {
                let mut raw = Raw::stranger(house);
                let proof = raw.hello_with(&alice.registered.session);
                let mut text = proof["proof"].as_str().unwrap().as_bytes().to_vec();
                let digit = alphabet.iter().position(|c| *c == text[at]).unwrap();
                text[at] = alphabet[digit ^ 4];
                let bent = json!({"proof": String::from_utf8(text).unwrap()});
                assert_eq!(
                    code_in(&refusal_of(raw, &bent)),
                    "unauthenticated",
                    "at {at}"
                );
            });
        }
    });
}

#[test]
fn a_proof_of_one_kind_of_credential_is_none_of_another() {
    let house = House::new();
    let alice = agent(&house);
    // The session's id under the name of a resume credential, and the other way round.
    for (token, cred) in [
        (&alice.registered.session, "resume"),
        (alice.resume(), "session"),
    ] {
        let mut raw = Raw::stranger(&house);
        let id = token.sid().to_string();
        let hello = json!({"v": 1, "cred": cred, "id": id, "cn": "A".repeat(43), "kdfs": []});
        let challenge = raw.ask(1, "hello", &hello);
        assert_eq!(challenge["result"]["kdf"], "none");
        let mut honest = Raw::stranger(&house);
        let proof = honest.hello_with(token);
        assert_eq!(code_in(&refusal_of(raw, &proof)), "unauthenticated");
    }
}

#[test]
fn every_wrong_proof_is_refused_in_the_same_words_after_the_same_time() {
    let house = House::new();
    let alice = agent(&house);
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let unknown = Token::random(TokenKind::Session, &mut rng);
    let forged = copy(house.register("bob").resume());
    let sql = "UPDATE credentials SET row_mac = zeroblob(32) WHERE sid = ?1";
    let changed = house.database().execute(sql, [forged.sid().as_bytes()]);
    assert_eq!(changed.unwrap(), 1);
    let wrong_key = json!({"proof": "A".repeat(43)});
    let mut replies = Vec::new();
    for (token, bend) in [
        (&unknown, false),
        (&alice.registered.session, true),
        (&forged, false),
    ] {
        let mut raw = Raw::stranger(&house);
        let proof = raw.hello_with(token);
        replies.push(refusal_of(raw, if bend { &wrong_key } else { &proof }));
    }
    assert!(
        replies.windows(2).all(|pair| pair[0] == pair[1]),
        "{replies:?}"
    );
    assert_eq!(code_in(&replies[0]), "unauthenticated");
}

#[test]
fn a_challenge_for_an_unknown_token_looks_like_any_other() {
    let house = House::new();
    let alice = agent(&house);
    let unknown = Token::random(
        TokenKind::Session,
        &mut rand::rngs::StdRng::seed_from_u64(2),
    );
    let challenge = |token: &Token| {
        let id = token.sid().to_string();
        let cn = "A".repeat(43);
        let hello = json!({"v": 1, "cred": "session", "id": id, "cn": cn, "kdfs": []});
        let mut reply = Raw::stranger(&house).ask(1, "hello", &hello)["result"].take();
        assert_eq!(reply["kid"], id);
        reply["kid"].take();
        reply["sn"].take();
        reply
    };
    assert_eq!(challenge(&unknown), challenge(&alice.registered.session));
}

#[test]
fn a_wrong_secret_is_refused_and_the_connection_ends() {
    let house = House::new();
    let refused = house.prove(&secret("not the secret at all"));
    assert_eq!(
        crate::harness::code(refused),
        ipc_protocol::error::ErrorCode::Unauthenticated
    );
    let nearly = house.prove(&secret(&SECRET.to_uppercase()));
    assert!(nearly.is_err());
    assert!(
        house.prove(&secret(&format!("{SECRET}\n"))).is_ok(),
        "one newline is no part of it"
    );
}

#[test]
fn a_planted_verifier_of_another_secret_is_ignored() {
    let mut house = House::new();
    let alice = agent(&house);
    house.stop().unwrap();
    let planted = ipc_protocol::secret::SharedSecret::new(b"planted secret".to_vec()).unwrap();
    let kdf = ipc_protocol::auth::Kdf::ARGON2ID;
    let verifier = kdf.derive(&planted, &[3; 16]).unwrap().verifier();
    // Under a key id of its own, with the code of a true row.
    let sql = "INSERT INTO verifiers SELECT 'k0', kdf, params, ?1, ?2, ?3, created_ms, row_mac
               FROM verifiers WHERE kdf = 'argon2id'";
    let keys = rusqlite::params![[3_u8; 16], verifier.stored_key, verifier.server_key];
    assert_eq!(house.database().execute(sql, keys).unwrap(), 1);
    house.start().unwrap();
    assert!(house.prove(&secret("planted secret")).is_err());
    assert!(house.prove(&secret(SECRET)).is_ok());
    assert!(
        house
            .resume(alice.resume(), "alice", WhenLive::Join)
            .is_ok()
    );
}

#[test]
fn what_crosses_the_socket_never_holds_the_secret_or_the_key_of_a_token() {
    let house = House::new();
    let alice = agent(&house);
    let key = data_encoding::BASE64URL_NOPAD.encode(alice.registered.session.key());
    for credential in [
        secret(SECRET),
        Credential::Token(copy(&alice.registered.session)),
    ] {
        let mut raw = Raw::stranger(&house);
        let proof = raw.hello(&credential);
        let signed = raw.ask(2, "authenticate", &proof);
        let seen = format!("{proof}{signed}");
        assert!(!seen.contains(SECRET) && !seen.contains(&key), "{seen}");
    }
}
