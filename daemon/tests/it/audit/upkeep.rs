//! What is done to the store as a whole is in the log: how much, and nothing of where a file lay.

use ipc_daemon::audit::{self, anchor::Anchors};
use ipc_daemon::store::backup;
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
        let path = from.to_str().unwrap();
        audit::note_restore(&house.data_dir(), path, now, &mut rng, &lock).unwrap();
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
    let expected = json!({"from": made.file, "why": "damaged", "messages": 1, "agents": 1});
    assert_eq!(facts(&house, "restored"), expected);
    verified(&house, &Anchors::default());
}
