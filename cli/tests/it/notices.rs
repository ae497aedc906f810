//! `ipc watch --notices` and `ipc auto-check`: told of mail, reminded, and left alone.

use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Home, Running};

/// In every body here: no notice may hold it.
const CANARY: &str = "CANARY-of-a-body";

const SENTENCE: &str =
    "ipc: 1 new message for bob, from alice. Call the tool ipc_check to read it.\n";

fn signal(to: &Running, signal: Signal) {
    let pid = i32::try_from(to.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

#[test]
fn a_watch_for_notices_prints_a_sentence_each_time_and_takes_nothing() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = bob.start(&["watch", "--notices"]);
    alice.send("bob", CANARY);
    assert_eq!(watch.line(), SENTENCE);
    assert_eq!(bob.texts(), [CANARY]);
    home.ok(&["daemon", "restart"]);
    alice.send("bob", CANARY);
    assert_eq!(watch.line(), SENTENCE, "it outlives the daemon");
    assert_eq!(bob.texts(), [CANARY]);
    watch.kill();
    let mut watch = bob.start(&["watch", "--notices", "--json", "--cli"]);
    alice.send("bob", CANARY);
    let line = watch.line();
    assert!(!line.contains(CANARY), "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["waiting"], &line["senders"][0]),
        (&1.into(), &"alice".into())
    );
    assert!(line["sentence"].as_str().unwrap().contains("`ipc check`"));
}

#[test]
fn a_watch_for_notices_waits_for_its_agent_to_be_registered() {
    let home = Home::new();
    let alice = home.register("alice");
    let mut watch = home.start(&["--as", "bob", "watch", "--notices"]);
    alice.send("bob", CANARY);
    home.register("bob");
    assert_eq!(watch.line(), SENTENCE);
}

#[test]
fn a_watch_for_notices_ends_when_nobody_reads_it() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut command = home.command(&["--as", "bob", "watch", "--notices"]);
    command.stdout(std::process::Stdio::piped());
    let mut watch = command.spawn().unwrap();
    drop(watch.stdout.take());
    assert!(watch.wait().unwrap().success());
    let unread = home.command(&["--as", "nobody", "watch", "--notices"]);
    let mut unread = { unread }
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(unread.stdout.take());
    assert!(unread.wait().unwrap().success(), "not registered either");
    bob.ok(&["check"]);
}

#[test]
fn a_takeover_ends_a_watch_for_notices() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = bob.start(&["watch", "--notices"]);
    alice.send("bob", CANARY);
    assert_eq!(watch.line(), SENTENCE);
    home.ok(&["register", "bob", "--takeover"]);
    watch.end().refused(1, &["--takeover"]);
}

#[test]
fn a_notice_is_queued_to_a_thread_of_codex_as_one_word() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let program = home.path().join("codex");
    let said = home.path().join("said");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >> {0}.new\nmv {0}.new {0}\nexit 3\n",
        said.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    let line = [
        "--as",
        "bob",
        "watch",
        "--notices",
        "--queue-codex",
        "0199-ab_c",
    ];
    let mut command = home.command(&line);
    let path = format!("{}:/usr/bin:/bin", home.path().display());
    let mut watch = Running::start(command.env("PATH", path));
    alice.send("bob", CANARY);
    while !said.exists() {
        std::thread::yield_now();
    }
    let expected = format!("queue\n--thread\n0199-ab_c\n--message\n{SENTENCE}");
    assert_eq!(std::fs::read_to_string(&said).unwrap(), expected);
    assert_eq!(bob.texts(), [CANARY]);
    std::fs::remove_file(&said).unwrap();
    alice.send("bob", CANARY);
    while !said.exists() {
        std::thread::yield_now();
    }
    signal(&watch, Signal::TERM);
    let mut err = String::new();
    std::io::Read::read_to_string(&mut watch.errors(), &mut err).unwrap();
    assert!(
        err.starts_with("warning: codex queue: exit status: 3"),
        "{err}"
    );
    for wrong in ["", "a b", "-x", "../x", "$(x)", &"x".repeat(129)] {
        bob.run(&["watch", "--notices", "--queue-codex", wrong])
            .refused(2, &[]);
    }
}

#[test]
fn auto_check_is_chosen_shown_and_stopped() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    assert_eq!(bob.json(&["auto-check", "status"])["mode"], "arrival");
    let said = bob.ok(&["auto-check", "start"]);
    assert_eq!(
        said,
        "bob is told when mail comes, and reminded every 5 minutes\n"
    );
    bob.ok(&["auto-check", "start", "7"]);
    alice.send("bob", CANARY);
    let shown = bob.json(&["auto-check", "status"]);
    assert_eq!(
        (&shown["mode"], &shown["minutes"]),
        (&"every".into(), &7.into())
    );
    assert!(
        shown["started"].is_string() && shown["next"].is_string(),
        "{shown}"
    );
    assert!(
        bob.ok(&["auto-check", "status"])
            .contains("every 7 minutes")
    );
    assert_eq!(bob.ok(&["auto-check", "stop"]), "bob is told of no mail\n");
    for wrong in ["0", "61", "x"] {
        bob.run(&["auto-check", "start", wrong])
            .refused(2, &[wrong]);
    }
}

#[test]
fn a_loop_prints_what_comes_and_is_silent_otherwise() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut running = bob.start(&["auto-check", "run", "--every=100ms", "--json"]);
    for text in ["first", "second"] {
        alice.send("bob", text);
        let line: Value = serde_json::from_str(&running.line()).unwrap();
        assert_eq!(line["messages"][0]["text"], text);
    }
    while alice.json(&["receipts"])["receipts"][0]["deliveries"][0]["state"] != "delivered" {}
    signal(&running, Signal::TERM);
    let ended = running.end();
    assert_eq!(
        (ended.status, ended.out.as_str(), ended.err.as_str()),
        (0, "", "")
    );
}

#[test]
fn a_loop_ends_at_once_with_each_signal_and_with_a_stop() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    for end in [Signal::INT, Signal::TERM, Signal::HUP] {
        alice.send("bob", "it runs");
        let mut running = bob.start(&["auto-check", "run"]);
        assert!(running.line().contains("alice"));
        signal(&running, end);
        assert_eq!(running.end().status, 0, "{end:?}");
        // If the signal came before the acknowledgement, the message is there once more.
        bob.texts();
    }
    alice.send("bob", "it runs");
    let mut running = bob.start(&["auto-check", "run", "--every=1h"]);
    assert!(running.line().contains("alice"));
    bob.ok(&["auto-check", "stop"]);
    let ended = running.end();
    assert_eq!(ended.status, 0, "{ended:?}");
    assert!(ended.err.contains("stopped"), "{ended:?}");
    let again = bob.run(&["auto-check", "run"]);
    assert_eq!(again.status, 0);
    assert!(again.err.contains("ipc auto-check start"), "{again:?}");
}

#[test]
fn a_loop_outlives_the_daemon_and_says_so_once() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", "before");
    let mut running = bob.start(&["auto-check", "run", "--every=100ms", "--json"]);
    assert!(running.line().contains("before"));
    let mut errors = running.errors();
    home.ok(&["daemon", "stop"]);
    let mut said = String::new();
    std::io::BufRead::read_line(&mut errors, &mut said).unwrap();
    assert!(said.contains("trying again"), "{said}");
    home.ok(&["daemon", "start"]);
    said.clear();
    std::io::BufRead::read_line(&mut errors, &mut said).unwrap();
    assert_eq!(said, "the daemon is back\n");
    alice.send("bob", "after");
    assert!(running.line().contains("after"));
}
