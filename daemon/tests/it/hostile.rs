//! Bytes that no honest client sends: each costs its sender the connection or a refusal, nobody
//! else anything.

use serde_json::{Value, json};

use crate::harness::raw::{Raw, call, code_in, frame};
use crate::harness::{Agent, House};

/// What would show if a reply repeated a peer's bytes.
const CANARY: &str = "canary \u{1b}[31m<>&";

fn hello() -> Value {
    json!({"v": 1, "cred": "secret", "cn": "A".repeat(43), "kdfs": ["argon2id"]})
}

/// The daemon is as it was: an agent sends itself a message and reads it.
fn all_is_well(agent: &mut Agent) {
    let own = agent.registered.name.to_string();
    agent.send(&own, "all is well");
    assert_eq!(agent.check(), ["all is well"]);
}

/// The only reply on this connection, which then ends.
fn last_word(raw: Raw) -> String {
    let replies = raw.until_closed();
    assert_eq!(replies.len(), 1, "{replies:?}");
    code_in(&replies[0]).to_owned()
}

#[test]
fn lengths_outside_the_cap_end_a_strangers_connection() {
    let house = House::new();
    let mut alice = house.register("alice");
    for length in [0, 4_097, 2_097_152, u32::MAX, u32::from_be_bytes(*b"GET ")] {
        let mut raw = Raw::stranger(&house);
        raw.write(&length.to_be_bytes());
        assert_eq!(last_word(raw), "too_large", "{length}");
    }
    all_is_well(&mut alice);
}

#[test]
fn lengths_outside_the_cap_end_an_agents_connection() {
    let house = House::new();
    let mut alice = house.register("alice");
    for length in [0, 2_097_153, u32::MAX] {
        let mut raw = Raw::of(&house, &alice);
        raw.write(&length.to_be_bytes());
        assert_eq!(last_word(raw), "too_large", "{length}");
    }
    all_is_well(&mut alice);
}

#[test]
fn the_largest_frame_is_a_frame() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    let mut payload = call(1, "whoami", &json!({}));
    payload.resize(2_097_152, b' ');
    raw.frame(&payload);
    assert_eq!(raw.next().unwrap()["result"]["name"], "alice");
    let mut stranger = Raw::stranger(&house);
    let mut payload = call(1, "hello", &hello());
    payload.resize(4_096, b' ');
    stranger.frame(&payload);
    assert!(stranger.next().unwrap()["error"].is_null());
}

#[test]
fn a_web_browser_is_shown_the_door() {
    let house = House::new();
    let mut raw = Raw::stranger(&house);
    raw.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(last_word(raw), "too_large");
}

#[test]
fn frames_may_be_split_at_every_byte() {
    let house = House::new();
    let alice = house.register("alice");
    let bytes = [
        frame(&call(1, "whoami", &json!({}))),
        frame(&call(2, "list", &json!({}))),
    ]
    .concat();
    let mut raw = Raw::of(&house, &alice);
    for cut in 0..=bytes.len() {
        raw.write(&bytes[..cut]);
        raw.write(&bytes[cut..]);
        let ids: Vec<_> = (0..2).map(|_| raw.next().unwrap()["id"].as_u64()).collect();
        assert!(
            ids.contains(&Some(1)) && ids.contains(&Some(2)),
            "cut at {cut}"
        );
    }
    for byte in &bytes {
        raw.write(&[*byte]);
    }
    assert!(raw.next().is_some() && raw.next().is_some());
}

#[test]
fn a_peer_that_disappears_at_any_byte_leaves_nothing_behind() {
    let house = House::new();
    let mut alice = house.register("alice");
    let bytes = frame(&call(1, "send", &json!({"to": "alice", "text": "half"})));
    for cut in 0..bytes.len() {
        let mut raw = Raw::of(&house, &alice);
        raw.write(&bytes[..cut]);
        raw.say_goodbye();
        assert!(raw.until_closed().is_empty(), "cut at {cut}");
    }
    let bytes = frame(&call(1, "hello", &hello()));
    for cut in 0..bytes.len() {
        let mut raw = Raw::stranger(&house);
        raw.write(&bytes[..cut]);
        raw.say_goodbye();
        assert!(raw.until_closed().is_empty(), "cut at {cut}");
    }
    all_is_well(&mut alice);
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn with_params(params: &str) -> Vec<u8> {
    let head = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"params\":";
    text(&format!("{head}{params}}}"))
}

fn nested(levels: usize) -> Vec<u8> {
    with_params(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)))
}

