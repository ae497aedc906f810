//! `ipc watch --exec`: a program for each message, and what becomes of the message when the program
//! fails, is not there, reads nothing, or is stopped.

use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::harness::{Agent, Home, Running};

fn signal(to: &Running, signal: Signal) {
    let pid = i32::try_from(to.pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Where the message that was sent stands.
fn state(sender: &Agent<'_>, id: &str) -> Value {
    sender.json(&["receipts", id])["receipts"][0]["deliveries"][0]["state"].clone()
}

/// The lines up to one that is `last`.
fn lines_until(watch: &mut Running, last: &str) -> Vec<String> {
    let lines = std::iter::repeat_with(|| watch.line().trim_end().to_owned());
    lines.take_while(|line| line != last).collect()
}

/// A watch of alice whose program prints what it was given, in an environment that has our variables already.
fn watch_with_a_tricky_environment(home: &Home) -> Running {
    let line = [
        "--as",
        "alice",
        "watch",
        "--exec",
        "sh",
        "-c",
        "cat; echo; env | grep ^IPC | sort; echo end",
        "$(touch made)",
        "--as",
        "eve",
    ];
    let mut command = home.command(&line);
    command.env(
        "IPC_SHARED_SECRET",
        std::fs::read_to_string(home.data_dir().secret())
            .unwrap()
            .trim_end(),
    );
    command.env("IPC_KIND", "forged").current_dir(home.path());
    Running::start(&mut command)
}

#[test]
fn a_program_gets_the_text_on_standard_input_and_checked_values_in_its_environment() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let asked = bob.send("alice", "a question");
    let id = bob.json(&[
        "send",
        "alice",
        "$(touch made); `id`\nIPC_FROM=root",
        "--kind",
        "request",
        "--reply-to",
        &asked,
    ]);
    let id = id["message_id"].as_str().unwrap().to_owned();
    alice.ok(&["check", "--limit", "1"]);
    let mut watch = watch_with_a_tricky_environment(&home);
    let bob_id = bob.json(&["whoami"])["agent_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let expected = [
        "$(touch made); `id`".to_owned(),
        "IPC_FROM=root".to_owned(),
        format!("IPC_DATA_DIR={}", home.data_dir().root().display()),
        "IPC_FROM=bob".to_owned(),
        format!("IPC_FROM_ID={bob_id}"),
        "IPC_INSTANCE=alice".to_owned(),
        "IPC_KIND=request".to_owned(),
        format!("IPC_MESSAGE_ID={id}"),
        "IPC_REDELIVERED=0".to_owned(),
        format!("IPC_REPLY_TO={asked}"),
    ];
    assert_eq!(lines_until(&mut watch, "end"), expected);
    // The next one comes only once this one is acknowledged, and without what it does not have.
    bob.send("alice", "more");
    let next = lines_until(&mut watch, "end");
    assert!(
        next.contains(&"more".to_owned())
            && !next.iter().any(|line| line.starts_with("IPC_REPLY_TO")),
        "{next:?}"
    );
    assert_eq!(state(&bob, &id), "delivered");
    signal(&watch, Signal::TERM);
    assert_eq!(watch.end().status, 0);
    assert!(!home.path().join("made").exists());
}

#[test]
fn with_json_a_program_gets_the_message_as_one_line() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = alice.start(&["watch", "--json", "--exec", "cat"]);
    bob.ok(&["send", "alice", "two\nlines", "--data", r#"{"n": 1}"#]);
    let line: Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(
        (&line["text"], &line["data"]["n"]),
        (&"two\nlines".into(), &1.into())
    );
    assert_eq!(line["from"]["name"], "bob");
    let text = "x".repeat(300_000);
    let sent = home.run_with_input(&["--as", "bob", "send", "alice", "-"], text.as_bytes());
    assert_eq!(sent.status, 0, "{sent:?}");
    let line: Value = serde_json::from_str(&watch.line()).unwrap();
    assert_eq!(
        (line["text"].as_str().unwrap().len(), &line["truncated"]),
        (300_000, &false.into())
    );
}

#[test]
fn messages_are_worked_on_one_at_a_time_and_in_order() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    for n in 0..5 {
        bob.send("alice", &n.to_string());
    }
    let busy = home.path().join("busy");
    let script = format!(
        "mkdir {0} || echo overlap; cat; echo; rmdir {0}",
        busy.display()
    );
    let mut watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
    let lines: Vec<_> = (0..5).map(|_| watch.line().trim_end().to_owned()).collect();
    assert_eq!(lines, ["0", "1", "2", "3", "4"]);
}

#[test]
fn a_message_whose_program_fails_comes_again_and_nothing_overtakes_it() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let first = bob.send("alice", "first");
    bob.send("alice", "second");
    let script = "echo $IPC_REDELIVERED; cat; echo; exit 7";
    let watch = alice.start(&["watch", "--attempts", "2", "--exec", "sh", "-c", script]);
    let said = watch.end();
    assert_eq!(said.out, "0\nfirst\n1\nfirst\n");
    said.refused(
        1,
        &[
            "warning: sh did not take",
            &first,
            "exit status: 7",
            "given up after attempt 2",
            "the mail stays new",
        ],
    );
    assert_eq!(alice.texts(), ["first", "second"]);
}

#[test]
fn a_program_that_mends_itself_gets_the_message_again() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mark = home.path().join("mark");
    let script = format!(
        "test -e {0} || {{ touch {0}; kill -9 $$; }}; cat; echo",
        mark.display()
    );
    let mut watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
    let id = bob.send("alice", "stubborn");
    assert_eq!(watch.line(), "stubborn\n");
    bob.send("alice", "next");
    assert_eq!(watch.line(), "next\n");
    assert_eq!(state(&bob, &id), "delivered");
}

