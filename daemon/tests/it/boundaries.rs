//! Boundaries through the real socket: what wakes, what is refused, what outlives a restart.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{Boundaries, BoundariesReport, BoundaryRule, Reply};
use serde_json::json;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, code};

fn say(owner: &mut Agent, peer: &str, rule: BoundaryRule) -> BoundariesReport {
    let request = Boundaries {
        peer: Some(peer.parse().unwrap()),
        rule: Some(rule),
        allow_only: None,
    };
    owner.call(&request).unwrap()
}

/// A connection of `agent` on which call 1 waits for mail.
fn waiting(house: &House, agent: &Agent) -> Raw {
    let mut raw = Raw::of(house, agent);
    raw.call(1, "fetch", &json!({"wait_ms": 3_600_000}));
    let reply = raw.ask(2, "whoami", &json!({}));
    assert!(reply["error"].is_null(), "{reply}");
    raw
}

/// The texts that call 1 was answered with.
fn texts(waits: &mut Raw) -> Vec<String> {
    let reply = waits.next().unwrap();
    let messages = reply["result"]["messages"].as_array().unwrap();
    let text = |mail: &serde_json::Value| mail["text"].as_str().unwrap().to_owned();
    messages.iter().map(text).collect()
}

#[test]
fn muted_mail_ends_no_wait_and_comes_with_what_does() {
    let house = House::new();
    let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|n| house.register(n));
    say(&mut alice, "bob", BoundaryRule::Mute);
    let mut waits = waiting(&house, &alice);
    bob.send("alice", "hush");
    carol.send("alice", "hello");
    assert_eq!(texts(&mut waits), ["hush", "hello"]);
}

#[test]
fn an_answer_of_a_muted_agent_ends_the_wait_for_it() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    say(&mut alice, "bob", BoundaryRule::Mute);
    alice.send("bob", "a question");
    assert_eq!(bob.check(), ["a question"]);
    let mut waits = waiting(&house, &alice);
    let answer = Reply {
        message_id: None,
        text: "an answer".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    bob.call(&answer).unwrap();
    assert_eq!(texts(&mut waits), ["an answer"]);
}

#[test]
fn mail_that_is_let_in_wakes_whoever_waits() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let strangers = Boundaries {
        allow_only: Some(true),
        ..Boundaries::default()
    };
    alice.call(&strangers).unwrap();
    let mut waits = waiting(&house, &alice);
    bob.send("alice", "may I?");
    assert_eq!(say(&mut alice, "bob", BoundaryRule::Allow).released, 1);
    assert_eq!(texts(&mut waits), ["may I?"]);
}

#[test]
fn boundaries_outlive_a_restart() {
    let mut house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    say(&mut alice, "bob", BoundaryRule::Block);
    house.restart();
    let mut client = house.reconnect(&bob).unwrap();
    let refused = client.call(&crate::harness::message("alice", "still me"));
    assert_eq!(code(refused), ErrorCode::Blocked);
}

#[test]
fn the_same_key_says_of_held_mail_what_it_said_the_first_time() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let strangers = Boundaries {
        allow_only: Some(true),
        ..Boundaries::default()
    };
    alice.call(&strangers).unwrap();
    let mut message = crate::harness::message("alice", "may I?");
    message.idempotency_key = Some("k".parse().unwrap());
    let first = bob.call(&message).unwrap();
    let again = bob.call(&message).unwrap();
    assert!(again.duplicate);
    assert_eq!(first.recipients, again.recipients);
}

#[test]
fn whoever_only_proved_the_secret_has_no_boundaries() {
    let house = House::new();
    let refused = house.operator().call(&Boundaries::default());
    assert_eq!(code(refused), ErrorCode::Unauthenticated);
}

#[test]
fn what_is_no_rule_is_refused() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    for wrong in [
        json!({"peer": "bob", "rule": "banish"}),
        json!({"rule": "block"}),
        json!({"peer": "bob"}),
        json!({"allow_only": "yes"}),
        json!({"owner": "bob", "peer": "alice", "rule": "block"}),
    ] {
        let reply = raw.ask(7, "boundaries", &wrong);
        assert_eq!(code_in(&reply), ErrorCode::Malformed.as_str(), "{wrong}");
    }
}
