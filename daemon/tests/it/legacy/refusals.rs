//! What is refused, and in which words.

use data_encoding::BASE64URL_NOPAD;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::token::{Token, TokenKind};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use serde_json::json;

use super::client::{CONFIG, OldAgent, OldPort, house, proof, refused};
use crate::harness::{House, SECRET, code};

const SESSION: &str = "Invalid or missing session token";
const SUBJECT: &str = "This session token belongs to another instance";
const RATE: &str = "Rate limit exceeded. Please wait before sending more requests.";

fn is_out(agent: &OldAgent) -> bool {
    agent.try_check() == refused(SESSION) && agent.send("x", "y") == refused(SESSION)
}

#[test]
fn wrong_proofs_over_the_old_port_meet_one_limit_whatever_names_they_claim() {
    let house = house();
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    let mut told = Vec::new();
    for n in 0..100 {
        let name = format!("guess-{n}");
        let request = json!({
            "action": "register", "instance_id": name, "auth_token": proof(&name, "wrong"),
        });
        told.push(port.ask(&request)["message"].as_str().unwrap().to_owned());
    }
    let wrong = told
        .iter()
        .filter(|text| *text == "Invalid auth token")
        .count();
    assert!((10..50).contains(&wrong), "{wrong} were looked at");
    assert_eq!(
        told.iter().filter(|text| *text == RATE).count(),
        100 - wrong
    );
    assert_eq!(
        port.try_register("bob"),
        refused(RATE),
        "the right one waits too"
    );
    assert!(
        alice.check().is_empty(),
        "and whoever is registered carries on"
    );
}

#[test]
fn a_proof_is_for_one_name_and_none_is_no_proof() {
    let house = house();
    let port = OldPort::of(&house);
    for auth_token in [json!(proof("bob", SECRET)), json!(""), json!(null)] {
        let request = json!({
            "action": "register", "instance_id": "alice", "auth_token": auth_token,
        });
        assert_eq!(port.ask(&request), refused("Invalid auth token"));
    }
    let request = json!({"action": "register", "instance_id": "alice", "auth_token": 7});
    assert_eq!(
        port.ask(&request),
        refused("Missing or wrong field: auth_token")
    );
}

#[test]
fn names_that_nobody_can_have_are_not_registered() {
    let house = house();
    let port = OldPort::of(&house);
    let format = "Invalid instance ID format. \
                  Use 1-32 alphanumeric characters, hyphens, or underscores.";
    for name in ["eve\n", "", "e ve", "s\u{443}stem", &"x".repeat(33)] {
        assert_eq!(port.try_register(name), refused(format), "{name:?}");
    }
    for name in ["system", "SYSTEM", "all", "admin"] {
        assert_eq!(
            port.try_register(name),
            refused("This instance ID is reserved")
        );
    }
}

#[test]
fn without_the_right_token_nothing_is_done() {
    let house = house();
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    let mut other = alice.clone();
    let mut bytes = BASE64URL_NOPAD.decode(alice.token.as_bytes()).unwrap();
    bytes[31] ^= 1;
    for token in [
        String::new(),
        "x".repeat(43),
        BASE64URL_NOPAD.encode(&bytes),
    ] {
        other.token = token;
        assert!(is_out(&other), "{other:?}");
        assert_eq!(other.list(), refused(SESSION));
        assert_eq!(other.rename("eve"), refused(SESSION));
        assert_eq!(other.broadcast("x"), refused(SESSION));
    }
    let request = json!({"action": "list"});
    assert_eq!(port.ask(&request), refused(SESSION));
    assert_eq!(
        alice.ask(json!({"action": "explode"})),
        refused("Unknown action")
    );
    assert_eq!(alice.ask(json!({"act": "send"})), refused("Unknown action"));
}

#[test]
fn the_subject_is_the_tokens_agent_and_no_field_makes_it_another() {
    let house = house();
    let port = OldPort::of(&house);
    let (alice, eve) = (port.register("alice"), port.register("eve"));
    alice.send("alice", "a note to myself");
    let forged = OldAgent {
        name: "alice".to_owned(),
        ..eve.clone()
    };
    assert_eq!(forged.send("bob", "as alice"), refused(SUBJECT));
    assert_eq!(forged.broadcast("as alice"), refused(SUBJECT));
    assert_eq!(forged.rename("mallory"), refused(SUBJECT));
    assert_eq!(forged.try_check(), refused(SUBJECT));
    let nobody = OldAgent {
        name: "no such name\n".to_owned(),
        ..eve
    };
    assert_eq!(nobody.try_check(), refused(SUBJECT));
    assert_eq!(alice.texts(), ["a note to myself"]);
}

