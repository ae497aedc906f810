//! Answers and what is passed on: to whom they go, how far, and how often.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::message::Kind;
use ipc_protocol::request::{Fetch, Forward, Nack, Read, Receipts, Reply, Send};

use crate::harness::{House, code, message};

fn reply(text: &str, message_id: Option<MessageId>) -> Reply {
    Reply {
        message_id,
        text: text.to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    }
}

fn forward(to: &str, message_id: Option<MessageId>) -> Forward {
    Forward {
        message_id,
        to: to.parse().unwrap(),
        idempotency_key: None,
    }
}

#[test]
fn an_answer_goes_to_the_sender_of_what_was_received_last() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    assert_eq!(code(bob.call(&reply("?", None))), ErrorCode::NotFound);
    let request = Send {
        kind: Kind::Request,
        ..message("bob", "what time is it?")
    };
    alice.call(&request).unwrap();
    assert_eq!(
        code(bob.call(&reply("?", None))),
        ErrorCode::NotFound,
        "not fetched yet"
    );
    bob.fetch();
    carol.send("bob", "not fetched");
    bob.call(&reply("noon", None)).unwrap();
    let answer = alice.fetch().remove(0);
    assert_eq!(
        (answer.kind, answer.text.as_str()),
        (Kind::Response, "noon")
    );
    assert!(carol.fetch().is_empty());
}

#[test]
fn only_messages_of_ones_own_are_answered_read_forwarded_or_acknowledged() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut mallory = house.register("mallory");
    let id = alice.send("bob", "between us").message_id;
    let read = Read {
        message_id: id,
        offset: 0,
    };
    assert_eq!(
        code(mallory.call(&reply("hm", Some(id)))),
        ErrorCode::NotFound
    );
    assert_eq!(
        code(mallory.call(&forward("mallory", Some(id)))),
        ErrorCode::NotFound
    );
    assert_eq!(code(mallory.call(&read)), ErrorCode::NotFound);
    let receipts = mallory.call(&Receipts {
        message_id: Some(id),
        limit: None,
    });
    assert_eq!(code(receipts), ErrorCode::NotFound);
    bob.fetch();
    assert_eq!(mallory.ack(vec![id]), 0);
    let nack = Nack {
        message_ids: vec![id],
    };
    assert_eq!(mallory.call(&nack).unwrap().returned, 0);
    assert_eq!(bob.ack(vec![id]), 1);
    assert_eq!(alice.call(&read).unwrap().message.text, "between us");
}

#[test]
fn passing_a_message_on_adds_a_hop_and_the_ninth_is_a_loop() {
    let house = House::with_config("[limits]\nsend_burst = 100\n");
    let mut agents: Vec<_> = ["a", "b", "c"].map(|n| house.register(n)).into();
    agents[0].send("b", "chain letter");
    for hop in 1..=9_u32 {
        let at = usize::try_from(hop).unwrap() % 3;
        let mail = agents[at].fetch().remove(0);
        assert_eq!((mail.hops, mail.text.as_str()), (hop - 1, "chain letter"));
        agents[at].ack(vec![mail.id]);
        let next = ["a", "b", "c"][(at + 1) % 3];
        let passed = agents[at].call(&forward(next, None));
        if hop == 9 {
            assert_eq!(code(passed), ErrorCode::LoopDetected);
            // A reply that goes to a third agent is passing on as well.
            let around = Send {
                reply_to: Some(mail.id),
                ..message(next, "chain letter")
            };
            assert_eq!(code(agents[at].call(&around)), ErrorCode::LoopDetected);
            agents[at].call(&reply("stop it", None)).unwrap();
        } else {
            passed.unwrap();
        }
    }
}

#[test]
fn two_agents_that_answer_each_other_without_end_are_stopped() {
    let house = House::with_config("[limits]\npair_answers_per_10_minutes = 6\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "thanks");
    for _ in 0..3 {
        bob.check();
        bob.call(&reply("no, thank you", None)).unwrap();
        alice.check();
        alice.call(&reply("thank you", None)).unwrap();
    }
    bob.check();
    assert_eq!(code(bob.call(&reply("you", None))), ErrorCode::LoopDetected);
    bob.send("alice", "a new message is still possible");
    house.clock.pass(601);
    bob.call(&reply("thanks again", None)).unwrap();
}

#[test]
fn answers_can_be_waited_for_among_other_mail() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let question = alice.send("bob", "question").message_id;
    bob.send("alice", "something else");
    let only = Fetch {
        answers_to: Some(question),
        ..Fetch::default()
    };
    let nothing = alice.call(&only).unwrap();
    assert_eq!((nothing.messages.len(), nothing.waiting), (0, 1));
    bob.call(&reply("answer", Some(question))).unwrap();
    let found = alice.call(&only).unwrap();
    assert_eq!(found.messages[0].text, "answer");
    assert_eq!(found.waiting, 1, "the other one still waits");
}
