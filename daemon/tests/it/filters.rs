//! Mail of one sender or one kind alone: what is refused, what comes, and who is woken by what.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Kind;
use ipc_protocol::request::{Fetch, Send, Status};
use serde_json::json;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, code, message};
use crate::waiting::{AN_HOUR, texts, waiting};

fn from(name: &str) -> Fetch {
    Fetch {
        sent_by: Some(name.parse().unwrap()),
        ..Fetch::default()
    }
}

fn of_kind(kind: Kind) -> Fetch {
    Fetch {
        kind: Some(kind),
        ..Fetch::default()
    }
}

fn fetched(agent: &mut Agent, wanted: &Fetch) -> Vec<String> {
    let found = agent.call(wanted).unwrap().messages;
    found.into_iter().map(|mail| mail.text).collect()
}

#[test]
fn a_sender_that_does_not_exist_and_a_kind_that_is_none_are_refused() {
    let house = House::new();
    let mut alice = house.register("alice");
    house.register("bob");
    let wait = Fetch {
        wait_ms: AN_HOUR,
        ..from("bop")
    };
    let refused = crate::harness::refusal(alice.call(&wait));
    assert_eq!(refused.code, ErrorCode::UnknownRecipient);
    assert!(refused.hint.unwrap().contains("did you mean `bob`?"));
    let peek = Fetch {
        peek: true,
        ..from("bop")
    };
    assert_eq!(code(alice.call(&peek)), ErrorCode::UnknownRecipient);
    let mut raw = Raw::of(&house, &alice);
    for (params, expected) in [
        (json!({"sent_by": "bo/b"}), "invalid_name"),
        (json!({"sent_by": "system"}), "name_reserved"),
        (json!({"sent_by": 7}), "malformed"),
        (json!({"kind": "molten"}), "malformed"),
        (json!({"from": "bob"}), "malformed"),
    ] {
        let reply = raw.ask(1, "fetch", &params);
        assert_eq!(code_in(&reply), expected, "{params}");
    }
}

#[test]
fn mail_of_one_sender_or_kind_is_taken_from_among_the_rest_which_stays_new() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    bob.send("alice", "from bob");
    carol.send("alice", "from carol");
    let request = Send {
        kind: Kind::Request,
        ..message("alice", "a request of carol's")
    };
    carol.call(&request).unwrap();
    assert_eq!(fetched(&mut alice, &of_kind(Kind::TaskProposal)), [""; 0]);
    assert_eq!(fetched(&mut alice, &of_kind(Kind::Request)), [request.text]);
    assert_eq!(fetched(&mut alice, &from("CAROL")), ["from carol"]);
    carol.rename("caroline").unwrap();
    carol.send("alice", "under another name");
    let id = carol.registered.agent_id.to_string();
    for name in ["carol", &id] {
        let peek = Fetch {
            peek: true,
            ..from(name)
        };
        let found = alice.call(&peek).unwrap();
        assert_eq!(found.messages.len(), 1, "{name}");
        assert_eq!(found.waiting, 2, "bob's, and the notice of the rename");
    }
    assert_eq!(fetched(&mut alice, &of_kind(Kind::System)), [""]);
    assert_eq!(alice.check(), ["from bob", "under another name"]);
}

#[test]
fn a_wait_for_some_of_the_mail_is_woken_by_that_alone_and_does_not_look_again_for_the_rest() {
    let house = House::with_config("[limits]\nsend_burst = 1000\n");
    let (alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    carol.send("alice", "waits already");
    let looks = |agent: &mut Agent| agent.call(&Status {}).unwrap().counters.looks;
    let by_sender = json!({"wait_ms": AN_HOUR, "sent_by": "bob"});
    let by_kind = json!({"wait_ms": AN_HOUR, "kind": "request"});
    let mut for_bob = waiting(&house, &alice, &by_sender);
    let mut for_requests = waiting(&house, &alice, &by_kind);
    // Both have looked once when the number stands still at two.
    while looks(&mut carol) < 2 {}
    for number in 0..100 {
        carol.send("alice", &number.to_string());
    }
    assert_eq!(
        looks(&mut carol),
        2,
        "nobody looked for what it does not want"
    );
    bob.send("alice", "at last");
    assert_eq!(texts(&for_bob.next().unwrap()), ["at last"]);
    assert_eq!(looks(&mut carol), 3);
    let request = Send {
        kind: Kind::Request,
        ..message("alice", "well?")
    };
    carol.call(&request).unwrap();
    assert_eq!(texts(&for_requests.next().unwrap()), ["well?"]);
    assert_eq!(looks(&mut carol), 4);
}

#[test]
fn a_wait_for_one_sender_is_woken_when_a_lease_on_its_mail_is_given_back() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = bob.send("alice", "leased").message_id;
    assert_eq!(alice.fetch().len(), 1);
    bob.send("alice", "not leased");
    assert_eq!(fetched(&mut alice, &from("bob")), ["not leased"]);
    let mut waits = waiting(
        &house,
        &alice,
        &json!({"wait_ms": AN_HOUR, "sent_by": "bob"}),
    );
    let nack = ipc_protocol::request::Nack {
        message_ids: vec![id],
    };
    alice.call(&nack).unwrap();
    assert_eq!(texts(&waits.next().unwrap()), ["leased"]);
}