#[test]
fn registering_again_ends_the_token_before() {
    let house = house();
    let port = OldPort::of(&house);
    let first = port.register("alice");
    let second = port.register("Alice");
    assert!(is_out(&first));
    assert!(second.check().is_empty());
}

#[test]
fn a_session_ends_as_native_ones_do_and_survives_a_restart() {
    let mut house = house();
    let alice = OldPort::of(&house).register("alice");
    house.restart();
    let port = OldPort::of(&house);
    let alice = OldAgent { port, ..alice };
    assert!(alice.check().is_empty(), "after a restart");
    for _ in 0..2 {
        house.clock.pass(11 * 3_600);
        assert!(alice.check().is_empty(), "used within twelve hours");
    }
    house.clock.pass(3 * 3_600);
    assert!(is_out(&alice), "after 24 hours");
    let idle = port.register("alice");
    house.clock.pass(12 * 3_600);
    assert!(is_out(&idle), "unused for twelve hours");
}

#[test]
fn neither_kind_of_token_opens_the_others_door() {
    let house = house();
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    let new = house.register("new");
    // A native token, cut to the length of an old one: the same id, half of its key.
    let native = new.registered.session.expose();
    let payload_of = |text: &str| BASE64URL_NOPAD.decode(&text.as_bytes()[5..69]).unwrap();
    let bytes = payload_of(&native);
    let cut = OldAgent {
        token: BASE64URL_NOPAD.encode(&bytes[..32]),
        ..alice.clone()
    };
    assert!(is_out(&cut));
    // An old token's id in a native token.
    let old = BASE64URL_NOPAD.decode(alice.token.as_bytes()).unwrap();
    let random = Token::random(
        TokenKind::Session,
        &mut StdRng::try_from_rng(&mut SysRng).unwrap(),
    );
    let mut payload = payload_of(&random.expose());
    payload[..32].copy_from_slice(&old);
    payload[32..].fill(0);
    let body = [b"ipcs_".as_slice(), &payload].concat();
    let check = BASE64URL_NOPAD.encode(&crc32(&body).to_be_bytes());
    let forged = format!("ipcs_{}_{check}", BASE64URL_NOPAD.encode(&payload));
    let token = Token::parse(&forged).unwrap();
    let outcome = house.prove(&ipc_protocol::auth::Credential::Token(token));
    assert_eq!(code(outcome), ErrorCode::Unauthenticated);
}

/// CRC-32 as in zlib, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let shifted = |crc: u32| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shifted(crc));
    !bytes.iter().fold(u32::MAX, byte)
}

#[test]
fn fields_that_are_missing_or_wrong_are_named() {
    let house = house();
    let alice = OldPort::of(&house).register("alice");
    let cases = [
        (json!({"action": "send", "from_id": "alice"}), "to_id"),
        (
            json!({"action": "send", "from_id": 7, "to_id": "bob"}),
            "from_id",
        ),
        (json!({"action": "send", "to_id": "bob"}), "message"),
        (
            json!({"action": "send", "to_id": "bob", "message": "hi"}),
            "message",
        ),
        (
            json!({"action": "send", "to_id": "bob", "message": {}}),
            "message.content",
        ),
        (
            json!({"action": "send", "to_id": "bob", "message": {"content": "x", "data": [1]}}),
            "message.data",
        ),
        (json!({"action": "broadcast"}), "message"),
        (json!({"action": "rename", "old_id": "alice"}), "new_id"),
    ];
    for (request, field) in cases {
        let expected = refused(&format!("Missing or wrong field: {field}"));
        assert_eq!(alice.ask(request), expected);
    }
    assert_eq!(
        alice.send("b b", "x"),
        refused("Invalid recipient ID format")
    );
    assert_eq!(
        alice.rename("b b"),
        refused("Invalid new instance ID format")
    );
    assert_eq!(
        alice.rename("system"),
        refused("Invalid new instance ID format")
    );
}

#[test]
fn the_limits_are_the_native_ones_in_the_predecessors_words() {
    let config =
        format!("{CONFIG}[limits]\nmailbox_unread = 2\nsend_burst = 4\nsend_per_minute = 1\n");
    let house = House::with_config(&config);
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    port.register("bob");
    alice.send("bob", "1");
    alice.send("bob", "2");
    let full = refused("Message queue full for bob (100 message limit)");
    assert_eq!(alice.send("bob", "3"), full);
    assert_ne!(
        alice.broadcast("4")["status"],
        "ok",
        "a broadcast is no way around it"
    );
    assert_eq!(alice.send("bob", "5"), refused(RATE));
    assert!(alice.check().is_empty(), "reading has a budget of its own");
}
