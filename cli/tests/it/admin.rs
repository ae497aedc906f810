//! Looking after a deployment: backups and the way back, names, secrets, start and stop.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use ipc_protocol::private;
use serde_json::Value;

use crate::harness::{Home, Said, Window};

fn backup(home: &Home) -> PathBuf {
    let made = home.json(&["admin", "backup"]);
    let path = home
        .data_dir()
        .backups()
        .join(made["file"].as_str().unwrap());
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert_eq!(made["bytes"], bytes);
    path
}

#[test]
fn a_backup_is_verified_and_the_status_says_when_it_was_made() {
    let home = Home::new();
    home.register("alice").send("bob", "in the backup");
    assert_eq!(home.json(&["status"])["last_backup_ms"], Value::Null);
    let said = home.ok(&["admin", "backup"]);
    assert!(
        said.contains("backups/messages-") && said.contains("verified"),
        "{said}"
    );
    assert!(home.json(&["status"])["last_backup_ms"].is_u64());
    let metrics = home.ok(&["status", "--metrics"]);
    assert!(
        metrics.contains("ipc_last_backup_time_seconds"),
        "{metrics}"
    );
    assert!(!home.ok(&["status"]).contains("last backup  none"));
}

#[test]
fn only_the_seven_newest_backups_are_kept() {
    let home = Home::new();
    home.ok(&["daemon", "start"]);
    let made: Vec<_> = (0..9).map(|_| backup(&home)).collect();
    let kept: Vec<_> = made.iter().filter(|path| path.exists()).collect();
    assert_eq!(kept, made[2..].iter().collect::<Vec<_>>());
}

#[test]
fn a_restore_brings_the_mail_back_and_says_where_the_former_store_is() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", "before the backup");
    let backup = backup(&home);
    assert_eq!(bob.texts(), ["before the backup"]);
    alice.send("bob", "after the backup");
    home.run(&["admin", "restore"])
        .refused(1, &["the daemon runs", "`ipc daemon stop`"]);
    home.ok(&["daemon", "stop"]);
    let restored = home.json(&["admin", "restore"]);
    assert_eq!(restored["from"], backup.to_str().unwrap());
    let former = PathBuf::from(restored["former"].as_str().unwrap());
    assert!(std::fs::metadata(&former).unwrap().len() > 0);
    assert_eq!(bob.texts(), ["before the backup"], "as it was at that time");
    assert!(alice.ok(&["whoami"]).contains("alice"), "names are kept");
    home.ok(&["daemon", "stop"]);
    let said = home.ok(&["admin", "restore", former.to_str().unwrap()]);
    assert!(
        said.contains("restored") && said.contains("former store: "),
        "{said}"
    );
    assert_eq!(
        bob.texts(),
        ["after the backup"],
        "the former store was whole"
    );
}

#[test]
fn what_is_no_backup_of_ours_is_not_restored_and_nothing_changes() {
    let home = Home::new();
    let alice = home.register("alice");
    alice.send("alice", "still here");
    home.ok(&["daemon", "stop"]);
    home.run(&["admin", "restore"])
        .refused(1, &["no good backup", "ipc admin restore FILE"]);
    let other = home.path().join("other.db");
    for bytes in [&b"Dear diary"[..], b"SQLite format 3\0", b""] {
        private::write_file(&other, bytes).unwrap();
        let refused = home.run(&["admin", "restore", other.to_str().unwrap()]);
        refused.refused(1, &["other.db", "no good backup"]);
    }
    let lock = home.data_dir().daemon_lock();
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o644)).unwrap();
    home.run(&["admin", "restore"])
        .refused(1, &["mode 0644", "hint: `chmod 600 "]);
    std::fs::set_permissions(&lock, std::fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["admin", "restore", "/nowhere.db"])
        .refused(1, &["/nowhere.db"]);
    assert_eq!(alice.texts(), ["still here"]);
}

