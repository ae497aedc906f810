//! Commands that wait while the daemon is stopped: it was stopped on purpose, and stays so.

use std::io::BufRead;

use serde_json::Value;

use crate::harness::{Agent, Home, Running};

/// What a command that waits says once it has heard that the daemon stops.
const STOPPED: &str = "the daemon stopped; waiting until it runs again\n";

/// Returns when `agent`, who waits, has a connection: somebody answers a ping sent to him.
fn await_waiting(other: Agent<'_>, agent: &str) {
    other.ok(&["send", agent, "--kind", "ping", "--wait=1m"]);
}

/// Returns when `waiting` has heard that the daemon stops.
fn await_word(waiting: &mut Running) {
    let mut said = String::new();
    waiting.errors().read_line(&mut said).unwrap();
    assert_eq!(said, STOPPED);
}

fn is_started_by_us(home: &Home) -> bool {
    home.json(&["daemon", "start"])["started"] == true
}

#[test]
fn a_check_that_waits_leaves_a_stopped_daemon_stopped_and_gets_its_mail_from_the_next() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut waiting = bob.start(&["check", "--wait=1m", "--json"]);
    await_waiting(alice, "bob");
    home.ok(&["admin", "backup"]);
    home.ok(&["daemon", "stop"]);
    await_word(&mut waiting);
    home.ok(&["admin", "restore"]);
    assert!(is_started_by_us(&home));
    alice.send("bob", "after the restore");
    let fetched: Value = serde_json::from_str(&waiting.line()).unwrap();
    assert_eq!(fetched["messages"][0]["text"], "after the restore");
}

#[test]
fn a_question_that_waits_leaves_a_stopped_daemon_stopped_and_gets_its_answer_from_the_next() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut asking = alice.start(&["send", "bob", "and now?", "--wait=1m", "--json"]);
    await_waiting(bob, "alice");
    home.ok(&["admin", "backup"]);
    home.ok(&["daemon", "stop"]);
    await_word(&mut asking);
    home.ok(&["admin", "restore"]);
    assert!(is_started_by_us(&home));
    assert_eq!(bob.texts(), ["and now?"]);
    bob.ok(&["reply", "it goes on"]);
    let told: Value = serde_json::from_str(&asking.line()).unwrap();
    assert_eq!(told["answers"][0]["text"], "it goes on");
    assert_eq!(told["ended"], "answered");
}

#[test]
fn a_wait_that_ends_while_the_daemon_is_stopped_says_so_and_no_daemon_runs() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let checking = bob.start(&["check", "--wait=15s"]);
    await_waiting(alice, "bob");
    home.ok(&["daemon", "stop"]);
    let said = checking.end();
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.err.contains("hint: `ipc daemon start`"), "{said:?}");
    assert!(is_started_by_us(&home));
}

#[test]
fn a_question_that_ends_while_the_daemon_is_stopped_keeps_its_answers_new_and_no_daemon_runs() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let asking = alice.start(&["send", "bob", "how long?", "--wait=20s", "--json"]);
    bob.ok(&["check", "--wait=1m"]);
    bob.ok(&["reply", "--interim", "counting"]);
    await_waiting(bob, "alice");
    home.ok(&["daemon", "stop"]);
    let said = asking.end();
    assert_eq!(said.status, 3, "{said:?}");
    assert!(said.err.contains("the message is stored"), "{said:?}");
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["ended"], "shutting_down");
    assert_eq!(told["answers"][0]["text"], "counting");
    assert!(is_started_by_us(&home));
}
