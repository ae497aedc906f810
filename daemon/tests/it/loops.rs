//! Loops are stopped, and said to be loops; ordinary talk meets no guard.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::request::{Fetch, Reply, Send};

use crate::harness::{Agent, House, code, message, refusal};

/// Rates that are not what is tested, and the guard as it is.
const FAST: &str = "[limits]\nsend_per_minute = 1000000\nsend_burst = 1000000\n\
                    fetch_per_minute = 1000000\n";

fn reply(agent: &mut Agent, text: &str) -> Result<(), ErrorCode> {
    let reply = Reply {
        message_id: None,
        text: text.to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    match agent.call(&reply) {
        Ok(_) => Ok(()),
        refused => Err(code(refused)),
    }
}

fn link(agent: &mut Agent, to: &str, reply_to: MessageId) -> Result<MessageId, ErrorCode> {
    let request = Send {
        reply_to: Some(reply_to),
        ..message(to, "and so on")
    };
    match agent.call(&request) {
        Ok(sent) => Ok(sent.message_id),
        refused => Err(code(refused)),
    }
}

#[test]
fn a_talk_of_a_hundred_turns_meets_no_guard() {
    let house = House::with_config(FAST);
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "0");
    for turn in 1..=100 {
        let agent = if turn % 2 == 0 { &mut alice } else { &mut bob };
        assert_eq!(agent.check(), [(turn - 1).to_string()]);
        reply(agent, &turn.to_string()).unwrap();
    }
    let last = alice.call(&Fetch::default());
    assert!(last.unwrap().messages.is_empty());
    assert_eq!(bob.fetch()[0].hops, 0);
}

#[test]
fn two_who_answer_each_other_without_end_are_told_to_stop() {
    let house = House::with_config(FAST);
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "ok?");
    let mut answers = 0;
    let refused = loop {
        let agent = if answers % 2 == 0 {
            &mut bob
        } else {
            &mut alice
        };
        agent.check();
        match reply(agent, "ok!") {
            Ok(()) => answers += 1,
            Err(code) => break code,
        }
    };
    assert_eq!((answers, refused), (200, ErrorCode::LoopDetected));
}

#[test]
fn three_who_answer_each_other_around_are_stopped_and_told_so() {
    let house = House::with_config(FAST);
    let names = ["ann", "bob", "cid"];
    let mut agents = names.map(|name| house.register(name));
    agents[0].send("bob", "what do you think?");
    let mut passed = 0;
    let refused = loop {
        let at = (passed + 1) % 3;
        let id = agents[at].fetch().remove(0).id;
        agents[at].ack(vec![id]);
        let request = Send {
            reply_to: Some(id),
            ..message(names[(at + 1) % 3], "what do you think?")
        };
        match agents[at].call(&request) {
            Ok(_) => passed += 1,
            refused => break refusal(refused),
        }
    };
    assert_eq!((passed, refused.code), (8, ErrorCode::LoopDetected));
    assert!(refused.hint.unwrap().starts_with("stop passing it on"));
}

#[test]
fn naming_an_older_message_does_not_lead_around_the_guard() {
    let house = House::with_config("[limits]\npair_answers_per_10_minutes = 6\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    let from_carol = carol.send("alice", "old").message_id;
    let own = alice.send("bob", "mine").message_id;
    let bobs = bob.send("alice", "bob's own").message_id;
    // Each names a message that is its own, or of a third: neither is an answer to the other.
    for _ in 0..3 {
        link(&mut alice, "bob", own).unwrap();
        link(&mut bob, "alice", bobs).unwrap();
    }
    for parent in [own, from_carol] {
        let refused = link(&mut alice, "bob", parent);
        assert_eq!(refused, Err(ErrorCode::LoopDetected));
    }
    assert_eq!(link(&mut bob, "alice", bobs), Err(ErrorCode::LoopDetected));
    carol.send("bob", "others go on");
}

#[test]
fn ones_own_message_taken_to_a_third_is_passed_on() {
    let house = House::with_config("[limits]\nhops = 1\n");
    let mut alice = house.register("alice");
    let (mut bob, mut carol) = (house.register("bob"), house.register("carol"));
    let own = alice.send("bob", "mine").message_id;
    let again = link(&mut alice, "bob", own).unwrap();
    let to_carol = link(&mut alice, "carol", again).unwrap();
    let hops = |agent: &mut Agent| agent.fetch().last().unwrap().hops;
    assert_eq!((hops(&mut bob), hops(&mut carol)), (0, 1));
    let around = link(&mut carol, "bob", to_carol);
    assert_eq!(around, Err(ErrorCode::LoopDetected));
}
