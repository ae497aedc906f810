//! From `send` to `answered`.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::DeliveryState;
use ipc_protocol::request::{Fetch, Receipts, RecipientOutcome, Reply};

use crate::harness::{House, code, message, name};

#[test]
fn a_message_goes_from_stored_to_answered_and_each_step_has_evidence() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "ping").message_id;
    let state = |alice: &mut crate::harness::Agent| {
        let page = alice
            .call(&Receipts {
                message_id: Some(id),
                limit: None,
            })
            .unwrap();
        page.receipts[0].deliveries[0].clone()
    };
    assert_eq!(state(&mut alice).state, DeliveryState::Stored);
    let mail = bob.fetch();
    assert_eq!((mail[0].id, mail[0].text.as_str()), (id, "ping"));
    assert_eq!(mail[0].from.as_ref().unwrap().name, name("alice"));
    assert_eq!(mail[0].provenance.as_ref().unwrap().pid, std::process::id());
    assert_eq!(state(&mut alice).state, DeliveryState::Offered);
    assert_eq!(bob.ack(vec![id]), 1);
    assert_eq!(bob.ack(vec![id]), 0, "a second ack does no harm");
    assert!(state(&mut alice).delivered_ms.is_some());
    let reply = Reply {
        message_id: None,
        text: "pong".into(),
        data: None,
        idempotency_key: None,
    };
    bob.call(&reply).unwrap();
    assert_eq!(state(&mut alice).state, DeliveryState::Answered);
    let answer = alice.fetch().remove(0);
    assert_eq!((answer.text.as_str(), answer.reply_to), ("pong", Some(id)));
}

#[test]
fn a_fetched_message_is_leased_and_offered_again_when_nobody_confirms_it() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "once");
    let mut other = house.reconnect(&bob).unwrap();
    assert_eq!(bob.fetch().len(), 1);
    assert!(
        other.call(&Fetch::default()).unwrap().messages.is_empty(),
        "leased"
    );
    house.clock.pass(59);
    assert!(
        other.call(&Fetch::default()).unwrap().messages.is_empty(),
        "still leased"
    );
    house.clock.pass(1);
    let again = other.call(&Fetch::default()).unwrap().messages;
    assert!(again[0].redelivered);
    assert_eq!(
        bob.ack(vec![again[0].id]),
        1,
        "an ack after the lease still counts"
    );
    house.clock.pass(61);
    assert!(bob.fetch().is_empty());
}

#[test]
fn mail_waits_for_a_name_that_nobody_has_yet() {
    let house = House::new();
    let mut alice = house.register("alice");
    let sent = alice.send("alicia", "hi, when you exist");
    let expected = RecipientOutcome::Unclaimed {
        did_you_mean: Some(name("alice")),
    };
    assert_eq!(sent.recipients[0].outcome, expected);
    let mut alicia = house.register("Alicia");
    assert_eq!(alicia.registered.waiting, 1);
    assert_eq!(alicia.check(), ["hi, when you exist"]);
}

#[test]
fn known_only_refuses_a_name_that_nobody_has() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut request = message("bob", "x");
    request.known_only = true;
    assert_eq!(code(alice.call(&request)), ErrorCode::UnknownRecipient);
    assert!(house.register("bob").fetch().is_empty());
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    let bob = house.register("bob");
    for number in 0..5 {
        alice.send("bob", &format!("message {number}"));
    }
    drop(alice);
    house.restart();
    let mut bob = crate::harness::Agent {
        client: house.reconnect(&bob).unwrap(),
        registered: bob.registered,
    };
    let texts = bob.check();
    assert_eq!(
        texts,
        (0..5).map(|n| format!("message {n}")).collect::<Vec<_>>()
    );
}
