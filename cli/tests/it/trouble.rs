//! When things break: closed pipes, dead and frozen daemons, wrong secrets. Nothing is lost, and
//! nothing that is secret gets out.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use ipc_protocol::private;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use serde_json::Value;

use crate::harness::{Agent, Home, Said, after};

const CANARY: &str = "canary-of-the-shared-secret-31c0";
const BODY: &str = "canary-of-a-private-text-b52f";

fn daemon(home: &Home) -> Pid {
    Pid::from_raw(i32::try_from(home.daemon_pid()).unwrap()).unwrap()
}

/// Kills the daemon and waits until it is gone.
fn crash(home: &Home) {
    let pid = daemon(home);
    let handle = pidfd_open(pid, PidfdFlags::empty()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    poll(&mut [PollFd::new(&handle, PollFlags::IN)], None).unwrap();
}

fn ends(mut command: Command, stdout: Stdio) -> Said {
    Said::of(
        &command
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap(),
    )
}

#[test]
fn mail_that_standard_output_did_not_take_is_offered_again() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", "do not lose this");
    let check = ["--as", "bob", "check"];
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let said = ends(home.command(&check), writer.into());
    said.refused(1, &["writing to standard output", "the mail stays new"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    ends(home.command(&check), full.into()).refused(1, &["writing to standard output"]);
    let json = [&check[..], &["--json"]].concat();
    let full = File::options().write(true).open("/dev/full").unwrap();
    ends(home.command(&json), full.into()).refused(1, &["exit_status\":1"]);
    let closed = after("os.close(1)", &home, &check)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    Said::of(&closed).refused(1, &["standard output is closed; no mail was taken"]);
    let state = &alice.json(&["receipts"])["receipts"][0]["deliveries"][0];
    assert_ne!(state["state"], "delivered");
    let again = bob.ok(&["check"]);
    assert!(
        again.contains("do not lose this") && again.contains("(redelivered)"),
        "{again}"
    );
    assert!(bob.ok(&["check"]).contains("no new mail"));
}

#[test]
fn mail_of_which_a_reader_saw_only_the_beginning_is_offered_again_whole() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", &"long ".repeat(2_000));
    alice.send("bob", "and short");
    let (mut reader, writer) = std::io::pipe().unwrap();
    fcntl_setpipe_size(&writer, 4_096).unwrap();
    let mut check = home.command(&["--as", "bob", "check"]);
    let check = check.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let mut beginning = [0; 20];
    reader.read_exact(&mut beginning).unwrap();
    assert!(beginning.starts_with(b"alice"));
    drop(reader);
    Said::of(&check.wait_with_output().unwrap()).refused(1, &["the mail stays new"]);
    assert_eq!(bob.texts(), ["long ".repeat(2_000), "and short".to_owned()]);
}

#[test]
fn an_answer_that_standard_output_did_not_take_is_offered_again() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut asking = home.command(&["--as", "alice", "send", "bob", "well?", "--wait=1m"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let asking = asking.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    bob.ok(&["check", "--wait=1m"]);
    bob.ok(&["reply", "an answer"]);
    let said = Said::of(&asking.wait_with_output().unwrap());
    said.refused(1, &["the mail stays new"]);
    assert_eq!(alice.texts(), ["an answer"]);
}

#[test]
fn a_watch_whose_reader_is_gone_ends_and_gives_the_mail_back() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut watch = home.command(&["--as", "bob", "watch"]);
    let watch = watch.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    alice.send("bob", "anybody?");
    Said::of(&watch.wait_with_output().unwrap()).refused(1, &["the mail stays new"]);
    assert_eq!(bob.texts(), ["anybody?"]);
}

#[test]
fn a_stopped_daemon_is_said_to_be_silent_in_the_end() {
    let home = Home::new();
    let alice = home.register("alice");
    kill_process(daemon(&home), Signal::STOP).unwrap();
    let said = alice.run(&["send", "bob", "x"]);
    kill_process(daemon(&home), Signal::CONT).unwrap();
    said.refused(3, &["did not answer within 15 s", "ipc daemon restart"]);
    assert!(
        alice.ok(&["check"]).contains("no new mail"),
        "and then it is there again"
    );
}

#[test]
fn a_check_that_waits_outlives_the_crash_of_its_daemon() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let waiting = bob.start(&["check", "--wait=1m", "--json"]);
    alice.send("carol", "stored before the crash");
    crash(&home);
    alice.send("bob", "after the crash");
    let said = waiting.end();
    assert_eq!(said.status, 0, "{said:?}");
    let fetched: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(fetched["messages"][0]["text"], "after the crash");
    let carol = home.register("carol");
    assert_eq!(carol.texts(), ["stored before the crash"]);
}

