//! After an incident, with the real program: the audit log, anchors, freezing, who read what.

use std::path::PathBuf;

use serde_json::json;

use crate::harness::{Home, words};

/// The first file of the log, written to its end: no daemon runs any more.
fn log(home: &Home) -> PathBuf {
    home.ok(&["daemon", "stop"]);
    home.data_dir().audit().join("00000000000000000001.jsonl")
}

#[test]
fn a_log_is_shown_and_verified_whether_a_daemon_runs_or_not_and_an_edit_ends_with_1() {
    let home = Home::new();
    home.run(&["admin", "audit", "verify"])
        .refused(1, &["there is no audit log", "`ipc daemon start`"]);
    home.register("alice");
    home.ok(&["admin", "audit", "verify"]);
    home.ok(&["admin", "freeze", "alice"]);
    let log = log(&home);
    let said = home.ok(&["admin", "audit", "verify"]);
    assert!(said.contains("are as they were sealed"), "{said}");
    let shown = home.ok(&["admin", "audit", "show", "--agent", "ALICE"]);
    assert!(
        shown.contains("session opened") && shown.contains("frozen"),
        "{shown}"
    );
    assert!(!shown.contains("started"), "{shown}");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("\"frozen\"", "\"thawed\"")).unwrap();
    let found = home.run(&["admin", "audit", "verify"]);
    assert_eq!(found.status, 1);
    assert!(found.out.contains("is not as it was sealed"), "{found:?}");
    let found = home.run(&["--json", "admin", "audit", "verify"]);
    let report: serde_json::Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(
        (found.status, &report["findings"][0]["finding"]),
        (1, &"changed".into())
    );
}

#[test]
fn an_anchor_and_a_key_that_are_kept_elsewhere_check_the_log() {
    let home = Home::new();
    home.register("alice");
    log(&home);
    let anchor = home.ok(&["admin", "audit", "anchor"]);
    let kept = home.path().join("kept");
    std::fs::write(&kept, &anchor).unwrap();
    let kept = kept.to_str().unwrap();
    let verify = ["admin", "audit", "verify", "--anchor"];
    let with = |anchor: &str| home.run(&[&verify[..], &[anchor]].concat());
    for anchor in [anchor.trim(), kept] {
        let said = with(anchor);
        assert!(
            said.status == 0 && said.out.contains("1 anchor agrees"),
            "{said:?}"
        );
    }
    with("/nowhere").refused(2, &["/nowhere"]);
    with("ipc-audit-anchor:x").refused(2, &["neither an anchor nor an audit key"]);
    let key = home.ok(&["admin", "audit", "anchor", "--take-key"]);
    assert!(key.starts_with("ipc-audit-key:1:"), "{key}");
    assert!(!home.data_dir().audit().join("start").exists());
    home.run(&["admin", "audit", "verify"])
        .refused(1, &["taken away", "--take-key"]);
    home.run(&["admin", "audit", "anchor", "--take-key"])
        .refused(1, &["taken away before"]);
    std::fs::write(kept, key).unwrap();
    assert_eq!(with(kept).status, 0);
    home.register("bob");
    assert_eq!(with(kept).status, 0, "and what came after it");
    // Removed, and begun anew: it is said, and what was kept elsewhere knows.
    home.ok(&["daemon", "stop"]);
    std::fs::remove_dir_all(home.data_dir().audit()).unwrap();
    home.ok(&["daemon", "start"]);
    home.ok(&["daemon", "stop"]);
    let found = home.run(&["admin", "audit", "verify"]);
    assert_eq!(found.status, 1);
    assert!(found.out.contains("began anew with record 2"), "{found:?}");
    assert_eq!(with(kept).status, 1);
}

#[test]
fn freezing_and_asking_who_read_what_prove_the_secret() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let id = alice.send("bob", "do something foolish");
    assert_eq!(bob.texts(), ["do something foolish"]);
    let page = home.json(&["admin", "readers", "alice"]);
    assert_eq!(page["messages"][0]["message_id"], id);
    assert_eq!(page["messages"][0]["recipients"][0]["state"], "delivered");
    home.run(&["admin", "readers", "alice", "--since", &id])
        .refused(2, &["a time, not a message"]);
    for command in [
        &["freeze", "alice"][..],
        &["thaw", "--all"],
        &["readers", "alice"],
    ] {
        let all = [&["admin"], command].concat();
        let mut command = home.command(&all);
        let wrong = command.env("IPC_SHARED_SECRET", "not the secret at all");
        let said = crate::harness::Said::of(&wrong.output().unwrap());
        said.refused(1, &["the proof is wrong"]);
    }
    home.run(&["admin", "thaw"]).refused(2, &["<AGENT>"]);
    home.run(&["admin", "freeze", "alice", "--all"])
        .refused(2, &[]);
    home.ok(&["admin", "freeze", "--all"]);
    let refused = alice.run(&["--json", "send", "bob", "x"]);
    assert_eq!(
        (refused.status, &refused.error()["code"]),
        (1, &"frozen".into())
    );
    assert!(home.ok(&["admin", "freeze"]).contains("nobody comes in"));
    home.ok(&["admin", "thaw", "--all"]);
    let denied = home.json(&["admin", "revoke", "--all"]);
    assert_eq!(denied["sessions"], 2);
}

#[test]
fn who_is_frozen_reads_so_in_whoami_in_status_and_in_the_tool() {
    let home = Home::new();
    let alice = home.register("alice");
    let mut host = home.host("bob").start();
    assert_eq!(host.name(), "bob");
    assert!(!alice.ok(&["whoami"]).contains("frozen"));
    assert!(!alice.ok(&["status"]).contains("frozen"));
    for agent in ["alice", "bob"] {
        home.ok(&["admin", "freeze", agent]);
    }
    let said = alice.ok(&["whoami"]);
    assert!(
        said.contains("frozen")
            && said.contains("mail waits")
            && said.contains("`ipc admin thaw NAME`"),
        "{said}"
    );
    let said = alice.ok(&["status"]);
    assert!(
        said.contains("2 agents by name") && said.contains("frozen by the operator"),
        "{said}"
    );
    assert_eq!(alice.json(&["whoami"])["frozen"]["whom"], "agent");
    assert_eq!(alice.json(&["status"])["frozen"]["agents"], 2);
    let answer = host.call("ipc_status", json!({}));
    let said = words(&answer);
    assert!(
        said.contains("you are frozen by the operator since") && said.contains("your mail waits"),
        "{said}"
    );
    assert!(answer["structuredContent"]["frozen_since"].is_string());
    home.ok(&["admin", "thaw", "bob"]);
    let answer = host.call("ipc_status", json!({}));
    assert!(answer["structuredContent"]["frozen_since"].is_null());
    assert_eq!(answer["structuredContent"]["notices"], json!(false));
}

#[test]
fn a_restore_is_in_the_log() {
    let home = Home::new();
    home.register("alice");
    home.ok(&["admin", "backup"]);
    home.ok(&["daemon", "stop"]);
    home.ok(&["admin", "restore"]);
    let shown = home.ok(&["admin", "audit", "show"]);
    assert!(
        shown.contains("backed up") && shown.contains("restored"),
        "{shown}"
    );
    home.ok(&["admin", "audit", "verify"]);
}
