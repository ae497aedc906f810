//! Hooks of agents' hosts: each event's own JSON in, the host's shape or nothing out, and never a
//! word of a message.

mod expected;

use std::process::Stdio;
use std::time::{Duration, Instant};

use ipc_protocol::process;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::harness::{Home, Running, Said};

/// In every body here: no output may hold it.
const CANARY: &str = "CANARY-of-a-body";

/// Runs the hook of bob's host at `event` with this JSON.
fn hook(home: &Home, words: &[&str], input: &str) -> Said {
    let line = [&["--as", "bob", "hook"], words].concat();
    let said = home.run_with_input(&line, input.as_bytes());
    assert!(!said.out.contains(CANARY) && !said.err.contains(CANARY));
    said
}

/// The same; it must have said nothing and ended well.
fn silent(home: &Home, words: &[&str], input: &str) {
    let said = hook(home, words, input);
    assert_eq!(
        (said.status, said.out.as_str(), said.err.as_str()),
        (0, "", ""),
        "{words:?}"
    );
}

/// What the hosts send at an event, with what they put beside what matters.
fn sent(event: &str) -> String {
    json!({
        "session_id": "5f1d", "transcript_path": "/t.jsonl", "cwd": "/", "hook_event_name": event,
        "permission_mode": "default", "prompt": "PROMPT", "prompt_response": "RESPONSE",
        "source": "startup", "tool_name": "Bash", "tool_input": {"command": "ls"},
        "tool_response": {"stdout": "x".repeat(200_000)}, "timestamp": "2026-11-21T00:00:00Z",
        "stop_hook_active": false, "reason": "other",
    })
    .to_string()
}

const SENTENCE: &str =
    "ipc: 1 new message for bob, from alice. Call the tool ipc_check to read it.";

#[test]
fn every_event_that_can_tell_does_in_its_hosts_shape() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let told = [
        (
            "claude",
            ["SessionStart", "UserPromptSubmit", "PostToolUse"],
        ),
        ("codex", ["SessionStart", "UserPromptSubmit", "PostToolUse"]),
        ("gemini", ["SessionStart", "BeforeAgent", "AfterTool"]),
    ];
    for (host, event) in told.iter().flat_map(|(h, es)| es.map(|e| (*h, e))) {
        alice.send("bob", CANARY);
        let said = hook(&home, &[host, event], &sent(event));
        let answer: Value = serde_json::from_str(&said.out).unwrap();
        let expected = json!({"hookSpecificOutput":
            {"hookEventName": event, "additionalContext": SENTENCE}});
        assert_eq!((answer, said.status), (expected, 0), "{host} {event}");
        bob.texts();
    }
    for (host, event, decision) in [
        ("claude", "Stop", "block"),
        ("codex", "Stop", "block"),
        ("gemini", "AfterAgent", "deny"),
    ] {
        alice.send("bob", CANARY);
        let said = hook(&home, &[host, event], &sent(event));
        let answer: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(answer, json!({"decision": decision, "reason": SENTENCE}));
        bob.texts();
    }
}

#[test]
fn an_agent_is_told_once_and_not_of_what_it_has_read() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    silent(&home, &["claude", "PostToolUse"], "{}");
    alice.send("bob", CANARY);
    bob.texts();
    silent(&home, &["claude", "PostToolUse"], "{}");
    alice.send("bob", CANARY);
    let with_command = hook(&home, &["claude", "PostToolUse", "--cli"], "{}");
    assert!(with_command.out.contains("Run `ipc check` to read it."));
    silent(&home, &["claude", "PostToolUse"], "{}");
    silent(&home, &["codex", "Stop"], "{}");
    let again = hook(&home, &["claude", "SessionStart"], "{}");
    assert!(again.out.contains(SENTENCE), "a new session knows nothing");
    bob.ok(&["auto-check", "stop"]);
    silent(&home, &["claude", "SessionStart"], "{}");
}

#[test]
fn an_agent_that_was_kept_from_stopping_once_and_parts_of_an_agent_are_not_told() {
    let home = Home::new();
    home.register("alice").send("bob", CANARY);
    home.register("bob");
    let active = r#"{"stop_hook_active": true}"#;
    silent(&home, &["claude", "Stop"], active);
    silent(&home, &["codex", "Stop"], active);
    silent(&home, &["gemini", "AfterAgent"], active);
    let part = r#"{"agent_id": "a17", "agent_type": "Explore"}"#;
    silent(&home, &["claude", "PostToolUse"], part);
    let said = hook(&home, &["claude", "PostToolUse"], "{}");
    assert!(said.out.contains(SENTENCE), "nothing was noted: {said:?}");
}