/// Payloads that are not the JSON that the protocol allows.
fn not_strict() -> Vec<Vec<u8>> {
    let keys: Vec<_> = (0..100_000).map(|n| format!("\"k{n}\":0")).collect();
    vec![
        vec![0xff; 40],
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}".to_vec(),
        text("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\\ud800\"}"),
        text("null"),
        text("[]"),
        text("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\"}]"),
        text("{} {}"),
        text("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"list\"}"),
        with_params("{\"a\":1,\"a\":1}"),
        with_params("{\"a\":{\"b\":1,\"b\":1}}"),
        with_params(&format!("{{\"n\":{}}}", "9".repeat(100_000))),
        with_params("{\"n\":1e999}"),
        with_params("{\"n\":NaN}"),
        with_params(&format!("{{{}}}", keys.join(","))),
        with_params("[]"),
        with_params("null"),
        nested(17),
        nested(1_000_000),
    ]
}

/// Payloads that are JSON and no call.
fn no_call() -> Vec<Vec<u8>> {
    [
        "{\"jsonrpc\":\"2.0\",\"method\":\"list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":-1,\"method\":\"list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"method\":\"list\"}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"list\"}",
        "{\"id\":1,\"method\":\"list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\",\"x\":0}",
    ]
    .map(text)
    .into()
}

/// Frames that are no request, with the code that each is refused with.
fn malformed() -> Vec<(Vec<u8>, &'static str)> {
    let unknown = [
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\"}",
    ];
    let malformed = not_strict().into_iter().chain(no_call());
    let malformed = malformed.map(|payload| (payload, "malformed"));
    let unknown = unknown.map(|payload| (text(payload), "unsupported_version"));
    malformed.chain(unknown).collect()
}

#[test]
fn every_malformed_frame_gets_a_typed_refusal() {
    let house = House::new();
    let mut alice = house.register("alice");
    for (payload, code) in malformed() {
        let shown = String::from_utf8_lossy(&payload[..payload.len().min(80)]).into_owned();
        let mut raw = Raw::of(&house, &alice);
        raw.frame(&payload);
        let reply = raw.next().unwrap();
        assert_eq!(code_in(&reply), code, "{shown}");
        if reply["id"].is_null() {
            assert!(
                raw.next().is_none(),
                "without an id the stream cannot go on: {shown}"
            );
        } else {
            let next = raw.ask(9, "whoami", &json!({}));
            assert!(next["error"].is_null(), "with one it can: {shown}");
        }
    }
    all_is_well(&mut alice);
}

#[test]
fn a_strangers_malformed_frame_is_refused_and_the_connection_ends() {
    let house = House::new();
    let mut alice = house.register("alice");
    for (payload, code) in malformed() {
        if payload.len() > 4_096 {
            continue;
        }
        let mut raw = Raw::stranger(&house);
        raw.frame(&payload);
        assert_eq!(last_word(raw), code);
    }
    all_is_well(&mut alice);
}

#[test]
fn every_request_refuses_a_field_that_it_does_not_know() {
    let house = House::with_config("[limits]\nfetch_per_minute = 10000\n");
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    for (id, method) in (1..).zip(ipc_protocol::request::Request::NAMES) {
        let reply = raw.ask(id, method, &json!({"from": CANARY, "backdoor": true}));
        assert_eq!(code_in(&reply), "malformed", "{method}");
    }
}

#[test]
fn nothing_but_hello_and_its_proof_is_answered_before_authentication() {
    let house = House::new();
    let good = json!({"to": "alice", "text": "x"});
    for method in ipc_protocol::request::Request::NAMES {
        if *method == "hello" {
            continue;
        }
        for params in [json!({}), good.clone(), json!({"proof": "A".repeat(43)})] {
            let mut raw = Raw::stranger(&house);
            raw.call(1, method, &params);
            let word = last_word(raw);
            assert!(
                ["unauthenticated", "malformed"].contains(&word.as_str()),
                "{method}: {word}"
            );
        }
    }
}

#[test]
fn hello_comes_once_and_in_its_place() {
    let house = House::new();
    let alice = house.register("alice");
    let mut twice = Raw::stranger(&house);
    assert!(twice.ask(1, "hello", &hello())["error"].is_null());
    twice.call(2, "hello", &hello());
    assert_eq!(last_word(twice), "unauthenticated");
    let mut late = Raw::of(&house, &alice);
    assert_eq!(code_in(&late.ask(1, "hello", &hello())), "conflict");
    let proof = json!({"proof": "A".repeat(43)});
    assert_eq!(code_in(&late.ask(2, "authenticate", &proof)), "conflict");
    let register = json!({"name": "again"});
    assert_eq!(code_in(&late.ask(3, "register", &register)), "conflict");
}

