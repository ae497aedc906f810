//! Notices of waiting mail: one front-end tells of what waits, once, and nobody of what was read.

use ipc_protocol::id::MessageId;
use ipc_protocol::request::{
    Ack, Fetch, Nack, Notice, NoticeReport, ReadsWith, Revoke, Unregister, WhenLive,
};
use serde_json::{Value, json};

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, name};

pub(crate) const AN_HOUR: u32 = 3_600_000;

/// Asks for the right to tell the agent, without waiting.
pub(crate) fn tell(agent: &mut Agent) -> NoticeReport {
    let request = Notice {
        tell: true,
        ..Notice::default()
    };
    agent.call(&request).unwrap()
}

/// A connection of `agent` on which call 1 waits for a notice.
pub(crate) fn waiting(house: &House, agent: &Agent, params: &Value) -> Raw {
    let mut raw = Raw::of(house, agent);
    raw.call(1, "notice", params);
    // Calls that wait let others pass: when this is answered, the notice is under way.
    let reply = raw.ask(2, "whoami", &json!({}));
    assert!(reply["error"].is_null(), "{reply}");
    raw
}

pub(crate) fn due(reply: &Value) -> bool {
    reply["result"]["is_due"].as_bool().unwrap()
}

pub(crate) fn two(house: &House) -> (Agent, Agent) {
    (house.register("alice"), house.register("bob"))
}

#[test]
fn a_notice_says_how_much_waits_and_from_whom_and_takes_nothing() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    assert!(!tell(&mut bob).is_due, "nothing waits");
    alice.send("bob", "CANARY one");
    let newest = alice.send("bob", "CANARY two").message_id;
    let mut raw = Raw::of(&house, &bob);
    let reply = raw.ask(1, "notice", &json!({"tell": true}));
    assert!(!reply.to_string().contains("CANARY"), "{reply}");
    let report: NoticeReport = serde_json::from_value(reply["result"].clone()).unwrap();
    assert_eq!((report.waiting, report.newest), (2, Some(newest)));
    assert_eq!(report.senders, [name("alice")]);
    assert!(report.is_due);
    assert_eq!(
        report.sentence(ReadsWith::CommandLine),
        "ipc: 2 new messages for bob, from alice. Run `ipc check` to read them."
    );
    assert_eq!(bob.check().len(), 2, "they were not leased");
}

#[test]
fn at_most_five_senders_are_named_and_the_daemon_is_none() {
    let house = House::new();
    let mut bob = house.register("bob");
    for number in 0..7 {
        house.register(&format!("agent-{number}")).send("bob", "x");
    }
    let mut carol = house.register("carol");
    bob.send("carol", "x");
    // Whoever leaves tells the senders: a message of the daemon's own.
    carol.call(&Unregister {}).unwrap();
    let report = tell(&mut bob);
    assert_eq!((report.waiting, report.more_senders), (8, 2));
    let names = ["agent-6", "agent-5", "agent-4", "agent-3", "agent-2"];
    assert_eq!(report.senders, names.map(name));
}

#[test]
fn mail_wakes_a_waiting_notice() {
    let house = House::new();
    let (mut alice, bob) = two(&house);
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    alice.send("bob", "wake up");
    let reply = waits.next().unwrap();
    assert_eq!((reply["id"].as_u64(), due(&reply)), (Some(1), true));
}

#[test]
fn of_several_front_ends_that_wait_one_tells() {
    let house = House::new();
    let (mut alice, bob) = two(&house);
    let params = json!({"wait_ms": 300, "tell": true});
    let waits: Vec<_> = (0..5).map(|_| waiting(&house, &bob, &params)).collect();
    alice.send("bob", "for one of you");
    let told = waits
        .into_iter()
        .filter_map(|mut raw| due(&raw.next().unwrap()).then_some(()));
    assert_eq!(told.count(), 1);
}