#[test]
fn a_damaged_backup_is_passed_over_for_an_older_good_one() {
    let home = Home::new();
    let alice = home.register("alice");
    alice.send("alice", "kept");
    let (good, bad) = (backup(&home), backup(&home));
    home.ok(&["daemon", "stop"]);
    let mut bytes = std::fs::read(&bad).unwrap();
    bytes[4_096..8_192].fill(0xff);
    private::write_file(&bad, &bytes).unwrap();
    let said = home.run(&["--json", "admin", "restore"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.err.contains("passed over: "), "{said:?}");
    let restored: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(restored["from"], good.to_str().unwrap());
    assert_eq!(alice.texts(), ["kept"]);
}

#[test]
fn a_name_that_is_released_is_free_and_its_senders_are_told() {
    let home = Home::new();
    let alice = home.register("alice");
    home.register("bob");
    let id = alice.send("bob", "too late");
    let said = home.ok(&["admin", "release", "bob"]);
    assert!(said.contains("bob is free; 1 unread refused"), "{said}");
    assert!(alice.ok(&["check"]).contains(&id));
    home.ok(&["register", "bob"]);
    let gone = home.run(&["--json", "admin", "release", "nobody"]);
    gone.refused(1, &["ipc list"]);
    assert_eq!(gone.error()["code"], "not_found");
}

#[test]
fn a_revoked_agent_is_out_until_it_is_registered_anew_and_all_are_told() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let mut watch = alice.start(&["watch", "--json"]);
    bob.send("alice", "is this you?");
    assert!(watch.line().contains("is this you?"));
    let said = home.ok(&["admin", "revoke", "alice"]);
    assert!(said.contains("`ipc register alice`"), "{said}");
    assert_eq!(watch.end().status, 1);
    alice
        .run(&["check"])
        .refused(1, &["no longer good", "`ipc register alice`"]);
    let anew = home.json(&["register", "alice"]);
    assert_eq!(anew["incarnation"], 2);
    let notice = bob.json(&["check"])["messages"][0].clone();
    assert_eq!(notice["event"]["type"], "name_reclaimed");
    assert_eq!(alice.texts(), Vec::<String>::new());
    let gone = home.run(&["--json", "admin", "revoke", "nobody"]);
    gone.refused(1, &["ipc list"]);
}

#[test]
fn a_name_whose_credentials_are_lost_here_stays_its_owners_until_released() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    window.close();
    std::fs::remove_file(home.data_dir().agents().join("alice.json")).unwrap();
    let refused = home.run(&["--json", "register", "alice"]);
    refused.refused(1, &["ipc admin release alice"]);
    assert_eq!(refused.error()["code"], "name_reserved");
    home.ok(&["admin", "release", "alice"]);
    home.ok(&["register", "alice"]);
}

#[test]
fn a_rotation_puts_another_secret_in_force_and_agents_come_back_by_themselves() {
    let home = Home::new();
    let alice = home.register("alice");
    let old = std::fs::read_to_string(home.data_dir().secret()).unwrap();
    let said = home.ok(&["admin", "rotate-secret"]);
    assert!(
        said.contains("1 sessions ended") || said.contains("1 session"),
        "{said}"
    );
    let new = std::fs::read_to_string(home.data_dir().secret()).unwrap();
    assert_ne!(old, new);
    assert!(!said.contains(&new), "the secret is not shown");
    assert_eq!(alice.texts(), Vec::<String>::new());
    home.ok(&["register", "bob"]);
    let mut command = home.command(&["register", "carol"]);
    let refused = Said::of(&command.env("IPC_SHARED_SECRET", &old).output().unwrap());
    refused.refused(1, &["the proof is wrong"]);
    let given = b"a secret from a password store\n";
    let rotated = home.run_with_input(&["admin", "rotate-secret", "--stdin"], given);
    assert_eq!(rotated.status, 0, "{rotated:?}");
    let now = std::fs::read(home.data_dir().secret()).unwrap();
    assert_eq!(now, b"a secret from a password store");
    let again = home.run_with_input(&["admin", "rotate-secret", "--stdin"], given);
    again.refused(2, &["the new secret is the old one"]);
    let short = home.run_with_input(&["admin", "rotate-secret", "--stdin"], b"short");
    short.refused(2, &["shorter than 8 bytes"]);
    home.ok(&["register", "carol"]);
}

#[test]
fn start_stop_and_restart_may_be_said_twice() {
    let home = Home::new();
    assert!(home.ok(&["daemon", "stop"]).contains("no daemon runs"));
    assert!(
        !home.data_dir().root().exists(),
        "stopping nothing makes nothing"
    );
    let started = home.json(&["daemon", "start"]);
    assert_eq!(started["started"], true);
    assert_eq!(started["pid"], home.daemon_pid());
    let again = home.json(&["daemon", "start"]);
    assert_eq!(again["started"], false);
    let first = home.daemon_pid();
    assert!(
        home.ok(&["daemon", "restart"])
            .contains("started the daemon")
    );
    assert_ne!(home.daemon_pid(), first);
    assert_eq!(home.json(&["daemon", "restart"])["started"], true);
    let stopped = home.json(&["daemon", "stop"]);
    assert_eq!(stopped["stopped"], true);
    assert!(!home.data_dir().socket().exists());
    assert_eq!(home.json(&["daemon", "stop"])["stopped"], false);
    home.run(&["status"]).refused(3, &["no daemon listens"]);
}

#[test]
fn a_database_that_vanished_is_not_replaced_by_an_empty_one() {
    let home = Home::new();
    home.register("alice");
    home.ok(&["daemon", "stop"]);
    for name in ["messages.db", "messages.db-wal", "messages.db-shm"] {
        drop(std::fs::remove_file(home.data_dir().root().join(name)));
    }
    let refused = home.run(&["register", "bob"]);
    refused.refused(
        3,
        &[
            "is gone, though this deployment has been used",
            "ipc admin restore",
        ],
    );
    assert!(!home.data_dir().database().exists());
}
