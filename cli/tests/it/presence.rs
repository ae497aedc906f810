//! Who is there: what agents say of themselves, what they can do, and where they work.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Home, Said};

/// Runs the program in `directory`.
fn run_in(home: &Home, directory: &Path, arguments: &[&str]) -> Said {
    let mut command = home.command(arguments);
    Said::of(&command.current_dir(directory).output().unwrap())
}

/// The names in a list.
fn names(listed: &Value) -> Vec<&str> {
    let agents = listed["agents"].as_array().unwrap();
    agents
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

/// A repository below `room`, and a worktree of it.
fn repository(room: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (main, other) = (room.join("main"), room.join("other"));
    let own = main.join(".git/worktrees/other");
    for directory in [&main.join(".git/objects"), &own, &other] {
        std::fs::create_dir_all(directory).unwrap();
    }
    std::fs::write(main.join(".git/HEAD"), "ref: refs/heads/topic\n").unwrap();
    std::fs::write(own.join("HEAD"), "ref: refs/heads/side\n").unwrap();
    std::fs::write(own.join("commondir"), "../..\n").unwrap();
    let pointer = format!("gitdir: {}\n", own.display());
    std::fs::write(other.join(".git"), pointer).unwrap();
    (main, other)
}

#[test]
fn agents_of_one_repository_find_each_other_from_any_worktree() {
    let home = Home::new();
    let (main, other) = repository(home.path());
    assert_eq!(run_in(&home, &main, &["register", "alice"]).status, 0);
    assert_eq!(run_in(&home, &other, &["register", "bob"]).status, 0);
    assert_eq!(run_in(&home, home.path(), &["register", "carol"]).status, 0);
    let list = |scope| home.json(&["--as", "alice", "list", "--scope", scope]);
    assert_eq!(names(&list("repo")), ["alice", "bob"]);
    assert_eq!(names(&list("directory")), ["alice"]);
    assert_eq!(names(&list("machine")), ["alice", "bob", "carol"]);
    // Acting for an agent from elsewhere does not move it there.
    let elsewhere = run_in(
        &home,
        home.path(),
        &["--as", "alice", "--json", "list", "--scope", "repo"],
    );
    assert_eq!(
        names(&serde_json::from_str(&elsewhere.out).unwrap()),
        ["alice", "bob"]
    );
    let refused = home.run(&["--as", "carol", "--json", "list", "--scope", "repo"]);
    refused.refused(1, &["no repository"]);
    assert_eq!(refused.error()["code"], "not_found");
}

#[test]
fn no_path_reaches_the_store() {
    let home = Home::new();
    let (main, _) = repository(home.path());
    assert_eq!(run_in(&home, &main, &["register", "alice"]).status, 0);
    home.ok(&["daemon", "stop"]);
    let database = std::fs::read(home.data_dir().database()).unwrap();
    let path = main.as_os_str().as_encoded_bytes();
    assert!(!database.windows(path.len()).any(|bytes| bytes == path));
}

#[test]
fn agents_are_found_by_what_they_can_do() {
    let home = Home::new();
    home.ok(&[
        "register",
        "alice",
        "--capability",
        "rust",
        "--capability",
        "review",
    ]);
    home.ok(&[
        "register",
        "bob",
        "--capability",
        "python",
        "--summary",
        "the shim",
    ]);
    let found = home.json(&["list", "--capability", "rust"]);
    assert_eq!(names(&found), ["alice"]);
    assert_eq!(
        found["agents"][0]["capabilities"],
        json!(["review", "rust"])
    );
    assert!(names(&home.json(&["list", "--capability", "cobol"])).is_empty());
    let people = home.ok(&["list"]);
    assert!(
        people.contains("review, rust") && people.contains("the shim"),
        "{people}"
    );
}

#[test]
fn what_is_no_capability_and_no_line_is_refused_before_a_name_is_taken() {
    let home = Home::new();
    for wrong in [
        &["register", "alice", "--capability", "Rust"][..],
        &["register", "alice", "--capability", "a b"],
        &["register", "alice", "--summary", "two\nlines"],
        &["list", "--scope", "planet"],
        &["list", "--capability", ""],
        &["set-summary"],
        &["set-summary", "words", "--auto"],
        &["set-status"],
    ] {
        assert_eq!(home.run(wrong).status, 2, "{wrong:?}");
    }
    let many: Vec<String> = (0..17).map(|n| format!("--capability=w{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    home.run(&[&["register", "alice"][..], &many].concat())
        .refused(2, &["at most 16"]);
    assert!(!home.data_dir().database().exists(), "nobody was asked");
    let alice = home.register("alice");
    alice
        .run(&["set-status", &"x".repeat(121)])
        .refused(2, &["120 bytes"]);
    alice
        .run(&["set-summary", "a\x1b[2Jb"])
        .refused(2, &["control"]);
}

#[test]
fn status_and_summary_are_said_shown_and_taken_back() {
    let home = Home::new();
    let alice = home.register("alice");
    alice.ok(&["set-status", "reviewing,", "back", "at", "five"]);
    alice.ok(&["set-summary", "the parser"]);
    let row = home.json(&["list"])["agents"][0].clone();
    assert_eq!(row["status"], "reviewing, back at five");
    assert_eq!(row["summary"], "the parser");
    assert_eq!(alice.json(&["whoami"])["summary"], "the parser");
    alice.ok(&["set-status", ""]);
    assert_eq!(home.json(&["list"])["agents"][0]["status"], Value::Null);
}

#[test]
fn a_status_reaches_the_terminal_without_what_is_hidden_in_it() {
    let home = Home::new();
    home.register("alice")
        .ok(&["set-status", "a\u{202E}b\u{E0041}"]);
    let shown = home.ok(&["list"]);
    assert!(shown.contains("a⟨U+202E⟩b⟨U+E0041⟩"), "{shown}");
}

#[test]
fn an_automatic_summary_is_made_of_what_lies_there() {
    let home = Home::new();
    let (main, _) = repository(home.path());
    std::fs::write(main.join("notes.md"), "x").unwrap();
    home.register("alice");
    let said = run_in(
        &home,
        &main,
        &["--as", "alice", "--json", "set-summary", "--auto"],
    );
    let said: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        said["summary"],
        "in main, branch topic; changed last: notes.md"
    );
}