#[test]
fn an_agent_is_told_once_until_it_fetches() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    alice.send("bob", "one");
    assert!(tell(&mut bob).is_due);
    alice.send("bob", "two");
    house.clock.pass(299);
    assert!(!tell(&mut bob).is_due, "a notice is outstanding");
    let peek = Fetch {
        peek: true,
        ..Fetch::default()
    };
    bob.call(&peek).unwrap();
    assert!(!tell(&mut bob).is_due, "a peek changes nothing");
    bob.check();
    assert!(!tell(&mut bob).is_due, "what was read is not announced");
    alice.send("bob", "three");
    assert!(tell(&mut bob).is_due);
}

#[test]
fn a_lost_notice_is_made_good_when_newer_mail_has_come() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    alice.send("bob", "one");
    assert!(tell(&mut bob).is_due);
    house.clock.pass(36_000);
    assert!(!tell(&mut bob).is_due, "nothing newer has come");
    alice.send("bob", "two");
    assert!(tell(&mut bob).is_due);
    house.clock.pass(299);
    alice.send("bob", "three");
    assert!(!tell(&mut bob).is_due);
    house.clock.pass(1);
    assert!(tell(&mut bob).is_due);
}

#[test]
fn what_was_taken_without_a_fetch_leaves_no_notice_outstanding() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    let question = bob.send("alice", "question").message_id;
    alice.fetch();
    let answer = ipc_protocol::request::Reply {
        message_id: Some(question),
        text: "answer".to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    alice.call(&answer).unwrap();
    assert!(tell(&mut bob).is_due);
    let only_answers = Fetch {
        answers_to: Some(question),
        ..Fetch::default()
    };
    let mail = bob.call(&only_answers).unwrap().messages;
    bob.ack(mail.iter().map(|m| m.id).collect());
    alice.send("bob", "something else");
    assert!(tell(&mut bob).is_due, "the first notice was of the answer");
}

#[test]
fn a_look_for_one_answer_leaves_the_notice_outstanding() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    let question = bob.send("alice", "question").message_id;
    alice.send("bob", "something else");
    assert!(tell(&mut bob).is_due);
    let only_answers = Fetch {
        answers_to: Some(question),
        ..Fetch::default()
    };
    assert!(bob.call(&only_answers).unwrap().messages.is_empty());
    assert!(!tell(&mut bob).is_due);
}

#[test]
fn leased_mail_is_not_announced_until_its_lease_ends() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    let id = alice.send("bob", "taken and dropped").message_id;
    bob.fetch();
    assert_eq!(tell(&mut bob).waiting, 0);
    let looks = Notice::default();
    assert!(!bob.call(&looks).unwrap().is_due, "nor to one that looks");
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    let nack = Nack {
        message_ids: vec![id],
    };
    bob.call(&nack).unwrap();
    assert!(due(&waits.next().unwrap()), "it was given back");
    bob.fetch();
    house.clock.pass(61);
    assert!(tell(&mut bob).is_due, "the lease has ended");
}

#[test]
fn the_end_of_a_lease_wakes_a_waiting_notice() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    alice.send("bob", "taken and dropped");
    bob.fetch();
    house.clock.pass(59);
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    house.clock.pass(1);
    assert!(due(&waits.next().unwrap()));
}

#[test]
fn a_host_that_has_just_begun_is_told_of_what_another_was_told() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    alice.send("bob", "one");
    assert!(tell(&mut bob).is_due);
    let afresh = Notice {
        tell: true,
        afresh: true,
        ..Notice::default()
    };
    assert!(bob.call(&afresh).unwrap().is_due);
    assert!(!tell(&mut bob).is_due);
}

