//! Asking and answering, pings, and mail of one sender, as people and scripts do it.

use serde_json::Value;

use crate::harness::{Home, Said};

fn shown(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
}

fn texts(answers: &Value) -> Vec<&str> {
    let answers = answers.as_array().unwrap();
    answers
        .iter()
        .map(|answer| answer["text"].as_str().unwrap())
        .collect()
}

#[test]
fn what_is_no_sender_or_no_kind_is_refused_before_or_by_the_daemon() {
    let home = Home::new();
    let alice = home.register("alice");
    home.register("bob");
    let refused = alice.run(&["check", "--from", "bop", "--json"]);
    refused.refused(1, &[]);
    assert_eq!(refused.error()["code"], "unknown_recipient");
    alice
        .run(&["check", "--from", "bo/b"])
        .refused(2, &["bo/b"]);
    alice
        .run(&["check", "--kind", "molten"])
        .refused(2, &["molten"]);
    alice
        .run(&["watch", "--notices", "--from", "bob"])
        .refused(2, &["--from"]);
    alice.run(&["send", "bob"]).refused(2, &["no text"]);
    for kind in ["ack", "response", "task_accept"] {
        let refused = alice.run(&["send", "bob", "x", "--kind", kind, "--json"]);
        refused.refused(1, &[]);
        assert_eq!(refused.error()["code"], "malformed", "{kind}");
    }
}

#[test]
fn a_question_is_answered_bit_by_bit_and_the_wait_ends_with_the_last() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let asking = alice.start(&["send", "bob", "how long?", "--wait=1m", "--json"]);
    assert!(bob.ok(&["check", "--wait=1m"]).contains("how long?"));
    bob.ok(&["reply", "--interim", "counting"]);
    bob.ok(&["reply", "three days"]);
    let said = asking.end();
    assert_eq!(said.status, 0, "{}", said.err);
    let told = shown(&said);
    assert_eq!(texts(&told["answers"]), ["counting", "three days"]);
    assert_eq!(told["answers"][0]["interim"], true);
    assert_eq!(told["ended"], "answered");
    let receipts = alice.json(&["receipts"]);
    let answered_by = &receipts["receipts"][0]["deliveries"][0]["answered_by"];
    assert_eq!(*answered_by, told["answers"][1]["id"]);
    assert!(alice.texts().is_empty(), "all of it was taken");
}

#[test]
fn an_interim_answer_is_printed_as_it_comes() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut asking = alice.start(&["send", "bob", "how long?", "--wait=1m"]);
    bob.ok(&["check", "--wait=1m"]);
    bob.ok(&["reply", "--interim", "counting"]);
    assert!(asking.line().contains("begins to answer"));
    assert_eq!(asking.line(), "    counting\n");
    bob.ok(&["reply", "three days"]);
    let said = asking.end();
    assert!(said.out.contains("    three days\n"), "{}", said.out);
    assert_eq!(said.status, 0);
}

#[test]
fn everybody_is_asked_and_waited_for() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let carol = home.register("carol");
    let asking = alice.start(&["send", "all", "who is free?", "--wait=1m", "--json"]);
    for (agent, text) in [(bob, "bob is"), (carol, "carol is not")] {
        agent.ok(&["check", "--wait=1m"]);
        agent.ok(&["reply", text]);
    }
    let told = shown(&asking.end());
    assert_eq!(texts(&told["answers"]), ["bob is", "carol is not"]);
    assert_eq!(told["ended"], "answered");
}

#[test]
fn a_wait_says_whether_time_ended_it_or_the_other_side_or_the_daemon() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let said = alice.run(&["send", "bob", "anybody?", "--wait=50ms", "--json"]);
    assert_eq!(
        (said.status, &shown(&said)["ended"]),
        (5, &"timed_out".into())
    );
    let asking = alice.start(&["send", "bob", "are you there?", "--wait=1m", "--json"]);
    bob.ok(&["check", "--wait=1m", "--limit", "100"]);
    bob.ok(&["unregister"]);
    let said = asking.end();
    assert_eq!(
        (said.status, &shown(&said)["ended"]),
        (5, &"recipient_gone".into())
    );
    let bob = home.register("bob");
    let asking = alice.start(&["send", "bob", "and the daemon?", "--wait=5s", "--json"]);
    bob.ok(&["check", "--wait=1m"]);
    home.ok(&["daemon", "stop"]);
    let said = asking.end();
    assert_eq!(
        (said.status, &shown(&said)["ended"]),
        (3, &"shutting_down".into())
    );
}

#[test]
fn a_ping_is_answered_by_whoever_waits_and_shown_to_nobody() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = bob.start(&["watch", "--json"]);
    let said = alice.ok(&["send", "bob", "--kind", "ping", "--wait=1m"]);
    assert!(said.contains("bob is there: answered in "), "{said}");
    let told = alice.json(&["send", "bob", "--kind", "ping", "--wait=1m"]);
    assert_eq!(told["ended"], "answered");
    assert!(told["round_trip_ms"].as_i64().is_some());
    alice.send("bob", "mail");
    let first: Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(first["text"], "mail", "no ping came before it");
    watch.kill();
    let said = alice.run(&["send", "bob", "--kind", "ping", "--wait=50ms"]);
    assert_eq!(said.status, 5);
    assert!(
        said.err.contains("nothing there answers pings"),
        "{}",
        said.err
    );
    assert!(bob.texts().is_empty());
}

#[test]
fn mail_of_one_sender_is_read_from_among_the_rest() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let carol = home.register("carol");
    bob.send("alice", "from bob");
    let waiting = alice.start(&["check", "--from", "carol", "--wait=1m", "--json"]);
    carol.send("alice", "from carol");
    let told = shown(&waiting.end());
    assert_eq!(texts(&told["messages"]), ["from carol"]);
    assert_eq!(told["waiting"], 1);
    assert_eq!(alice.texts(), ["from bob"]);
}
