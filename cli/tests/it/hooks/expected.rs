//! Hooks of a host whose server has not enrolled yet: it will come back to the agent of its folder.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;

use super::CANARY;
use crate::harness::{Home, Said, Window};

/// A server in `folder` that is used once and left.
fn visit(home: &Home, folder: &Path) {
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    });
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ipc_status"}}),
    ];
    // The shell stands for the host: it ends with the visit.
    let mut command = std::process::Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{} mcp; true", crate::harness::program().display()))
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    for line in lines {
        writeln!(input, "{line}").unwrap();
    }
    // Left when the last answer has come: a host that leaves before cancels its calls.
    let answers = BufReader::new(child.stdout.take().unwrap()).lines();
    let last = answers
        .map(Result::unwrap)
        .find(|line| line.contains("\"id\":2"));
    assert!(
        last.as_ref()
            .is_some_and(|line| line.contains("you are shop")),
        "{last:?}"
    );
    drop(input);
    assert!(child.wait().unwrap().success());
}

fn folder(home: &Home, name: &str) -> PathBuf {
    let folder = home.path().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The hook of a host that was just started in `folder`.
fn hook(window: &mut Window, folder: &Path) -> Said {
    let program = crate::harness::program();
    let line = "cd \"$1\" && echo {} | \"$0\" hook claude UserPromptSubmit";
    let words = [program.to_str().unwrap(), folder.to_str().unwrap()];
    window.run_program(&["sh", "-c", line, words[0], words[1]])
}

#[test]
fn before_the_server_has_enrolled_hooks_tell_of_the_agent_of_the_folder() {
    let home = Home::new();
    let shop = folder(&home, "shop");
    visit(&home, &shop);
    home.register("alice").send("shop", CANARY);
    let mut window = Window::open(&home, &[]);
    let elsewhere = hook(&mut window, &folder(&home, "other/shop"));
    assert_eq!((elsewhere.status, elsewhere.out.as_str()), (0, ""));
    let told = hook(&mut window, &shop);
    assert!(
        told.out.contains("1 new message for shop, from alice"),
        "{told:?}"
    );
    assert!(!told.out.contains(CANARY));
    assert_eq!(hook(&mut window, &shop).out, "", "told once");
}

#[test]
fn inside_a_host_a_hook_never_speaks_for_the_terminal_around_it() {
    const CLAUDE: &str = "
import subprocess, sys
sys.stdout.write(subprocess.run(sys.argv[1:], input='{}', capture_output=True, text=True).stdout)
";
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "terminal"]);
    home.register("alice").send("terminal", CANARY);
    let claude = home.path().join("claude");
    std::fs::write(&claude, CLAUDE).unwrap();
    let program = crate::harness::program();
    let program = program.to_str().unwrap();
    let inside = [
        "python3",
        claude.to_str().unwrap(),
        program,
        "hook",
        "claude",
        "SessionStart",
    ];
    assert_eq!(window.run_program(&inside).out, "");
    let outside = format!("echo {{}} | {program} hook claude SessionStart");
    let told = window.run_program(&["sh", "-c", &outside]);
    assert!(told.out.contains("for terminal, from alice"), "{told:?}");
}

#[test]
fn a_rewake_process_waits_for_the_agent_of_its_window_to_be_registered() {
    let home = Home::new();
    home.register("alice");
    let mut window = Window::open(&home, &[("CLAUDE_CODE_ENTRYPOINT", "cli")]);
    let program = crate::harness::program();
    let program = program.to_str().unwrap();
    let script = format!(
        "echo {{}} | {program} hook claude Stop --rewake --for=1m & waiting=$!
         {program} -q register bob && {program} --as alice send bob hello && wait $waiting"
    );
    let said = window.run_program(&["sh", "-c", &script]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(
        said.err.contains("1 new message for bob, from alice"),
        "{said:?}"
    );
}
