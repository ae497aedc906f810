//! Whose mailbox: two windows, one name, agents in agents, and never somebody else's.

use crate::harness::{Home, Window};

/// Runs the command after its own name in a new session inside this one, and waits for it.
const INNER: &str = "
import json, os, subprocess, sys
child = os.fork()
if child == 0:
    os.setsid()
    codes = [subprocess.run(line).returncode for line in json.loads(sys.argv[1])]
    os._exit(max(codes))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";

/// What is printed by commands typed in a session inside the window's.
fn inside(window: &mut Window, lines: &[&[&str]]) -> String {
    let program = crate::harness::program().to_str().unwrap().to_owned();
    let lines: Vec<Vec<&str>> = lines
        .iter()
        .map(|line| [&[program.as_str()], *line].concat())
        .collect();
    let lines = serde_json::to_string(&lines).unwrap();
    let said = window.run_program(&["python3", "-c", INNER, &lines]);
    assert_eq!(said.status, 0, "{said:?}");
    said.out
}

#[test]
fn a_second_live_window_does_not_steal_a_name() {
    let home = Home::new();
    let mut first = Window::open(&home, &[("IPC_INSTANCE", "alice")]);
    let mut second = Window::open(&home, &[("IPC_INSTANCE", "alice")]);
    first.ok(&["register", "alice"]);
    let refused = second.run(&["register", "alice"]);
    refused.refused(1, &["`alice` is live elsewhere", "--takeover"]);
    let refused = second.run(&["register", "ALICE", "--json"]);
    assert_eq!(refused.error()["code"], "name_in_use", "{refused:?}");
    assert!(
        first.ok(&["whoami"]).contains("alice"),
        "the first one is undisturbed"
    );
    second.ok(&["register", "alice-2"]);
    assert!(
        second
            .ok(&["--as", "alice-2", "whoami"])
            .contains("alice-2")
    );
}

#[test]
fn registering_again_from_the_same_window_is_a_harmless_repeat() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    home.register("bob").send("alice", "waits");
    let said = window.ok(&["register", "alice"]);
    assert!(said.contains("1 message waits"), "{said}");
    assert!(window.ok(&["check"]).contains("waits"));
    assert_eq!(home.json(&["--as", "alice", "whoami"])["incarnation"], 1);
}

#[test]
fn when_the_first_window_has_ended_the_name_and_its_mail_come_back() {
    let home = Home::new();
    let mut first = Window::open(&home, &[]);
    first.ok(&["register", "alice"]);
    let who = home.json(&["--as", "alice", "whoami"])["agent_id"].clone();
    first.close();
    home.register("bob").send("alice", "while you were away");
    let mut second = Window::open(&home, &[]);
    let said = second.ok(&["register", "alice"]);
    assert!(said.contains("1 message waits"), "{said}");
    assert!(second.ok(&["check"]).contains("while you were away"));
    assert_eq!(home.json(&["--as", "alice", "whoami"])["agent_id"], who);
}

#[test]
fn a_takeover_ends_the_watch_of_the_other_window_for_good() {
    let home = Home::new();
    let mut first = Window::open(&home, &[]);
    first.ok(&["register", "alice"]);
    let bob = home.register("bob");
    let mut watch = home.start(&["--as", "alice", "watch"]);
    bob.send("alice", "still you");
    while !watch.line().contains("still you") {}
    let mut second = Window::open(&home, &[]);
    second.ok(&["register", "alice", "--takeover"]);
    let ended = watch.end();
    ended.refused(1, &["took this agent over", "--takeover"]);
    bob.send("alice", "is it you?");
    assert!(second.ok(&["check"]).contains("is it you?"));
    assert_eq!(home.json(&["--as", "alice", "whoami"])["incarnation"], 2);
}

#[test]
fn a_command_finds_the_mailbox_of_its_nearest_ancestor() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "outer"]);
    assert!(inside(&mut window, &[&["whoami"]]).contains("outer"));
    let said = inside(&mut window, &[&["-q", "register", "inner"], &["whoami"]]);
    assert!(said.contains("inner") && !said.contains("outer"), "{said}");
    assert!(
        window.ok(&["whoami"]).contains("outer"),
        "inner was not registered from here"
    );
}

#[test]
fn shells_inside_an_agent_share_the_mailbox_of_the_agent() {
    let home = Home::new();
    let host = home.path().join("codex");
    std::fs::write(&host, INNER).unwrap();
    let program = crate::harness::program().to_str().unwrap().to_owned();
    let shells = |lines: &[&[&str]]| {
        let lines: Vec<Vec<&str>> = lines
            .iter()
            .map(|line| [&[program.as_str()], *line].concat())
            .collect();
        serde_json::to_string(&lines).unwrap()
    };
    let lines = shells(&[
        &["-q", "register", "helper"],
        &["-q", "send", "helper", "from inside"],
        &["check"],
        &["read", "m.0123456789abc"],
    ]);
    let mut window = Window::open(&home, &[]);
    let script = host.to_str().unwrap();
    let said = window.run_program(&["python3", script, &lines]);
    assert!(said.out.contains("from inside"), "{said:?}");
    window.run(&["whoami"]).refused(2, &["--as NAME", "helper"]);
}

