//! Asking, and waiting for the answers: interim and final, of one and of many, and how a wait ends.

use ipc_protocol::id::MessageId;
use ipc_protocol::message::{DeliveryState, WaitEnd};
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{
    AdminRelease, Fetch, Fetched, List, Presence, Receipts, Reply, Send, Status, Unregister,
};
use serde_json::{Value, json};

use crate::harness::raw::Raw;
use crate::harness::{Agent, House, message, name};
use crate::waiting::{AN_HOUR, texts, waiting};

fn answer(agent: &mut Agent, id: MessageId, text: &str, is_final: bool) -> MessageId {
    let reply = Reply {
        message_id: Some(id),
        text: text.to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final,
    };
    agent.call(&reply).unwrap().message_id
}

fn answers(agent: &mut Agent, id: MessageId) -> Fetched {
    let wanted = Fetch {
        answers_to: Some(id),
        ..Fetch::default()
    };
    agent.call(&wanted).unwrap()
}

fn wait_for(house: &House, agent: &Agent, id: MessageId, wait_ms: u32) -> Raw {
    let params = json!({"wait_ms": wait_ms, "answers_to": id.to_string()});
    waiting(house, agent, &params)
}

fn looks(agent: &mut Agent) -> u64 {
    agent.call(&Status {}).unwrap().counters.looks
}

fn is_live(agent: &mut Agent, who: &str) -> bool {
    let agents = agent.call(&List::default()).unwrap().agents;
    let row = agents.into_iter().find(|row| row.name == name(who));
    row.unwrap().presence == Presence::Live
}

fn ended(reply: &Value) -> &str {
    reply["result"]["ended"].as_str().unwrap_or("goes on")
}

#[test]
fn an_interim_answer_is_shown_and_leaves_the_question_open() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "how long?").message_id;
    bob.check();
    let mut waits = wait_for(&house, &alice, id, AN_HOUR);
    answer(&mut bob, id, "counting", false);
    let reply = waits.next().unwrap();
    assert_eq!(
        (texts(&reply), ended(&reply)),
        (vec!["counting"], "goes on")
    );
    assert_eq!(reply["result"]["messages"][0]["interim"], true);
    let state = |alice: &mut Agent| {
        let page = alice.call(&Receipts::default()).unwrap();
        let delivery = page.receipts[0].deliveries[0].clone();
        (delivery.state, delivery.answered_by)
    };
    assert_eq!(state(&mut alice), (DeliveryState::Delivered, None));
    let mut waits = wait_for(&house, &alice, id, AN_HOUR);
    let last = answer(&mut bob, id, "three days", true);
    let reply = waits.next().unwrap();
    assert_eq!(
        (texts(&reply), ended(&reply)),
        (vec!["three days"], "answered")
    );
    assert!(reply["result"]["messages"][0]["interim"].is_null());
    assert_eq!(state(&mut alice), (DeliveryState::Answered, Some(last)));
    answer(&mut bob, id, "no, four", true);
    assert_eq!(state(&mut alice).1, Some(last), "the first that was final");
}

#[test]
fn a_question_to_several_waits_for_all_of_them() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut others = ["bob", "carol", "dan"].map(|name| house.register(name));
    let to_all = Send {
        to: Recipient::All,
        ..message("x", "who is free?")
    };
    let id = alice.call(&to_all).unwrap().message_id;
    for (at, other) in others.iter_mut().enumerate() {
        let mut waits = wait_for(&house, &alice, id, AN_HOUR);
        answer(other, id, &at.to_string(), true);
        let reply = waits.next().unwrap();
        assert_eq!(texts(&reply), [at.to_string()]);
        let expected = if at == 2 { "answered" } else { "goes on" };
        assert_eq!(ended(&reply), expected);
    }
}