#[test]
fn whatever_goes_wrong_a_hook_is_silent() {
    let home = Home::new();
    silent(&home, &["claude", "PostToolUse"], "{}");
    assert!(!home.data_dir().root().exists(), "nothing is made");
    let alice = home.register("alice");
    silent(&home, &["claude", "PostToolUse"], "{}");
    home.register("bob");
    alice.send("bob", CANARY);
    let endless = format!("{{\"x\":\"{}\"}}", "x".repeat(2_000_000));
    for input in ["", "garbage", "[]", "{", "\u{1b}[2J", &endless] {
        silent(&home, &["claude", "PostToolUse"], input);
    }
    silent(&home, &["claude", "AnEventOfNextYear"], "{}");
    silent(&home, &["claude"], "{}");
    silent(&home, &["another-host", "Stop"], "{}");
    silent(&home, &["claude", "Stop", "--an-option-of-next-year"], "{}");
    let wrong_home = ["--data-dir", "/proc/nowhere", "hook", "claude", "Stop"];
    let said = home.run_with_input(&wrong_home, b"{}");
    assert_eq!(
        (said.status, said.out, said.err),
        (0, String::new(), String::new())
    );
    let file = home.data_dir().agent(&"bob".parse().unwrap());
    let kept = std::fs::read(&file).unwrap();
    std::fs::write(&file, "{").unwrap();
    silent(&home, &["claude", "PostToolUse"], "{}");
    std::fs::write(&file, kept).unwrap();
    home.ok(&["daemon", "stop"]);
    silent(&home, &["claude", "SessionStart"], "{}");
    assert!(!home.data_dir().socket().exists(), "no daemon was started");
    home.ok(&["daemon", "start"]);
    let said = hook(&home, &["claude", "SessionStart"], "{}");
    assert!(said.out.contains(SENTENCE), "and now it is told: {said:?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a hook must not be held up, and only a clock can tell"
)]
fn took(action: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    action();
    begun.elapsed()
}

#[test]
fn a_daemon_that_hangs_and_a_host_that_says_nothing_hold_no_hook_up() {
    let home = Home::new();
    home.register("bob");
    let daemon = Pid::from_raw(home.daemon_pid().try_into().unwrap()).unwrap();
    kill_process(daemon, Signal::STOP).unwrap();
    let took = took(|| silent(&home, &["claude", "PostToolUse"], "{}"));
    kill_process(daemon, Signal::CONT).unwrap();
    assert!(took.as_secs() < 5, "it took {took:?}");
    let mut command = home.command(&["--as", "bob", "hook", "claude", "PostToolUse"]);
    command.stdin(Stdio::piped());
    assert_eq!(Running::start(&mut command).end().status, 0);
}

