//! A daemon that goes away under a server: the call works all the same, and the result says so.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::{Value, json};

use crate::harness::{Agent, Home, Host, text};

fn kill_daemon(home: &Home) {
    let pid = Pid::from_raw(i32::try_from(home.daemon_pid()).unwrap()).unwrap();
    let daemon = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    poll(&mut [PollFd::new(&daemon, PollFlags::IN)], None).unwrap();
}

fn stop_daemon(home: &Home) {
    home.ok(&["daemon", "stop"]);
}

fn restart_daemon(home: &Home) {
    home.ok(&["daemon", "restart"]);
}

/// How a daemon goes away, and what does it.
type Way = (&'static str, fn(&Home));

const WAYS: [Way; 3] = [
    ("killed", kill_daemon),
    ("stopped", stop_daemon),
    ("restarted", restart_daemon),
];

fn notes(given: &Value) -> String {
    given["notes"].to_string()
}

fn alice(home: &Home) -> Host {
    let mut host = home.host("alice").start();
    assert_eq!(host.name(), "alice");
    host
}

#[test]
fn a_daemon_that_went_away_between_calls_is_found_again_and_the_result_says_so() {
    for (how, take_away) in WAYS {
        let home = Home::new();
        let bob = home.register("bob");
        let mut host = alice(&home);
        bob.send("alice", "kept");
        take_away(&home);
        let given = host.tool("ipc_check", json!({}));
        assert_eq!(text(&given["messages"][0]), "kept", "{how}");
        assert!(notes(&given).contains("connected again"), "{how}: {given}");
        let after = host.tool("ipc_send", json!({"to": "bob", "text": "x"}));
        assert!(after.get("notes").is_none(), "{how}: said once");
        assert_eq!(bob.texts(), ["x"], "{how}");
    }
}

#[test]
fn a_message_sent_when_the_daemon_has_just_gone_is_stored_once() {
    for (how, take_away) in WAYS {
        let home = Home::new();
        let bob = home.register("bob");
        let mut host = alice(&home);
        take_away(&home);
        host.send("bob", "once");
        assert_eq!(bob.texts(), ["once"], "{how}");
    }
}

#[test]
fn a_wait_outlives_its_daemon() {
    for (how, take_away) in WAYS {
        let home = Home::new();
        let bob = home.register("bob");
        let mut host = alice(&home);
        let waiting = host.begin_tool("ipc_check", json!({"wait_s": 240}));
        host.name();
        take_away(&home);
        bob.send("alice", "came after");
        let given = host.called(waiting)["structuredContent"].clone();
        assert_eq!(text(&given["messages"][0]), "came after", "{how}");
    }
}

#[test]
fn an_ended_session_is_replaced_by_the_resume_credential_and_that_is_said() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    bob.send("alice", "kept");
    home.ok(&["--as", "alice", "revoke", "--all"]);
    let given = host.tool("ipc_check", json!({}));
    assert_eq!(text(&given["messages"][0]), "kept");
    assert!(
        notes(&given).contains("registered again as alice"),
        "{given}"
    );
    assert!(Agent::called(&home, "alice").texts().is_empty());
}

#[test]
fn a_wait_outlives_its_session() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    let waiting = host.begin_tool("ipc_check", json!({"wait_s": 240}));
    host.name();
    home.ok(&["--as", "alice", "revoke", "--all"]);
    bob.send("alice", "came after");
    let given = host.called(waiting)["structuredContent"].clone();
    assert_eq!(text(&given["messages"][0]), "came after");
    assert!(
        notes(&given).contains("registered again as alice"),
        "{given}"
    );
}

#[test]
fn mail_whose_acknowledgement_meets_no_daemon_is_offered_again_or_delivered_once() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    for round in 0..3 {
        let body = format!("round {round}");
        bob.send("alice", &body);
        let check = host.begin_tool("ipc_check", json!({}));
        kill_daemon(&home);
        let given = host.called(check)["structuredContent"].clone();
        let mut seen: Vec<_> = given["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(text)
            .collect();
        seen.extend(host.texts());
        // Taken from the daemon that died, it comes back when its lease ends.
        seen.dedup();
        assert!(
            seen.iter().all(|text| *text == body) && seen.len() <= 1,
            "{seen:?}"
        );
    }
}

#[test]
fn a_host_can_be_there_before_any_daemon() {
    let home = Home::new();
    let mut host = home.host("alice").start();
    assert!(!home.data_dir().daemon_lock().exists());
    assert_eq!(host.name(), "alice");
    assert!(home.daemon_pid() > 0);
}
