//! Asking and answering between hosts: interim and final, pings, filters, loops.

use serde_json::{Value, json};

use crate::harness::{Home, text};

fn texts(messages: &Value) -> Vec<String> {
    messages.as_array().unwrap().iter().map(text).collect()
}

#[test]
fn filters_that_name_nobody_or_no_kind_are_refused() {
    let home = Home::new();
    let mut alice = home.host("alice").start();
    let error = alice.refused("ipc_check", json!({"from": "nobody"}));
    assert_eq!(error["code"], "unknown_recipient");
    for wrong in [json!({"from": "no/body"}), json!({"kind": "molten"})] {
        assert_eq!(alice.refused("ipc_check", wrong)["code"], "malformed");
    }
}

#[test]
fn a_host_waits_for_the_final_answer_and_gets_the_interim_ones_with_it() {
    let home = Home::new();
    let mut alice = home.host("alice").start();
    let mut bob = home.host("bob").start();
    assert_eq!((alice.name(), bob.name()), ("alice".into(), "bob".into()));
    let question = json!({"to": "bob", "text": "how long?", "kind": "request", "wait_s": 240});
    let asking = alice.begin_tool("ipc_send", question);
    let wait = json!({"wait_s": 240, "kind": "request", "from": "alice"});
    let asked = bob.tool("ipc_check", wait);
    assert_eq!(texts(&asked["messages"]), ["how long?"]);
    bob.tool("ipc_reply", json!({"text": "counting", "final": false}));
    bob.tool("ipc_reply", json!({"text": "three days"}));
    let told = alice.called(asking)["structuredContent"].clone();
    assert_eq!(texts(&told["answers"]), ["counting", "three days"]);
    assert_eq!(
        (&told["answers"][0]["interim"], &told["ended"]),
        (&json!(true), &json!("answered"))
    );
    let waited = json!({"to": "bob", "text": "well?", "wait_s": 1});
    assert_eq!(alice.tool("ipc_send", waited)["ended"], "timed_out");
}

#[test]
fn a_server_answers_pings_and_shows_them_to_no_model() {
    let home = Home::new();
    let mut alice = home.host("alice").start();
    let mut bob = home.host("bob").start();
    assert_eq!(bob.name(), "bob");
    let ping = json!({"to": "bob", "text": "ping", "kind": "ping", "wait_s": 60});
    let told = alice.tool("ipc_send", ping);
    assert_eq!(
        (&told["ended"], &told["answers"][0]["kind"]),
        (&json!("answered"), &json!("ack"))
    );
    assert_eq!(bob.tool("ipc_status", json!({}))["waiting"], 0);
    assert!(bob.texts().is_empty());
}

#[test]
fn two_hosts_that_answer_each_other_without_end_are_told_to_stop() {
    let home = Home::new();
    home.configure("[limits]\npair_answers_per_10_minutes = 3\n");
    let mut hosts = [home.host("alice").start(), home.host("bob").start()];
    assert_eq!(hosts[1].name(), "bob");
    hosts[0].send("bob", "thanks");
    for turn in 1..=4 {
        let host = &mut hosts[turn % 2];
        assert_eq!(host.texts(), ["thanks"]);
        let answer = json!({"text": "thanks"});
        if turn < 4 {
            host.tool("ipc_reply", answer);
        } else {
            let error = host.refused("ipc_reply", answer);
            assert_eq!(error["code"], "loop_detected");
            assert!(
                error["hint"]
                    .as_str()
                    .unwrap()
                    .starts_with("stop answering")
            );
        }
    }
}