#[test]
fn a_check_that_waits_outlives_a_restart_of_the_daemon() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let waiting = bob.start(&["check", "--wait=1m", "--json"]);
    home.ok(&["daemon", "restart"]);
    alice.send("bob", "after the restart");
    let said = waiting.end();
    assert_eq!(said.status, 0, "{said:?}");
    let fetched: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(fetched["messages"][0]["text"], "after the restart");
}

#[test]
fn a_watch_outlives_a_restart_of_the_daemon() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let mut watch = bob.start(&["watch", "--json"]);
    for text in ["before", "after a restart", "after a crash"] {
        alice.send("bob", text);
        let line: Value = serde_json::from_str(&watch.line()).unwrap();
        assert_eq!(line["text"], text);
        match text {
            "before" => drop(home.ok(&["daemon", "restart"])),
            _ => crash(&home),
        }
        home.ok(&["daemon", "start"]);
    }
    watch.kill();
}

#[test]
fn a_wrong_or_impossible_secret_is_said_with_what_helps() {
    let home = Home::new();
    home.ok(&["daemon", "start"]);
    let with = |secret: &str, line: &[&str]| {
        let mut command = home.command(line);
        Said::of(&command.env("IPC_SHARED_SECRET", secret).output().unwrap())
    };
    let wrong = with("not the secret of this place", &["register", "alice"]);
    wrong.refused(
        1,
        &[
            "the proof is wrong",
            "IPC_SHARED_SECRET",
            "ipc admin rotate-secret",
        ],
    );
    with("short", &["register", "alice"]).refused(2, &["shorter than 8 bytes", "hint: "]);
    with(&"x".repeat(1_025), &["list"]).refused(2, &["longer than 1024 bytes"]);
    home.ok(&["register", "alice"]);
    assert_eq!(
        with("not the secret of this place", &["--as", "alice", "check"]).status,
        0
    );
    std::fs::remove_file(home.data_dir().secret()).unwrap();
    home.run(&["register", "bob"])
        .refused(2, &["no shared secret", "set IPC_SHARED_SECRET"]);
    home.ok(&["--as", "alice", "check"]);
    home.ok(&["daemon", "restart"]);
    assert!(
        !home.data_dir().secret().exists(),
        "a used deployment never makes a second one"
    );
    private::write_file(&home.data_dir().secret(), b"short").unwrap();
    home.run(&["register", "bob"])
        .refused(2, &["shorter than 8 bytes", "secret"]);
}

#[test]
fn a_short_secret_is_warned_of() {
    let home = Home::new();
    let mut command = home.command(&["register", "alice"]);
    let said = Said::of(
        &command
            .env("IPC_SHARED_SECRET", "only-12-byte")
            .output()
            .unwrap(),
    );
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        said.err.contains("warning: ") && said.err.contains("rotate-secret"),
        "{said:?}"
    );
}