#[test]
fn one_that_only_looks_hears_of_what_is_newer_and_leaves_the_telling_to_others() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    let first = alice.send("bob", "one").message_id;
    let looks = |newer_than: Option<MessageId>| Notice {
        newer_than,
        ..Notice::default()
    };
    assert!(bob.call(&looks(None)).unwrap().is_due);
    assert!(bob.call(&looks(None)).unwrap().is_due, "nothing is noted");
    assert!(!bob.call(&looks(Some(first))).unwrap().is_due);
    let params = json!({"wait_ms": AN_HOUR, "newer_than": first.to_string()});
    let mut waits = waiting(&house, &bob, &params);
    let second = alice.send("bob", "two").message_id;
    let reply = waits.next().unwrap();
    assert_eq!(reply["result"]["newest"], json!(second));
    assert!(tell(&mut bob).is_due);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let house = House::new();
    let bob = house.register("bob");
    let wrong = [
        json!({"afresh": true}),
        json!({"tell": true, "newer_than": "m.0000000000000"}),
        json!({"wait_ms": -1}),
        json!({"wait_ms": 4_294_967_296_u64}),
    ];
    let mut raw = Raw::of(&house, &bob);
    for params in wrong {
        let reply = raw.ask(1, "notice", &params);
        assert_eq!(code_in(&reply), "malformed", "{params}");
    }
}

#[test]
fn a_wait_for_a_notice_ends_with_its_time_its_session_and_its_daemon() {
    let mut house = House::with_config("[limits]\nwait_s = 1\n");
    let bob = house.register("bob");
    let mut raw = Raw::of(&house, &bob);
    let reply = raw.ask(1, "notice", &json!({"wait_ms": u32::MAX, "tell": true}));
    assert!(!due(&reply), "the longest wait is the limit's");
    std::fs::remove_file(house.data_dir().config()).unwrap();
    house.restart();
    let params = json!({"wait_ms": AN_HOUR, "tell": true});
    let mut bob = house
        .resume(&crate::harness::copy(bob.resume()), "bob", WhenLive::Join)
        .unwrap();
    let mut waits = waiting(&house, &bob, &params);
    bob.call(&Revoke { all: false }).unwrap();
    assert_eq!(code_in(&waits.next().unwrap()), "expired");
    let carol = house.register("carol");
    let waits = waiting(&house, &carol, &params);
    house.stop().unwrap();
    let replies = waits.until_closed();
    assert_eq!(replies[0]["id"], 1);
    assert!(replies.iter().all(|reply| code_in(reply) == "unavailable"));
}

#[test]
fn a_takeover_ends_a_wait_for_a_notice() {
    let house = House::new();
    let bob = house.register("bob");
    let waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    let token = crate::harness::copy(bob.resume());
    drop(house.resume(&token, "bob", WhenLive::TakeOver).unwrap());
    let replies = waits.until_closed();
    assert!(
        replies.iter().all(|reply| code_in(reply) == "taken_over"),
        "{replies:?}"
    );
    assert_eq!(replies[0]["id"], 1);
}

#[test]
fn a_connection_may_wait_eight_times_for_notices_and_fetches_together() {
    let house = House::new();
    let bob = house.register("bob");
    let mut raw = Raw::of(&house, &bob);
    let wait = json!({"wait_ms": AN_HOUR});
    for id in 0..8 {
        raw.call(id, if id % 2 == 0 { "fetch" } else { "notice" }, &wait);
    }
    let reply = raw.ask(8, "notice", &wait);
    assert_eq!(code_in(&reply), "busy");
}

#[test]
fn an_ack_of_all_that_waited_leaves_nothing_to_announce() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    alice.send("bob", "one");
    let ids = bob.fetch().iter().map(|m| m.id).collect();
    bob.call(&Ack {
        message_ids: ids,
        handover: ipc_protocol::message::Handover::Mcp,
    })
    .unwrap();
    house.clock.pass(61);
    assert_eq!(tell(&mut bob).waiting, 0);
}

#[test]
fn mail_that_a_waiting_fetch_takes_is_not_announced() {
    let house = House::new();
    let (mut alice, bob) = two(&house);
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": 500, "tell": true}));
    let mut takes = Raw::of(&house, &bob);
    takes.call(1, "fetch", &json!({"wait_ms": AN_HOUR}));
    assert!(takes.ask(2, "whoami", &json!({}))["error"].is_null());
    alice.send("bob", "taken");
    let mail = takes.next().unwrap();
    assert_eq!(mail["result"]["messages"][0]["text"], "taken");
    let reply = waits.next().unwrap();
    assert_eq!(
        (due(&reply), &reply["result"]["waiting"]),
        (false, &json!(0))
    );
}
