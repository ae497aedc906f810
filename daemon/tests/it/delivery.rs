//! From `send` to `answered`.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::{DeliveryState, Kind};
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Fetch, Nack, Read, Receipts, RecipientOutcome, Reply, Send};

use crate::harness::{Agent, House, code, message, name};

#[test]
fn a_message_goes_from_stored_to_answered_and_each_step_has_evidence() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "ping").message_id;
    let state = |alice: &mut Agent| {
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
        private: false,
        is_final: true,
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
    let mut bob = Agent {
        client: house.reconnect(&bob).unwrap(),
        registered: bob.registered,
    };
    let texts = bob.check();
    assert_eq!(
        texts,
        (0..5).map(|n| format!("message {n}")).collect::<Vec<_>>()
    );
}

#[test]
fn a_broadcast_reaches_everyone_but_its_sender() {
    let house = House::new();
    let mut alice = house.register("alice");
    let broadcast = Send {
        to: Recipient::All,
        ..message("bob", "all hands")
    };
    let nobody = alice.call(&broadcast);
    assert_eq!(
        code(nobody),
        ErrorCode::UnknownRecipient,
        "nobody else is here"
    );
    let (mut bob, mut carol) = (house.register("bob"), house.register("carol"));
    assert_eq!(alice.call(&broadcast).unwrap().recipients.len(), 2);
    assert!(alice.fetch().is_empty());
    for agent in [&mut bob, &mut carol] {
        let mail = agent.fetch().remove(0);
        assert_eq!(
            (mail.kind, mail.text.as_str()),
            (Kind::Broadcast, "all hands")
        );
    }
}

#[test]
fn a_broadcast_over_the_cap_is_refused_whole() {
    let house = House::with_config("[limits]\nbroadcast_recipients = 2\n");
    let mut agents: Vec<_> = ["a", "b", "c", "d"].map(|n| house.register(n)).into();
    let broadcast = Send {
        to: Recipient::All,
        ..message("x", "to too many")
    };
    assert_eq!(code(agents[0].call(&broadcast)), ErrorCode::TooLarge);
    for agent in &mut agents {
        assert!(agent.fetch().is_empty());
    }
}

#[test]
fn a_retried_send_stores_one_message_even_over_a_restart() {
    let mut house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    let with_key = |text: &str| Send {
        idempotency_key: Some("job-42".parse().unwrap()),
        ..message("bob", text)
    };
    let first = alice.call(&with_key("once")).unwrap();
    let again = alice.call(&with_key("once")).unwrap();
    assert!(!first.duplicate && again.duplicate);
    assert_eq!(first.message_id, again.message_id);
    assert_eq!(code(alice.call(&with_key("twice"))), ErrorCode::Conflict);
    let elsewhere = Send {
        idempotency_key: Some("job-42".parse().unwrap()),
        ..message("carol", "once")
    };
    assert_eq!(code(alice.call(&elsewhere)), ErrorCode::Conflict);
    house.restart();
    let mut alice = house.reconnect(&alice).unwrap();
    let third = alice.call(&with_key("once")).unwrap();
    assert_eq!(
        (third.message_id, third.duplicate),
        (first.message_id, true)
    );
    let mut bob = Agent {
        client: house.reconnect(&bob).unwrap(),
        registered: bob.registered,
    };
    bob.call(&with_key("bob's own"))
        .expect("keys are each agent's own");
    assert_eq!(bob.check(), ["once", "bob's own"]);
}

#[test]
fn peeking_changes_nothing() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "look").message_id;
    let peek = Fetch {
        peek: true,
        ..Fetch::default()
    };
    for _ in 0..3 {
        let seen = bob.call(&peek).unwrap();
        assert_eq!((seen.messages.len(), seen.leased_until_ms), (1, None));
        assert!(!seen.messages[0].redelivered);
        assert_eq!(
            bob.ack(vec![id]),
            0,
            "what was only seen cannot be acknowledged"
        );
    }
    assert_eq!(bob.check(), ["look"]);
}

#[test]
fn a_lease_given_back_is_offered_again_at_once() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "not now").message_id;
    bob.fetch();
    let nack = Nack {
        message_ids: vec![id],
    };
    assert_eq!(bob.call(&nack).unwrap().returned, 1);
    assert_eq!(bob.call(&nack).unwrap().returned, 0);
    let again = bob.fetch();
    assert!(again[0].redelivered);
    bob.ack(vec![id]);
    assert_eq!(
        bob.call(&nack).unwrap().returned,
        0,
        "delivered is delivered"
    );
    assert!(bob.fetch().is_empty());
    let read = Read {
        message_id: id,
        offset: 0,
    };
    let read = bob.call(&read).unwrap().message;
    assert!(!read.redelivered, "it was acknowledged");
}

#[test]
fn each_senders_messages_arrive_in_the_order_they_were_sent_in() {
    let house = House::with_config("[limits]\nsend_burst = 1000\n");
    let mut senders: Vec<_> = ["a", "b", "c"].map(|n| house.register(n)).into();
    let mut reader = house.register("reader");
    std::thread::scope(|scope| {
        for sender in &mut senders {
            scope.spawn(|| {
                for number in 0..30 {
                    sender.send("reader", &format!("{number:02}"));
                }
            });
        }
    });
    let mut received = Vec::new();
    for _ in 0..18 {
        let mail = reader.call(&Fetch {
            limit: Some(5),
            ..Fetch::default()
        });
        let mail = mail.unwrap().messages;
        reader.ack(mail.iter().map(|m| m.id).collect());
        received.extend(mail.into_iter().map(|m| (m.from.unwrap().name, m.text)));
    }
    for sender in ["a", "b", "c"].map(name) {
        let texts = received.iter().filter(|(from, _)| *from == sender);
        let texts: Vec<_> = texts.map(|(_, text)| text.clone()).collect();
        assert_eq!(
            texts,
            (0..30).map(|n| format!("{n:02}")).collect::<Vec<_>>()
        );
    }
}
