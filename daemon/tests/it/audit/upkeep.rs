//! What is done to the store as a whole is in the log: how much, and nothing of where a file lay.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use ipc_daemon::audit::{self, anchor::Anchors};
use ipc_daemon::migrate::MigrateError;
use ipc_daemon::store::backup;
use ipc_protocol::private;
use ipc_protocol::request::AdminBackup;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{records, verified};
use crate::backups::{damage, ends_damaged};
use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};
use crate::migration::A_MINUTE_AGO;

/// The facts of the one record of `event`, and that nothing outside is named in any.
fn facts(house: &House, event: &str) -> Value {
    let all = records(house);
    let text = serde_json::to_string(&all).unwrap();
    let outside = house.path().to_str().unwrap();
    assert!(!text.contains(outside), "{text}");
    assert!(!text.contains("CANARY"), "{text}");
    let mut found = all.iter().filter(|record| record.event() == event);
    let record = found.next().unwrap();
    assert!(found.next().is_none(), "once");
    let facts = record.facts();
    facts
        .map(|(field, value)| (field.to_owned(), value.clone()))
        .collect()
}

/// A file of the Python server with a message that was read and one that was not.
fn left_behind(directory: &std::path::Path) {
    let old = Predecessor::new(directory);
    for name in ["alice", "bob"] {
        old.register(name, A_MINUTE_AGO);
    }
    old.session("alice");
    for read in [true, false] {
        old.store(&Old {
            content: "CANARY of a text",
            read,
            ..Old::default()
        });
    }
    old.close();
}

/// What the log says of such a file that came over so.
fn expected(how: &str) -> Value {
    json!({
        "how": how, "read": 1, "unread": 1, "repeated": 0, "names": 2, "forwards": 0,
        "sessions_dropped": 1, "changes": 0,
    })
}

#[test]
fn what_came_over_at_a_start_is_in_the_log_as_numbers() {
    let mut house = House::empty();
    left_behind(house.path());
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    house.stop().unwrap();
    assert_eq!(facts(&house, "migrated"), expected("taken_over"));
    assert_eq!(
        super::events(&house),
        ["file", "migrated", "started", "stopped"]
    );
    verified(&house, &Anchors::default());
}

#[test]
fn what_was_imported_from_a_file_is_in_the_log_and_the_file_is_not_named() {
    let mut house = House::new();
    house.stop().unwrap();
    let elsewhere = house.path().join("CANARY-of-a-path");
    std::fs::create_dir(&elsewhere).unwrap();
    left_behind(&elsewhere);
    house.import(&elsewhere.join("messages.db")).unwrap();
    assert_eq!(facts(&house, "migrated"), expected("imported"));
    house.start().unwrap();
    house.stop().unwrap();
    verified(&house, &Anchors::default());
}

#[test]
fn a_restore_says_which_of_our_backups_it_was_and_names_no_other_file() {
    let mut house = House::new();
    house.register("alice").send("alice", "CANARY of a text");
    house.operator().call(&AdminBackup {}).unwrap();
    house.stop().unwrap();
    let own = backup::list(&house.data_dir()).unwrap().remove(0);
    let other = house.path().join("CANARY-of-a-path.db");
    std::fs::copy(&own, &other).unwrap();
    let name = own.file_name().unwrap().to_str().unwrap();
    let now = house.now();
    for (from, named) in [(&own, name), (&other, "elsewhere")] {
        house.restore(from, now).unwrap();
        let lock = ipc_daemon::lock(&house.data_dir()).unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        audit::note_done(&house.data_dir(), now, &mut rng, &lock).unwrap();
        let said = records(&house).pop().unwrap();
        let said: Value = said
            .facts()
            .map(|(f, v)| (f.to_owned(), v.clone()))
            .collect();
        let expected = json!({"from": named, "why": "asked", "messages": 1, "agents": 1});
        assert_eq!(said, expected);
    }
    let text = serde_json::to_string(&records(&house)).unwrap();
    assert!(!text.contains("CANARY"), "{text}");
    verified(&house, &Anchors::default());
}

#[test]
fn a_backup_that_took_the_place_of_a_damaged_store_by_itself_is_in_the_log() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.send("bob", &"x".repeat(100_000));
    let made = house.operator().call(&AdminBackup {}).unwrap();
    drop(alice);
    house.stop().unwrap();
    damage(&house, 8 * 4_096);
    ends_damaged(&mut house);
    house.start().unwrap();
    house.stop().unwrap();
    assert!(!owed(&house).exists());
    let expected = json!({"from": made.file, "why": "damaged", "messages": 1, "agents": 1});
    assert_eq!(facts(&house, "restored"), expected);
    verified(&house, &Anchors::default());
}

/// Keeps the log from being written while `work` is done.
fn without_a_log<T>(house: &House, work: impl FnOnce() -> T) -> T {
    let (audit, away) = (house.data_dir().audit(), house.path().join("away"));
    let is_there = std::fs::rename(&audit, &away).is_ok();
    std::fs::write(&audit, "in its place").unwrap();
    let done = work();
    std::fs::remove_file(&audit).unwrap();
    if is_there {
        std::fs::rename(&away, &audit).unwrap();
    }
    done
}

/// What the next start is to write into the log.
fn owed(house: &House) -> PathBuf {
    house.path().join("audit.owed")
}