#[test]
fn a_changed_secret_closes_enrolment_not_the_mail_and_a_rotation_heals_it() {
    let home = Home::new();
    let mut first = home.command(&["register", "alice"]);
    let first = first
        .env("IPC_SHARED_SECRET", "the first secret, long")
        .output();
    assert_eq!(Said::of(&first.unwrap()).status, 0);
    let alice = Agent::called(&home, "alice");
    home.ok(&["daemon", "stop"]);
    let with_new = |line: &[&str]| {
        let mut command = home.command(line);
        Said::of(
            &command
                .env("IPC_SHARED_SECRET", "the second secret, long")
                .output()
                .unwrap(),
        )
    };
    assert_eq!(with_new(&["daemon", "start"]).status, 0);
    // The comparison is slow and happens beside everything else.
    while alice.json(&["status"])["enrolment"] != "secret_changed" {}
    assert!(alice.ok(&["status"]).contains("ipc admin rotate-secret"));
    let refused = with_new(&["--json", "register", "bob"]);
    refused.refused(1, &["rotate-secret"]);
    assert_eq!(refused.error()["code"], "secret_changed");
    alice.send("alice", "mail goes on");
    assert_eq!(alice.texts(), ["mail goes on"]);
    let rotated = with_new(&["admin", "rotate-secret"]);
    assert_eq!(rotated.status, 0, "{rotated:?}");
    assert_eq!(
        std::fs::read(home.data_dir().secret()).unwrap(),
        b"the second secret, long"
    );
    assert_eq!(with_new(&["register", "bob"]).status, 0);
    assert_eq!(alice.json(&["status"])["enrolment"], "open");
}

/// A command of every kind.
const EVERYTHING: [&[&str]; 24] = [
    &["register", "alice"],
    &["register", "bob"],
    &["--as", "alice", "send", "bob", BODY],
    &["--as", "bob", "check", "--peek", "--limit", "1"],
    &["--as", "bob", "check"],
    &["--as", "bob", "reply", BODY],
    &["--as", "alice", "forward", "carol"],
    &["--as", "alice", "broadcast", BODY],
    &["--as", "alice", "receipts"],
    &["--as", "alice", "dead-letters"],
    &["--as", "alice", "rename", "alicia"],
    &["--as", "alice", "whoami"],
    &["--as", "alice", "renew"],
    &["--as", "alice", "revoke"],
    &["--as", "alice", "offline"],
    &["list"],
    &["status"],
    &["status", "--metrics"],
    &["quickstart"],
    &["admin", "backup"],
    &["admin", "revoke", "bob"],
    &["admin", "release", "bob"],
    &["--as", "alicia", "unregister"],
    &["daemon", "restart"],
];

#[test]
fn neither_the_secret_nor_a_text_is_anywhere_but_where_it_belongs() {
    let home = Home::new();
    let mut said = String::new();
    for line in EVERYTHING {
        let mut command = home.command(line);
        command
            .env("IPC_SHARED_SECRET", CANARY)
            .env("IPC_LOG", "trace");
        let Said { out, err, .. } = Said::of(&command.output().unwrap());
        said.extend([out, err]);
    }
    home.ok(&["daemon", "stop"]);
    assert!(!said.contains(CANARY), "{said}");
    let shown = said.matches(BODY).count();
    assert_eq!(
        shown, 2,
        "looked at and taken, and else in no output: {said}"
    );
    let secret = home.data_dir().secret();
    for path in home.files() {
        let bytes = std::fs::read(&path).unwrap();
        let holds = |canary: &str| bytes.windows(canary.len()).any(|w| w == canary.as_bytes());
        assert_eq!(holds(CANARY), path == secret, "{}", path.display());
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_store = name.starts_with("messages");
        assert!(!holds(BODY) || is_store, "{}", path.display());
    }
    let log = std::fs::read_to_string(home.data_dir().log()).unwrap();
    assert!(
        log.contains("\"ready\"") && log.contains("revoked"),
        "{log}"
    );
    for token in ["ipcs_", "ipcr_"] {
        assert!(
            !log.contains(token) && !said.contains(token),
            "a token is shown"
        );
    }
}
