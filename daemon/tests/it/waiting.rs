//! A fetch that waits: woken by mail, ended by time, by the end of its session, by the daemon.

use ipc_protocol::request::{Revoke, Unregister};
use serde_json::{Value, json};

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House};

pub(crate) const AN_HOUR: u32 = 3_600_000;

/// A connection of `agent` on which call 1 waits for mail.
pub(crate) fn waiting(house: &House, agent: &Agent, params: &Value) -> Raw {
    let mut raw = Raw::of(house, agent);
    raw.call(1, "fetch", params);
    // Calls that wait let others pass: when this is answered, the fetch is under way.
    let reply = raw.ask(2, "whoami", &json!({}));
    assert!(reply["error"].is_null(), "{reply}");
    raw
}

pub(crate) fn texts(reply: &Value) -> Vec<&str> {
    let messages = reply["result"]["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|m| m["text"].as_str().unwrap())
        .collect()
}

#[test]
fn a_send_wakes_whoever_waits() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
    alice.send("bob", "wake up");
    let reply = waits.next().unwrap();
    assert_eq!(
        (reply["id"].as_u64(), texts(&reply)),
        (Some(1), vec!["wake up"])
    );
}

#[test]
fn of_several_who_wait_one_gets_the_message() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    let params = json!({"wait_ms": 300});
    let waits: Vec<_> = (0..5).map(|_| waiting(&house, &bob, &params)).collect();
    alice.send("bob", "for one of you");
    let mut got = Vec::new();
    for mut raw in waits {
        got.extend(texts(&raw.next().unwrap()).into_iter().map(str::to_owned));
    }
    assert_eq!(got, ["for one of you"]);
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let house = House::new();
    let bob = house.register("bob");
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": 50}));
    let reply = waits.next().unwrap();
    assert_eq!(
        (texts(&reply).len(), &reply["result"]["waiting"]),
        (0, &json!(0))
    );
}

#[test]
fn the_longest_wait_is_the_limits() {
    let house = House::with_config("[limits]\nwait_s = 0\n");
    let bob = house.register("bob");
    let reply = Raw::of(&house, &bob).ask(1, "fetch", &json!({"wait_ms": u32::MAX}));
    assert!(texts(&reply).is_empty());
}

#[test]
fn mail_given_back_or_claimed_wakes_whoever_waits() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "not mine").message_id;
    bob.fetch();
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
    let nack = ipc_protocol::request::Nack {
        message_ids: vec![id],
    };
    bob.call(&nack).unwrap();
    assert_eq!(texts(&waits.next().unwrap()), ["not mine"]);
    alice.send("robert", "for the new name");
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
    bob.rename("robert").unwrap();
    assert_eq!(texts(&waits.next().unwrap()), ["for the new name"]);
}

#[test]
fn only_the_answer_wakes_whoever_waits_for_an_answer() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let question = alice.send("bob", "question").message_id;
    let params = json!({"wait_ms": AN_HOUR, "answers_to": question.to_string()});
    let mut waits = waiting(&house, &alice, &params);
    bob.send("alice", "small talk");
    bob.fetch();
    let reply = ipc_protocol::request::Reply {
        message_id: Some(question),
        text: "answer".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    bob.call(&reply).unwrap();
    assert_eq!(texts(&waits.next().unwrap()), ["answer"]);
    assert_eq!(alice.check(), ["small talk"]);
}

#[test]
fn the_end_of_its_session_ends_a_wait() {
    let house = House::new();
    let mut bob = house.register("bob");
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
    bob.call(&Revoke { all: false }).unwrap();
    let reply = waits.next().unwrap();
    assert_eq!(
        (reply["id"].as_u64(), code_in(&reply)),
        (Some(1), "expired")
    );
    let mut carol = house.register("carol");
    let waits = waiting(&house, &carol, &json!({"wait_ms": AN_HOUR}));
    carol.call(&Unregister {}).unwrap();
    assert!(
        waits
            .until_closed()
            .iter()
            .all(|reply| code_in(reply) == "expired")
    );
}

#[test]
fn a_stop_of_the_daemon_ends_every_wait_with_a_reason() {
    let mut house = House::new();
    let bob = house.register("bob");
    let waits: Vec<_> = (0..3)
        .map(|_| waiting(&house, &bob, &json!({"wait_ms": AN_HOUR})))
        .collect();
    house.stop().unwrap();
    for raw in waits {
        let replies = raw.until_closed();
        assert_eq!(replies[0]["id"], 1);
        assert!(
            replies.iter().all(|reply| code_in(reply) == "unavailable"),
            "{replies:?}"
        );
    }
    assert!(
        !house.data_dir().socket().exists(),
        "and the socket is gone"
    );
}

#[test]
fn a_wait_counts_as_one_request() {
    let house = House::with_config("[limits]\nfetch_per_minute = 10\n");
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    let mut raw = Raw::of(&house, &bob);
    raw.call(
        1,
        "fetch",
        &json!({"wait_ms": AN_HOUR, "answers_to": "m.0000000000000"}),
    );
    for number in 0..20 {
        // Each of these rings the bell, and none is what is waited for.
        alice.try_send("bob", &number.to_string()).unwrap();
    }
    let reply = raw.ask(2, "fetch", &json!({}));
    assert_eq!(texts(&reply).len(), 20, "the rate has room: {reply}");
}

#[test]
fn whoever_hangs_up_in_a_wait_takes_nothing_with_it() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    drop(waiting(&house, &bob, &json!({"wait_ms": AN_HOUR})));
    alice.send("bob", "for whoever is left");
    // The hung-up one may have been woken before the daemon knew: what it took is given back.
    let reply = Raw::of(&house, &bob).ask(1, "fetch", &json!({"wait_ms": AN_HOUR}));
    assert_eq!(texts(&reply), ["for whoever is left"]);
}

#[test]
fn mail_that_was_on_its_way_to_whoever_hung_up_is_free_again_at_once() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    for number in 0..20 {
        // Hangs up at the very moment in which mail comes.
        let gone = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
        let text = number.to_string();
        let hangs_up = std::thread::spawn(move || drop(gone));
        alice.send("bob", &text);
        hangs_up.join().unwrap();
        // The clock stands still, so that no lease ends.
        let mut left = Raw::of(&house, &bob);
        let reply = left.ask(1, "fetch", &json!({"wait_ms": AN_HOUR}));
        assert_eq!(texts(&reply), [text]);
        let id = &reply["result"]["messages"][0]["id"];
        left.ask(3, "ack", &json!({"message_ids": [id], "handover": "cli"}));
    }
}