#[test]
fn hello_in_every_wrong_form_is_refused() {
    let house = House::new();
    let with = |field: &str, value: Value| {
        let mut hello = hello();
        hello[field] = value;
        hello
    };
    let forms = [
        (with("v", json!(2)), "unsupported_version"),
        (with("v", json!(0)), "unsupported_version"),
        (with("v", json!("1")), "malformed"),
        (with("cred", json!("password")), "malformed"),
        (with("cred", json!("session")), "malformed"),
        (with("id", json!("AAAA")), "malformed"),
        (with("cn", json!("A".repeat(42))), "malformed"),
        (
            with("cn", json!(format!("{}=", "A".repeat(43)))),
            "malformed",
        ),
        (with("kdfs", json!(["md5"])), "malformed"),
        (with("kdfs", json!([])), "busy"),
        (with("kdfs", json!(["none"])), "busy"),
        (with("pid", json!(1)), "malformed"),
    ];
    for (form, code) in forms {
        let mut raw = Raw::stranger(&house);
        raw.call(1, "hello", &form);
        assert_eq!(last_word(raw), code, "{form}");
    }
}

#[test]
fn pipelined_requests_are_all_answered_and_in_the_writers_order() {
    let house = House::with_config("[limits]\nsend_burst = 1000\n");
    let mut alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    let mut bytes = Vec::new();
    for id in 1..=200 {
        let params = json!({"to": "alice", "text": format!("{id:03}")});
        bytes.extend(frame(&call(id, "send", &params)));
    }
    raw.write(&bytes);
    let mut ids: Vec<_> = (0..200)
        .map(|_| raw.next().unwrap()["id"].as_u64().unwrap())
        .collect();
    ids.sort_unstable();
    assert!(ids.into_iter().eq(1..=200));
    let mut texts = Vec::new();
    while texts.len() < 200 {
        texts.extend(alice.check());
    }
    assert!(texts.is_sorted());
}

#[test]
fn no_reply_repeats_what_a_peer_sent_unchecked() {
    let house = House::with_config("[limits]\nfetch_per_minute = 10000\n");
    let alice = house.register("alice");
    let mut replies = Vec::new();
    let params = [
        json!({CANARY: CANARY}),
        json!({"to": CANARY, "text": CANARY, "kind": CANARY}),
        json!({"name": CANARY, "new_name": CANARY}),
        json!({"message_id": CANARY, "message_ids": [CANARY], "text": CANARY}),
        json!({"to": "alice", "text": "x", "idempotency_key": CANARY}),
        json!({"name": "alice", "host": {"pid": 1, "program": CANARY}}),
        json!({"v": 1, "cred": CANARY, "id": CANARY, "cn": CANARY, "kdfs": [CANARY]}),
        json!({"proof": CANARY}),
        json!([CANARY]),
        json!(CANARY),
    ];
    let mut raw = Raw::of(&house, &alice);
    for method in ipc_protocol::request::Request::NAMES
        .iter()
        .chain([&CANARY])
    {
        for params in &params {
            replies.push(raw.ask(1, method, params));
            let mut stranger = Raw::stranger(&house);
            stranger.call(1, method, params);
            replies.extend(stranger.until_closed());
        }
    }
    for odd in [
        format!("\"{CANARY}\""),
        format!("{{\"{CANARY}\":1}}"),
        CANARY.to_owned(),
    ] {
        let mut raw = Raw::of(&house, &alice);
        raw.frame(odd.as_bytes());
        replies.extend(raw.until_closed());
    }
    assert!(replies.len() > 250);
    for reply in replies {
        assert!(!reply.to_string().contains("canary"), "{reply}");
        assert!(!code_in(&reply).is_empty(), "{reply}");
    }
}

#[test]
fn an_operator_cannot_act_as_an_agent() {
    let house = House::new();
    let mut raw = Raw::proved(&house, &crate::harness::secret(crate::harness::SECRET));
    let requests = [
        ("send", json!({"to": "x", "text": "x"})),
        ("fetch", json!({})),
        ("whoami", json!({})),
        ("rename", json!({"new_name": "x"})),
        ("unregister", json!({})),
        ("renew", json!({})),
        ("revoke", json!({"all": true})),
    ];
    for (method, params) in requests {
        assert_eq!(
            code_in(&raw.ask(1, method, &params)),
            "unauthenticated",
            "{method}"
        );
    }
}