/// Starts and stops the daemon; says how many records of `event` there are then.
fn after_a_start(house: &mut House, event: &str) -> usize {
    house.start().unwrap();
    house.stop().unwrap();
    assert!(!owed(house).exists());
    verified(house, &Anchors::default());
    let events = super::events(house);
    events.iter().filter(|of| *of == event).count()
}

#[test]
fn what_came_over_and_could_not_be_noted_is_in_the_log_after_the_next_start_once() {
    let mut house = House::empty();
    left_behind(house.path());
    let error = without_a_log(&house, || house.take_over().unwrap_err());
    assert!(matches!(error, MigrateError::NotAudited(_)), "{error}");
    let note = std::fs::read(owed(&house)).unwrap();
    assert_eq!(after_a_start(&mut house, "migrated"), 1);
    assert_eq!(facts(&house, "migrated"), expected("taken_over"));
    // Cut off between the record and forgetting it.
    std::fs::write(owed(&house), note).unwrap();
    std::fs::set_permissions(owed(&house), PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(after_a_start(&mut house, "migrated"), 1);

    let mut house = House::new();
    house.stop().unwrap();
    let elsewhere = house.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    left_behind(&elsewhere);
    let path = elsewhere.join("messages.db");
    let error = without_a_log(&house, || house.import(&path).unwrap_err());
    assert!(matches!(error, MigrateError::NotAudited(_)), "{error}");
    assert_eq!(after_a_start(&mut house, "migrated"), 1);
    assert_eq!(facts(&house, "migrated"), expected("imported"));
}

/// A house with a message in a backup, and no daemon.
fn with_a_backup() -> (House, PathBuf) {
    let mut house = House::new();
    house.register("alice").send("alice", "kept");
    house.operator().call(&AdminBackup {}).unwrap();
    house.stop().unwrap();
    let backup = backup::list(&house.data_dir()).unwrap().remove(0);
    (house, backup)
}

#[test]
fn a_restore_that_is_cut_off_before_its_record_is_in_the_log_after_the_next_start_once() {
    let (mut house, backup) = with_a_backup();
    house.restore(&backup, house.now()).unwrap();
    let note = std::fs::read(owed(&house)).unwrap();
    assert_eq!(after_a_start(&mut house, "restored"), 1);
    let name = backup.file_name().unwrap().to_str().unwrap();
    let said = json!({"from": name, "why": "asked", "messages": 1, "agents": 1});
    assert_eq!(facts(&house, "restored"), said);
    std::fs::write(owed(&house), note).unwrap();
    std::fs::set_permissions(owed(&house), PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(after_a_start(&mut house, "restored"), 1);
}

#[test]
fn restores_that_were_cut_off_one_after_the_other_are_all_in_the_log() {
    let (mut house, backup) = with_a_backup();
    for _ in 0..3 {
        house.clock.pass(1);
        house.restore(&backup, house.now()).unwrap();
    }
    let note = std::fs::read(owed(&house)).unwrap();
    assert_eq!(after_a_start(&mut house, "restored"), 3);
    // One that was recorded and not forgotten, and another behind it.
    private::write_file(&owed(&house), &note).unwrap();
    house.clock.pass(1);
    house.restore(&backup, house.now()).unwrap();
    assert_eq!(after_a_start(&mut house, "restored"), 4);
}

#[test]
fn what_was_owed_and_has_not_taken_place_is_not_in_the_log() {
    let (mut house, backup) = with_a_backup();
    let store = house.data_dir().database();
    // Cut off before anything was moved: the store is the one that it was.
    let former = house.restore(&backup, house.now()).unwrap().unwrap();
    std::fs::rename(&store, house.path().join("never")).unwrap();
    std::fs::rename(&former, &store).unwrap();
    assert!(owed(&house).exists());
    assert_eq!(after_a_start(&mut house, "restored"), 0);
    let migrated = |messages| {
        json!({
            "at": house.now(),
            "what": {"migrated": expected("imported")},
            "evidence": {"store_no_longer_holds": {"messages": messages, "agents": 1}},
        })
    };
    // An import that was rolled back, one that was not, and what nobody understands.
    let notes = [
        (json!([migrated(1)]).to_string(), 0),
        (json!([migrated(0)]).to_string(), 1),
        ("{".to_owned(), 1),
    ];
    std::fs::create_dir(owed(&house)).unwrap();
    house.start().unwrap();
    house.stop().unwrap();
    std::fs::remove_dir(owed(&house)).unwrap();
    for (note, records) in notes {
        private::write_file(&owed(&house), note.as_bytes()).unwrap();
        house.start().unwrap();
        house.stop().unwrap();
        let events = super::events(&house);
        let found = events.iter().filter(|of| *of == "migrated").count();
        assert_eq!(found, records, "{note}");
    }
}

#[test]
fn an_import_that_was_cut_off_is_not_in_the_log_because_the_store_was_damaged_since() {
    let mut house = House::new();
    house.register("alice").send("alice", &"x".repeat(100_000));
    house.operator().call(&AdminBackup {}).unwrap();
    house.stop().unwrap();
    let note = json!([{
        "at": house.now(),
        "what": {"migrated": expected("imported")},
        "evidence": {"store_no_longer_holds": {"messages": 1, "agents": 1}},
    }]);
    private::write_file(&owed(&house), note.to_string().as_bytes()).unwrap();
    damage(&house, 8 * 4_096);
    ends_damaged(&mut house);
    assert_eq!(after_a_start(&mut house, "migrated"), 0);
    let events = super::events(&house);
    assert_eq!(events.iter().filter(|of| *of == "restored").count(), 1);
}
