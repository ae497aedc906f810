//! Kinds: which answer which, and pings, which are for programs and not for mailboxes.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::message::{DeliveryState, Kind, WaitEnd};
use ipc_protocol::request::{DeadLetters, Fetch, Notice, Receipts, Reply, Send};
use serde_json::json;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, code, message};
use crate::waiting::{AN_HOUR, waiting};

fn send(
    agent: &mut Agent,
    to: &str,
    kind: Kind,
    reply_to: Option<MessageId>,
) -> Result<MessageId, ErrorCode> {
    let request = Send {
        kind,
        reply_to,
        ..message(to, kind.as_str())
    };
    match agent.call(&request) {
        Ok(sent) => Ok(sent.message_id),
        refused => Err(code(refused)),
    }
}

fn pings(agent: &mut Agent) -> Vec<MessageId> {
    let wanted = Fetch {
        kind: Some(Kind::Ping),
        ..Fetch::default()
    };
    let found = agent.call(&wanted).unwrap().messages;
    found.into_iter().map(|mail| mail.id).collect()
}

#[test]
fn kinds_that_are_none_or_are_not_for_agents_are_refused() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    for kind in ["system", "broadcast", "molten", "Message", ""] {
        let params = json!({"to": "alice", "text": "x", "kind": kind});
        let reply = raw.ask(1, "send", &params);
        assert_eq!(code_in(&reply), "malformed", "{kind}");
    }
}

#[test]
fn an_answer_of_a_kind_names_what_it_answers_and_that_was_sent_to_whoever_answers() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    for kind in [Kind::Response, Kind::Ack, Kind::TaskAccept] {
        let unlinked = send(&mut bob, "alice", kind, None);
        assert_eq!(unlinked, Err(ErrorCode::Malformed), "{kind:?}");
    }
    let mut sent = |kind| send(&mut alice, "bob", kind, None).unwrap();
    let plain = sent(Kind::Message);
    let request = sent(Kind::Request);
    let proposal = sent(Kind::TaskProposal);
    let ping = sent(Kind::Ping);
    for (kind, parent) in [
        (Kind::Response, ping),
        (Kind::Ack, plain),
        (Kind::Ack, request),
        (Kind::Ack, proposal),
        (Kind::TaskAccept, plain),
        (Kind::TaskAccept, request),
        (Kind::TaskAccept, ping),
    ] {
        let wrong = send(&mut bob, "alice", kind, Some(parent));
        assert_eq!(wrong, Err(ErrorCode::Conflict), "{kind:?} of {parent}");
    }
    for (kind, parent) in [
        (Kind::Response, request),
        (Kind::Ack, ping),
        (Kind::TaskAccept, proposal),
    ] {
        let own = send(&mut alice, "bob", kind, Some(parent));
        assert_eq!(own, Err(ErrorCode::Conflict), "one's own");
        let strange = send(&mut carol, "alice", kind, Some(parent));
        assert_eq!(strange, Err(ErrorCode::NotFound), "not sent to carol");
    }
    let astray = send(&mut bob, "carol", Kind::TaskAccept, Some(proposal));
    assert_eq!(astray, Err(ErrorCode::Conflict), "goes to whoever proposed");
    assert!(carol.check().is_empty());
}

#[test]
fn a_proposal_and_its_acceptance_are_linked_and_the_receipt_names_it() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let proposal = send(&mut alice, "bob", Kind::TaskProposal, None).unwrap();
    bob.check();
    let accepted = send(&mut bob, "alice", Kind::TaskAccept, Some(proposal)).unwrap();
    let mail = alice.fetch().remove(0);
    assert_eq!(
        (mail.kind, mail.reply_to),
        (Kind::TaskAccept, Some(proposal))
    );
    let receipt = alice.call(&Receipts::default()).unwrap().receipts.remove(0);
    let delivery = &receipt.deliveries[0];
    assert_eq!(delivery.state, DeliveryState::Answered);
    assert_eq!(delivery.answered_by, Some(accepted));
}

#[test]
fn a_ping_waits_in_no_mailbox_and_is_answered_once() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let nobody = send(&mut alice, "nobody", Kind::Ping, None);
    assert_eq!(
        nobody,
        Err(ErrorCode::UnknownRecipient),
        "who is there now?"
    );
    alice.send("bob", "mail");
    let ping = send(&mut alice, "bob", Kind::Ping, None).unwrap();
    assert_eq!(bob.whoami().unwrap().waiting, 1);
    assert_eq!(bob.call(&Notice::default()).unwrap().waiting, 1);
    assert_eq!(bob.check(), ["mail"]);
    assert_eq!(pings(&mut bob), [ping]);
    let pong = Reply {
        message_id: None,
        text: "hm".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    bob.call(&pong).unwrap();
    assert_eq!(alice.fetch().remove(0).kind, Kind::Message, "of the mail");
    send(&mut bob, "alice", Kind::Ack, Some(ping)).unwrap();
    let again = send(&mut bob, "alice", Kind::Ack, Some(ping));
    assert_eq!(again, Err(ErrorCode::Conflict));
    let second = send(&mut alice, "bob", Kind::Ping, None).unwrap();
    let in_part = Reply {
        message_id: Some(second),
        text: "pong, and more to come".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: false,
    };
    assert_eq!(
        code(bob.call(&in_part)),
        ErrorCode::Conflict,
        "acks are free, so there is one"
    );
    let wanted = Fetch {
        answers_to: Some(ping),
        ..Fetch::default()
    };
    let answers = alice.call(&wanted).unwrap();
    assert_eq!(answers.ended, Some(WaitEnd::Answered));
    assert_eq!(answers.messages[0].kind, Kind::Ack);
}

#[test]
fn a_ping_wakes_whoever_answers_pings_and_nobody_else() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    let mut reads = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR}));
    let mut answers = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "kind": "ping"}));
    let ping = send(&mut alice, "bob", Kind::Ping, None).unwrap();
    let woken = answers.next().unwrap();
    assert_eq!(woken["result"]["messages"][0]["id"], ping.to_string());
    let params = json!({"wait_ms": AN_HOUR, "answers_to": ping.to_string(), "pings": true});
    let mut both = waiting(&house, &bob, &params);
    send(&mut alice, "bob", Kind::Ping, None).unwrap();
    assert_eq!(
        both.next().unwrap()["result"]["messages"][0]["kind"],
        "ping"
    );
    alice.send("bob", "mail");
    assert_eq!(
        reads.next().unwrap()["result"]["messages"][0]["text"],
        "mail"
    );
}

#[test]
fn a_ping_that_nobody_answered_in_a_minute_is_dropped() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    send(&mut alice, "bob", Kind::Ping, None).unwrap();
    house.clock.pass(59);
    assert_eq!(pings(&mut bob).len(), 1);
    house.clock.pass(1);
    assert!(pings(&mut bob).is_empty());
    let ping = send(&mut alice, "bob", Kind::Ping, None).unwrap();
    house.clock.pass(60);
    send(&mut alice, "bob", Kind::Ping, None).unwrap();
    let dead = alice.call(&DeadLetters::default()).unwrap().dead_letters;
    assert_eq!((dead.len(), dead[0].message_id), (2, ping));
    assert!(alice.check().is_empty(), "nobody is told");
}