#[test]
fn a_mailbox_is_never_chosen_because_it_is_the_only_one() {
    let home = Home::new();
    let mut first = Window::open(&home, &[]);
    first.ok(&["register", "alice"]);
    home.register("bob").send("alice", "private");
    let mut stranger = Window::open(&home, &[]);
    for line in [
        &["check"][..],
        &["send", "bob", "as whom?"],
        &["rename", "eve"],
        &["watch"],
    ] {
        let refused = stranger.run(line);
        refused.refused(2, &["--as NAME", "alice, bob"]);
        assert_eq!(refused.out, "");
    }
    assert!(first.ok(&["check"]).contains("private"), "nobody took it");
}

#[test]
fn several_agents_of_one_window_are_listed_and_told_apart() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    window.ok(&["register", "bob"]);
    home.register("elsewhere");
    let unclear = window.run(&["check"]);
    unclear.refused(
        2,
        &["several agents were registered from here", "alice, bob"],
    );
    assert!(!unclear.err.contains("elsewhere"), "{unclear:?}");
    assert!(window.ok(&["--as", "bob", "whoami"]).contains("bob"));
}

#[test]
fn a_rename_is_followed_by_as_and_by_the_variable_but_not_by_register() {
    let home = Home::new();
    let mut window = Window::open(&home, &[("IPC_INSTANCE", "bob")]);
    window.ok(&["register", "bob"]);
    window.ok(&["rename", "robert"]);
    let who = home.json(&["--as", "robert", "whoami"])["agent_id"].clone();
    assert_eq!(home.json(&["--as", "bob", "whoami"])["agent_id"], who);
    assert_eq!(home.json(&["--as", "BOB", "whoami"])["agent_id"], who);
    assert!(
        window.ok(&["whoami"]).contains("robert"),
        "the variable still says bob"
    );
    let refused = window.run(&["register", "bob", "--json"]);
    refused.refused(1, &[]);
    assert_eq!(
        refused.error()["code"],
        "name_reserved",
        "not robert by another name"
    );
    let pointer = std::fs::read_to_string(home.data_dir().agents().join("bob.json")).unwrap();
    assert!(
        pointer.contains("moved_to") && !pointer.contains("ipcr_"),
        "{pointer}"
    );
    window.ok(&["register", "robert"]);
}

#[test]
fn as_goes_before_the_variable_and_the_variable_before_the_window() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    home.register("bob");
    home.register("carol");
    let mut named = Window::open(&home, &[("IPC_INSTANCE", "bob")]);
    assert!(named.ok(&["whoami"]).contains("bob"));
    assert!(named.ok(&["--as", "carol", "whoami"]).contains("carol"));
    assert!(window.ok(&["whoami"]).contains("alice"));
    let mut unknown = Window::open(&home, &[("IPC_INSTANCE", "dave")]);
    unknown
        .run(&["check"])
        .refused(2, &["no credentials are kept here for dave"]);
}

#[test]
fn credentials_that_are_no_longer_good_say_so_and_register_mends_it() {
    let home = Home::new();
    let alice = home.register("alice");
    home.ok(&["admin", "release", "alice"]);
    home.run(&["--as", "alice", "check"])
        .refused(2, &["ipc register alice"]);
    home.ok(&["register", "alice"]);
    home.ok(&["admin", "revoke", "alice"]);
    alice
        .run(&["check"])
        .refused(1, &["no longer good", "`ipc register alice`"]);
    home.ok(&["register", "alice"]);
    assert!(alice.ok(&["check"]).contains("no new mail"));
}

#[test]
fn a_damaged_or_foreign_file_of_credentials_is_said_and_hides_no_other_agent() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    let broken = home.data_dir().agents().join("broken.json");
    ipc_protocol::private::write_file(&broken, b"{\"agent_id\": 7}").unwrap();
    assert!(window.ok(&["whoami"]).contains("alice"));
    let refused = window.run(&["--as", "broken", "check"]);
    refused.refused(
        1,
        &["broken.json is not a file of credentials", "ipc register"],
    );
    let alice = home.data_dir().agents().join("alice.json");
    let loose = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&alice, loose).unwrap();
    window
        .run(&["--as", "alice", "check"])
        .refused(1, &["mode 0644", "chmod 600"]);
}
