//! Whatever a host or a model sends: an error that says what to do, and a server that lives on.

use serde_json::{Value, json};

use crate::harness::{Era, Home, Host};

/// Longest line that the server reads, in bytes.
const LINE_BYTES: usize = 8 * 1_024 * 1_024;

fn said(error: &Value) -> String {
    format!("{} {}", error["message"], error["hint"])
}

fn long(length: usize) -> String {
    "x".repeat(length)
}

/// A call, the code of its error, and words that the error must hold, separated by semicolons.
const WRONG: &str = r#"
ipc_check {"wait": 5} => malformed: wait; limit, wait_s
ipc_check {"wait_s": "5"} => malformed: string; wait_s
ipc_check {"wait_s": -1} => malformed: -1; wait_s
ipc_check {"wait_s": 241} => malformed: at most 240; call again
ipc_check {"limit": 0} => malformed: 1 to 20
ipc_check {"limit": 21} => malformed: 1 to 20
ipc_status {"x": 1} => malformed: takes: notices
ipc_list {"scope": "planet"} => malformed: machine
ipc_send {"to": "bob"} => malformed: missing field `text`
ipc_send {"to": "b b", "text": ""} => malformed: nobody; ipc_list
ipc_send {"to": "bob", "text": "", "kind": "order"} => malformed: kind
ipc_send {"to": "bob", "text": "", "data": []} => malformed: data
ipc_send {"to": "bob", "text": "", "reply_to": "x"} => malformed: m.
ipc_send {"to": "bob", "text": "", "wait_s": 241} => malformed: 240
ipc_register {"name": "a b"} => invalid_name: letters
ipc_rename {"new_name": "all"} => name_reserved: all
ipc_read {"message_id": "7"} => malformed: begin with m.
ipc_read {"message_id": "m.00000000000000"} => malformed: m.
ipc_history {"with": "b b"} => malformed: nobody; ipc_list
ipc_history {"search": "\"open"} => malformed: quotation mark; close it
ipc_history {"search": "-all"} => malformed: must occur
ipc_history {"before": "2h"} => malformed: next_before
ipc_history {"limit": 21} => malformed: 1 to 20
ipc_history {"query": "x"} => malformed: search, with
ipc_history {"before": "m.0000000000000"} => not_found: none of yours
ipc_auto_check {"action": "begin"} => malformed: start
ipc_auto_check {"action": "start", "minutes": 61} => malformed: 60
"#;

#[test]
fn wrong_arguments_are_named_with_what_is_right() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    for line in WRONG.lines().filter(|line| !line.is_empty()) {
        let (call, expected) = line.split_once(" => ").unwrap();
        let (tool, arguments) = call.split_once(' ').unwrap();
        let (code, words) = expected.split_once(": ").unwrap();
        let error = host.refused(tool, serde_json::from_str(arguments).unwrap());
        assert_eq!(error["code"], code, "{line}: {error}");
        for word in words.split("; ") {
            assert!(said(&error).contains(word), "{line}: {error}");
        }
    }
    assert_eq!(host.name(), "alice");
}

#[test]
fn what_is_too_long_is_refused_and_not_repeated() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    for (tool, arguments, code) in [
        (
            "ipc_send",
            json!({"to": "bob", "text": long(1_048_577)}),
            "too_large",
        ),
        ("ipc_send", json!({"to": long(33), "text": ""}), "malformed"),
        ("ipc_register", json!({"name": long(33)}), "invalid_name"),
        ("ipc_read", json!({"message_id": long(99)}), "malformed"),
    ] {
        let error = host.refused(tool, arguments);
        assert_eq!(error["code"], code, "{tool}: {error}");
        assert!(!said(&error).contains(&long(20)), "{tool}: {error}");
    }
    assert_eq!(host.name(), "alice");
}

#[test]
fn an_answer_to_nothing_is_refused() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    for (tool, arguments) in [
        ("ipc_reply", json!({"text": "to whom?"})),
        ("ipc_forward", json!({"to": "bob"})),
    ] {
        let error = host.refused(tool, arguments);
        assert_eq!(error["code"], "not_found", "{tool}: {error}");
    }
}

#[test]
fn an_offset_beyond_the_end_is_said() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    let id = host.send("alice", "four");
    let error = host.refused("ipc_read", json!({"message_id": id, "offset": 5}));
    assert_eq!(error["code"], "malformed", "{error}");
    let last = host.tool("ipc_read", json!({"message_id": id, "offset": 4}));
    assert_eq!(last["next_offset"], Value::Null);
}

