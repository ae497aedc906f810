//! Attacks that one agent or one stranger makes with nothing but the socket.

use std::time::Duration;

use ipc_protocol::request::RecipientOutcome;
use serde_json::json;

use crate::harness::raw::{Raw, call, frame};
use crate::harness::{House, name};

#[test]
fn what_is_sent_after_a_rename_bears_the_new_name_and_the_same_agent() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.send("alice", "as bob");
    bob.rename("robert").unwrap();
    bob.send("alice", "as robert");
    let senders = alice.fetch().into_iter().filter_map(|mail| mail.from);
    let senders: Vec<_> = senders.map(|from| (from.name, from.agent_id)).collect();
    let id = bob.registered.agent_id;
    assert_eq!(senders, [(name("bob"), id), (name("robert"), id)]);
    let sent = alice.send("robert", "an answer").recipients.remove(0);
    assert_eq!(sent.outcome, RecipientOutcome::Stored);
    assert_eq!(bob.check(), ["an answer"]);
}

#[test]
fn a_stranger_that_sends_one_byte_a_second_is_closed_after_five() {
    let house = House::new();
    let mut slow = Raw::stranger(&house);
    let hello = json!({"v": 1, "cred": "secret", "cn": "A".repeat(43), "kdfs": ["argon2id"]});
    let bytes = frame(&call(1, "hello", &hello));
    assert!(bytes.len() > 60, "at this pace it would take a minute");
    let taken = bytes.iter().take_while(|byte| {
        slow.write(&[**byte]);
        !slow.is_hung_up_within(Duration::from_secs(1))
    });
    let taken = taken.count();
    assert!((3..=15).contains(&taken), "{taken} bytes were taken");
    assert!(slow.next().is_none(), "closed without a word");
}

#[test]
fn an_agent_that_sends_one_byte_a_second_is_closed_after_ten() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut slow = Raw::of(&house, &alice);
    let bytes = frame(&call(
        1,
        "send",
        &json!({"to": "alice", "text": "x".repeat(100)}),
    ));
    let taken = bytes.iter().take_while(|byte| {
        slow.write(&[**byte]);
        !slow.is_hung_up_within(Duration::from_secs(1))
    });
    let taken = taken.count();
    assert!((8..=25).contains(&taken), "{taken} bytes were taken");
    assert!(alice.check().is_empty(), "nothing half sent is stored");
}