#[test]
fn all_answers_are_given_before_it_is_said_that_all_have_come() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "tell me").message_id;
    answer(&mut bob, id, "first", false);
    answer(&mut bob, id, "second", true);
    let one = Fetch {
        limit: Some(1),
        answers_to: Some(id),
        ..Fetch::default()
    };
    assert_eq!(alice.call(&one).unwrap().ended, None);
    assert_eq!(alice.call(&one).unwrap().ended, Some(WaitEnd::Answered));
    assert_eq!(answers(&mut alice, id).ended, Some(WaitEnd::Answered));
}

#[test]
fn a_wait_ends_with_its_time_and_says_so() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "anybody?").message_id;
    let reply = wait_for(&house, &alice, id, 50).next().unwrap();
    assert_eq!((texts(&reply).len(), ended(&reply)), (0, "timed_out"));
    assert_eq!(answers(&mut alice, id).ended, None, "it did not wait");
    let plain = waiting(&house, &alice, &json!({"wait_ms": 50}))
        .next()
        .unwrap();
    assert_eq!(ended(&plain), "goes on", "nothing was asked");
    // Who did not send the message learns nothing of it.
    assert_eq!(answers(&mut bob, id).ended, None);
}

#[test]
fn a_wait_ends_with_the_daemon_and_says_so() {
    let mut house = House::new();
    let (mut alice, _bob) = (house.register("alice"), house.register("bob"));
    let id = alice.send("bob", "anybody?").message_id;
    let waits = wait_for(&house, &alice, id, AN_HOUR);
    house.stop().unwrap();
    assert_eq!(ended(&waits.until_closed()[0]), "shutting_down");
}

#[test]
fn a_wait_ends_when_whoever_was_asked_gives_its_name_up_or_is_released() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    for to in ["bob", "carol"] {
        let id = alice.send(to, "are you there?").message_id;
        let asked = if to == "bob" { &mut bob } else { &mut carol };
        asked.check();
        let mut waits = wait_for(&house, &alice, id, AN_HOUR);
        if to == "bob" {
            bob.call(&Unregister {}).unwrap();
        } else {
            let name = name("carol");
            house.operator().call(&AdminRelease { name }).unwrap();
        }
        assert_eq!(ended(&waits.next().unwrap()), "recipient_gone", "{to}");
        assert_eq!(answers(&mut alice, id).ended, Some(WaitEnd::RecipientGone));
    }
}

#[test]
fn a_wait_ends_when_whoever_was_there_has_gone_and_not_for_whoever_may_come() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let away = house.register("carol").registered;
    let id = alice.send("bob", "are you there?").message_id;
    bob.check();
    let before = looks(&mut alice);
    let mut waits = wait_for(&house, &alice, id, AN_HOUR);
    // It has begun once it has looked: what the writer does next comes after that.
    while looks(&mut alice) == before {}
    alice.ack(Vec::new());
    drop(bob);
    assert_eq!(ended(&waits.next().unwrap()), "recipient_gone");
    // Whoever is away all along, or comes and goes, may come again.
    while is_live(&mut alice, "carol") {}
    let id = alice.send("carol", "and you?").message_id;
    let mut waits = wait_for(&house, &alice, id, AN_HOUR);
    let come = || {
        let when = ipc_protocol::request::WhenLive::Refuse;
        house.resume(away.resume.as_ref().unwrap(), "carol", when)
    };
    come().unwrap().check();
    answer(&mut come().unwrap(), id, "here I am", true);
    let reply = waits.next().unwrap();
    assert_eq!(
        (texts(&reply), ended(&reply)),
        (vec!["here I am"], "answered")
    );
}

#[test]
fn of_several_the_ones_who_are_there_are_waited_for() {
    let house = House::new();
    let mut alice = house.register("alice");
    let (bob, mut carol) = (house.register("bob"), house.register("carol"));
    let to_all = Send {
        to: Recipient::All,
        ..message("x", "who is free?")
    };
    let id = alice.call(&to_all).unwrap().message_id;
    let mut waits = wait_for(&house, &alice, id, AN_HOUR);
    drop(bob);
    answer(&mut carol, id, "I am", true);
    let reply = waits.next().unwrap();
    assert_eq!(texts(&reply), ["I am"]);
}