#[test]
fn the_end_of_a_session_marks_its_agent_offline_and_a_cleared_one_goes_on() {
    let home = Home::new();
    home.register("alice");
    home.register("bob");
    let presence = || {
        let agents = home.json(&["--as", "alice", "list"])["agents"].clone();
        let bob = agents
            .as_array()
            .unwrap()
            .iter()
            .find(|a| a["name"] == "bob");
        bob.unwrap()["presence"].clone()
    };
    silent(&home, &["claude", "SessionEnd"], r#"{"reason": "clear"}"#);
    assert_ne!(presence(), "offline");
    silent(&home, &["claude", "SessionEnd"], r#"{"reason": "other"}"#);
    assert_eq!(presence(), "offline");
}

#[test]
fn a_hook_comes_back_by_itself_when_its_session_is_over() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    bob.ok(&["revoke", "--all"]);
    alice.send("bob", CANARY);
    let said = hook(&home, &["claude", "UserPromptSubmit"], "{}");
    assert!(said.out.contains(SENTENCE), "{said:?}");
}

/// A hook that waits beside the idle bob.
fn rewake(home: &Home, patience: &str) -> Running {
    let patience = format!("--for={patience}");
    let line = [
        "--as", "bob", "hook", "claude", "Stop", "--rewake", &patience,
    ];
    let mut command = home.command(&line);
    command.env("CLAUDE_CODE_ENTRYPOINT", "cli");
    command.stdin(Stdio::from(empty_object(home)));
    Running::start(&mut command)
}

fn empty_object(home: &Home) -> std::fs::File {
    let path = home.path().join("event.json");
    std::fs::write(&path, "{}").unwrap();
    std::fs::File::open(path).unwrap()
}

/// Whether a rewake process waits.
fn is_held(home: &Home) -> bool {
    let files = home.files().into_iter();
    let mut locks = files.filter(|path| path.extension().is_some_and(|e| e == "waker"));
    locks.any(|path| {
        let holder = std::fs::read_to_string(path).unwrap();
        let pid = holder.trim().parse().ok();
        pid.and_then(process::facts)
            .is_some_and(|facts| !facts.ended)
    })
}

/// Waits until one does.
fn held(home: &Home) {
    while !is_held(home) {
        std::thread::yield_now();
    }
}

#[test]
fn one_rewake_process_waits_and_wakes_the_host_and_the_others_end_at_once() {
    let home = Home::new();
    let alice = home.register("alice");
    home.register("bob");
    let first = rewake(&home, "1m");
    held(&home);
    let second = rewake(&home, "1m").end();
    assert_eq!((second.status, second.err), (0, String::new()));
    alice.send("bob", CANARY);
    let woken = first.end();
    assert_eq!(woken.status, 2);
    assert_eq!(
        (woken.out, woken.err),
        (String::new(), format!("{SENTENCE}\n"))
    );
}

#[test]
fn a_rewake_process_ends_in_silence_with_its_time_its_agent_and_without_a_daemon() {
    let home = Home::new();
    home.register("bob");
    let quiet = |said: Said| (said.status, said.out, said.err) == (0, String::new(), String::new());
    assert!(quiet(rewake(&home, "50ms").end()));
    let waiting = rewake(&home, "1m");
    held(&home);
    home.ok(&["--as", "bob", "unregister"]);
    assert!(quiet(waiting.end()));
    home.ok(&["daemon", "stop"]);
    assert!(quiet(rewake(&home, "1m").end()));
}

#[test]
fn where_no_window_stays_open_nothing_is_waited_for() {
    let home = Home::new();
    home.register("bob");
    for entrypoint in ["sdk-cli", "sdk-ts", ""] {
        let line = [
            "--as", "bob", "hook", "claude", "Stop", "--rewake", "--for=1h",
        ];
        let mut command = home.command(&line);
        command.env("CLAUDE_CODE_ENTRYPOINT", entrypoint);
        let said = Said::of(&command.output().unwrap());
        assert_eq!((said.status, said.err.as_str()), (0, ""), "{entrypoint}");
    }
}

#[test]
fn a_rewake_process_does_not_outlive_its_host() {
    const HOST: &str = "
import os, subprocess, sys
os.setsid()
subprocess.run(sys.argv[2:], stdin=open(sys.argv[1]))
";
    let home = Home::new();
    home.register("bob");
    drop(empty_object(&home));
    let mut host = crate::harness::python(HOST);
    host.arg(home.path().join("event.json"))
        .arg(crate::harness::program())
        .args([
            "--as", "bob", "hook", "claude", "Stop", "--rewake", "--for=1h",
        ])
        .env_clear()
        .env("HOME", home.path())
        .env("CLAUDE_CODE_ENTRYPOINT", "cli")
        .env("PATH", "/usr/bin:/bin");
    let mut host = Running::start(&mut host);
    held(&home);
    host.kill();
    while is_held(&home) {
        std::thread::yield_now();
    }
}

#[test]
fn a_hook_finds_the_agent_that_was_registered_from_its_host() {
    let home = Home::new();
    let mut window = crate::harness::Window::open(&home, &[]);
    window.ok(&["register", "bob"]);
    home.register("alice").send("bob", CANARY);
    let program = crate::harness::program();
    let line = format!(
        "echo '{{}}' | {} hook claude PostToolUse",
        program.display()
    );
    let said = window.run_program(&["sh", "-c", &line]);
    assert!(said.out.contains(SENTENCE), "{said:?}");
    let said = home.run_with_input(&["hook", "claude", "SessionStart"], b"{}");
    assert_eq!(said.out, "", "not from elsewhere");
}