#[test]
fn a_program_that_is_not_there_is_refused_before_mail_is_taken() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let id = bob.send("alice", "waits");
    let plain = home.path().join("plain");
    std::fs::write(&plain, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&plain, PermissionsExt::from_mode(0o600)).unwrap();
    for program in [
        "no-such-program",
        "/no/such/program",
        plain.to_str().unwrap(),
        "/",
        "",
        "sh -c true",
    ] {
        let said = alice.run(&["watch", "--exec", program]);
        said.refused(2, &["there is no program", "no mail was taken"]);
    }
    alice.run(&["watch", "--exec"]).refused(2, &["--exec"]);
    alice
        .run(&["watch", "--notices", "--exec", "true"])
        .refused(2, &["--notices"]);
    alice
        .run(&["watch", "--attempts", "2"])
        .refused(2, &["--exec"]);
    assert_eq!(state(&bob, &id), "stored");
}

#[test]
fn a_program_that_cannot_be_started_has_failed() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let broken = home.path().join("broken");
    std::fs::write(&broken, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&broken, PermissionsExt::from_mode(0o700)).unwrap();
    bob.send("alice", "waits");
    let said = alice.run(&[
        "watch",
        "--attempts",
        "1",
        "--exec",
        broken.to_str().unwrap(),
    ]);
    said.refused(1, &["running it", "the mail stays new"]);
    assert_eq!(alice.texts(), ["waits"]);
}

#[test]
fn a_program_that_reads_nothing_holds_nobody_up() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let text = "x".repeat(1_000_000);
    for _ in 0..2 {
        let sent = home.run_with_input(&["--as", "bob", "send", "alice", "-"], text.as_bytes());
        assert_eq!(sent.status, 0, "{sent:?}");
    }
    let once = alice.run(&["watch", "--wait=1ms", "--exec", "true"]);
    assert_eq!((once.status, once.err.as_str()), (5, ""));
    bob.send("alice", "end");
    let whole = home.run_with_input(&["--as", "bob", "send", "alice", "-"], text.as_bytes());
    assert_eq!(whole.status, 0, "{whole:?}");
    let mut watch = alice.start(&["watch", "--exec", "wc", "-c"]);
    assert_eq!((watch.line().trim(), watch.line().trim()), ("3", "1000000"));
}

/// Something that goes on in the background, and says itself that it has begun: between a shell's
/// fork and what it executes there, a signal would be taken by a handler of the shell, and lost.
const BACKGROUND: &str = "sh -c 'echo begun; exec sleep 1000' &";

#[test]
fn a_signal_ends_the_program_with_all_that_it_started_and_gives_the_message_back() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    for word in [Signal::TERM, Signal::INT, Signal::HUP] {
        bob.send("alice", "half done");
        let script = format!("{BACKGROUND} wait");
        let mut watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
        assert_eq!(watch.line(), "begun\n");
        signal(&watch, word);
        // Its output ends when nobody is left who could write to it.
        let said = watch.end();
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{word:?}");
        assert_eq!(alice.texts(), ["half done"]);
    }
}

#[test]
fn a_program_that_ends_well_when_it_is_told_to_has_done_its_work() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let id = bob.send("alice", "nearly done");
    let script = format!("trap 'echo done; exit 0' TERM; {BACKGROUND} wait");
    let mut watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
    assert_eq!(watch.line(), "begun\n");
    signal(&watch, Signal::TERM);
    let said = watch.end();
    assert_eq!((said.status, said.out.as_str()), (0, "done\n"));
    assert_eq!(state(&bob, &id), "delivered");
}

#[test]
fn a_signal_ends_it_while_it_waits_for_mail_or_for_the_daemon() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = alice.start(&["watch", "--exec", "cat"]);
    bob.send("alice", "begun\n");
    assert_eq!(watch.line(), "begun\n");
    home.ok(&["daemon", "stop"]);
    signal(&watch, Signal::TERM);
    assert_eq!(watch.end().status, 0);
}

#[test]
fn a_restart_of_the_daemon_during_the_work_loses_and_doubles_nothing() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let pipe = home.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let script = format!(
        "cat; echo; test $IPC_KIND = request || read go < {}",
        pipe.display()
    );
    let mut watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
    let id = bob.send("alice", "long work");
    assert_eq!(watch.line(), "long work\n");
    home.ok(&["daemon", "restart"]);
    std::fs::write(&pipe, "go\n").unwrap();
    bob.ok(&["send", "alice", "next", "--kind", "request"]);
    assert_eq!(watch.line(), "next\n");
    assert_eq!(state(&bob, &id), "delivered");
}

#[test]
fn a_program_can_answer_as_the_agent() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let program = crate::harness::program();
    let script = format!(
        "{} -q reply \"$IPC_MESSAGE_ID\" \"hello $IPC_FROM\"",
        program.display()
    );
    let _watch = alice.start(&["watch", "--exec", "sh", "-c", &script]);
    let answer = bob.ok(&["send", "alice", "hi", "--wait=1m"]);
    assert!(answer.contains("hello bob"), "{answer}");
}

#[test]
fn a_notice_of_the_daemon_is_a_sentence_from_nobody() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = alice.start(&[
        "watch",
        "--exec",
        "sh",
        "-c",
        "echo \"$IPC_KIND ${IPC_FROM-nobody}\"; cat; echo",
    ]);
    bob.ok(&["rename", "carol"]);
    assert_eq!(watch.line(), "system nobody\n");
    assert_eq!(
        watch.line(),
        "bob is called carol now; mail to bob is forwarded for 2 hours\n"
    );
}