#[test]
fn what_there_is_not_is_answered_with_what_there_is() {
    for era in [Era::Legacy("2025-06-18"), Era::Modern] {
        let home = Home::new();
        let mut host = home.host("alice").era(era).start();
        for (method, params, code, word) in [
            (
                "tools/call",
                json!({"name": "ipc_dance"}),
                -32_602,
                "ipc_check",
            ),
            ("prompts/get", json!({"name": "dance"}), -32_602, "check"),
            (
                "prompts/get",
                json!({"name": "send", "arguments": {"name": "b"}}),
                -32_602,
                "text",
            ),
            ("tools/dance", json!({}), -32_601, "tools/dance"),
        ] {
            let error = host.error(method, params);
            assert_eq!(error["code"], code, "{method}: {error}");
            assert!(
                error["message"].as_str().unwrap().contains(word),
                "{method}: {error}"
            );
        }
        for uri in ["ipc://outbox", "file:///etc/passwd", "ipc://message/7", ""] {
            let error = host.error("resources/read", json!({"uri": uri}));
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("ipc://inbox"), "{uri}: {error}");
        }
        assert_eq!(host.name(), "alice");
    }
}

#[test]
fn lines_that_are_no_request_are_survived() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    let too_long = format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"ping","x":"{}"}}"#,
        long(LINE_BYTES)
    );
    for line in [
        "hello",
        "",
        "{",
        "[]",
        "[{}]",
        "7",
        "null",
        "\u{FEFF}",
        "{}",
        too_long.as_str(),
    ] {
        host.write(line);
        host.result("ping", json!({}));
    }
    host.write(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#);
    host.write(r#"{"jsonrpc":"2.0","id":"never asked","result":{}}"#);
    host.notify("notifications/cancelled", json!({"requestId": 4_711}));
    host.notify("notifications/unheard_of", json!({"x": 1}));
    assert_eq!(host.name(), "alice");
}

#[test]
fn a_host_that_begins_in_the_wrong_order_is_told_and_can_go_on() {
    let home = Home::new();
    let mut host = home.host("alice").start_in_silence();
    host.notify("notifications/initialized", json!({}));
    host.notify("notifications/cancelled", json!({"requestId": 1}));
    let error = host.error("tools/call", json!({"name": "ipc_status"}));
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("_meta"), "{error}");
    host.result("ping", json!({}));
    host.introduce("2025-06-18");
    assert_eq!(host.name(), "alice");
}

#[test]
fn an_unknown_revision_is_answered_with_one_that_there_is() {
    let home = Home::new();
    let mut host = home.host("alice").start_in_silence();
    let known = host.result(
        "initialize",
        json!({
            "protocolVersion": "1999-01-01",
            "capabilities": {},
            "clientInfo": {"name": "old", "version": "0"},
        }),
    );
    assert_ne!(known["protocolVersion"], "1999-01-01");
    host.notify("notifications/initialized", json!({}));
    assert_eq!(host.name(), "alice");
}

/// Two calls with one id are the host's mistake: mail must not get lost by it.
#[test]
fn calls_with_the_same_id_in_flight_lose_no_mail() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = home.host("alice").start();
    assert_eq!(host.name(), "alice");
    let call =
        |wait_s: u32| json!({"name": "ipc_check", "arguments": {"wait_s": wait_s, "limit": 1}});
    host.begin_as(500, "tools/call", call(240));
    host.name();
    bob.send("alice", "first");
    bob.send("alice", "second");
    host.begin_as(500, "tools/call", call(0));
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let came = texts_in(&host.response(500));
        seen.extend(if came.is_empty() { host.texts() } else { came });
    }
    seen.sort();
    assert_eq!(seen, ["first", "second"]);
    assert_eq!(host.texts(), Vec::<String>::new());
}

fn texts_in(response: &Value) -> Vec<String> {
    let messages = response["result"]["structuredContent"]["messages"].as_array();
    let messages = messages.into_iter().flatten();
    messages.map(crate::harness::text).collect()
}

#[test]
fn an_argument_of_a_hundred_thousand_levels_is_survived() {
    let home = Home::new();
    let mut host: Host = home.host("alice").start();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    host.write(&format!(
        r#"{{"jsonrpc":"2.0","id":900,"method":"tools/call","params":{{"name":"ipc_send","arguments":{{"to":"alice","text":"x","data":{{"deep":{deep}}}}}}}}}"#
    ));
    assert_eq!(host.name(), "alice");
}
