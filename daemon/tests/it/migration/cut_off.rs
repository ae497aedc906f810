//! Cut off anywhere, and going on from there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};

fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[test]
fn what_a_migration_that_was_cut_off_left_is_replaced_and_nothing_comes_twice() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old::default());
    let path = old.close();
    for leaving in [".migrating", ".migrating-wal", ".migrating-journal"] {
        fs::write(with_suffix(&path, leaving), "half a store").unwrap();
    }
    fs::create_dir(house.data_dir().backups()).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(house.data_dir().backups(), private).unwrap();
    let partial = house.data_dir().backups().join("predecessor.partial.db");
    fs::write(&partial, "half a copy").unwrap();
    house.take_over().unwrap().unwrap();
    assert!(!partial.exists());
    house.start().unwrap();
    assert_eq!(house.register("bob").check(), ["hello"]);
}

/// A house that was cut off one step before the end: the new store is whole, the original is in its
/// place, and SQLite would roll a journal back into whatever is there.
fn one_step_before_the_end() -> House {
    let house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old::default());
    let path = old.close();
    let original = fs::read(&path).unwrap();
    let report = house.take_over().unwrap().unwrap();
    fs::rename(&path, with_suffix(&path, ".migrated")).unwrap();
    fs::write(&path, original).unwrap();
    let hot = hot_journal(house.path());
    fs::write(with_suffix(&path, "-journal"), hot).unwrap();
    let facts = fs::metadata(&path).unwrap();
    let note = serde_json::json!({
        "original": {
            "inode": facts.ino(), "bytes": facts.size(),
            "seconds": facts.mtime(), "nanoseconds": facts.mtime_nsec(),
        },
        "report": report.path(),
    });
    let beside = with_suffix(&path, ".migrated.json");
    ipc_protocol::private::write_file(&beside, note.to_string().as_bytes()).unwrap();
    house
}

#[test]
fn a_store_that_was_whole_takes_its_place_and_the_old_journal_is_not_rolled_back_into_it() {
    let mut house = one_step_before_the_end();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.unread, 1, "what was done is said now");
    let path = house.data_dir().database();
    for suffix in ["-journal", ".migrated", ".migrated.json", ".migrating-wal"] {
        assert!(!with_suffix(&path, suffix).exists(), "{suffix}");
    }
    house.start().unwrap();
    assert_eq!(house.register("bob").check(), ["hello"]);
}

#[test]
fn what_the_old_server_wrote_after_that_is_not_lost() {
    let mut house = one_step_before_the_end();
    let path = house.data_dir().database();
    fs::remove_file(with_suffix(&path, "-journal")).unwrap();
    let db = rusqlite::Connection::open(&path).unwrap();
    let later = "INSERT INTO messages (from_id, to_id, content, timestamp) VALUES
                 ('alice', 'bob', 'later', '2027-01-15T08:59:30')";
    db.execute(later, []).unwrap();
    db.close().unwrap();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.unread, 2);
    house.start().unwrap();
    assert_eq!(house.register("bob").check(), ["hello", "later"]);
}

#[test]
fn a_migration_that_fails_leaves_no_copy() {
    let house = House::empty();
    let old = Predecessor::new(house.path());
    old.db().execute_batch("BEGIN").unwrap();
    for number in 0..100_002 {
        let sql = "INSERT INTO instances VALUES (?1, '2027-01-15T08:59:00')";
        old.db().execute(sql, [format!("agent-{number}")]).unwrap();
    }
    old.db().execute_batch("COMMIT").unwrap();
    let path = old.close();
    for _ in 0..2 {
        let error = house.take_over().unwrap_err();
        assert!(
            error.to_string().starts_with(path.to_str().unwrap()),
            "{error}"
        );
        let copies = fs::read_dir(house.data_dir().backups()).unwrap();
        assert_eq!(copies.count(), 0);
    }
}

#[test]
fn a_transaction_that_the_old_server_did_not_finish_is_undone_in_the_copy() {
    let mut house = House::empty();
    let directory = tempfile::tempdir().unwrap();
    let old = Predecessor::new(directory.path());
    old.store(&Old::default());
    begin_and_spill(&old);
    // The server dies here: its file and its journal stay as they are.
    let path = house.data_dir().database();
    fs::copy(&old.path, &path).unwrap();
    fs::copy(
        with_suffix(&old.path, "-journal"),
        with_suffix(&path, "-journal"),
    )
    .unwrap();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.unread, 1);
    house.start().unwrap();
    assert_eq!(house.register("bob").check(), ["hello"]);
}

/// Begins a transaction whose pages reach the file before it ends.
fn begin_and_spill(old: &Predecessor) {
    old.db().pragma_update(None, "cache_size", 1).unwrap();
    old.db().execute_batch("BEGIN").unwrap();
    for _ in 0..100 {
        old.store(&Old {
            content: &"never committed ".repeat(100),
            ..Old::default()
        });
    }
    old.db().cache_flush().unwrap();
}

fn hot_journal(elsewhere: &Path) -> Vec<u8> {
    let directory = tempfile::tempdir_in(elsewhere).unwrap();
    let old = Predecessor::new(directory.path());
    old.store(&Old::default());
    begin_and_spill(&old);
    fs::read(with_suffix(&old.path, "-journal")).unwrap()
}

/// The directory of backups with the file of a Python server in it, under each of `names`.
fn among_the_backups(house: &House, names: &[&str]) -> std::path::PathBuf {
    let backups = house.data_dir().backups();
    drop(ipc_protocol::private::ensure_directory(&backups).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let old = Predecessor::new(directory.path());
    old.store(&Old::default());
    let path = old.close();
    for name in names {
        fs::copy(&path, backups.join(name)).unwrap();
    }
    backups
}

#[test]
fn a_complete_copy_is_never_removed_whether_it_is_the_one_that_was_named_or_lies_beside_it() {
    // The last are of our own form, one without its report and one at this moment.
    let names = [
        "predecessor-y.db",
        "predecessor-x.db",
        "predecessor-1700000000000000.db",
        "predecessor-0001800000000000.db",
    ];
    let house = House::empty();
    let backups = among_the_backups(&house, &names);
    let named = backups.join(names[0]);
    let is_as_it_was = |before: &[Vec<u8>]| {
        for (name, before) in names.iter().zip(before) {
            assert!(fs::read(backups.join(name)).unwrap() == *before, "{name}");
        }
    };
    let read = || names.map(|name| fs::read(backups.join(name)).unwrap());
    let mark = |version| {
        let db = rusqlite::Connection::open(&named).unwrap();
        db.execute_batch(version).unwrap();
        db.close().unwrap();
    };
    mark("ALTER TABLE messages RENAME TO letters");
    let before = read();
    house.import(&named).unwrap_err();
    is_as_it_was(&before);
    mark("ALTER TABLE letters RENAME TO messages");
    let before = read();
    let report = house.import(&named).unwrap();
    is_as_it_was(&before);
    let again = house.import(&named).unwrap();
    is_as_it_was(&before);
    assert!(report.copy != again.copy && report.copy.exists() && again.copy.exists());
    assert!(report.path().exists() && again.path().exists());
}

#[test]
fn a_file_with_the_name_of_an_unfinished_copy_is_refused_rather_than_written_over() {
    let house = House::empty();
    let name = "predecessor.partial.db";
    let path = among_the_backups(&house, &[name]).join(name);
    let before = fs::read(&path).unwrap();
    let error = house.import(&path).unwrap_err();
    assert!(error.to_string().contains("not finished"), "{error}");
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn what_a_migration_that_was_cut_off_left_is_gone_when_the_daemon_has_its_store() {
    let mut house = House::new();
    house.register("alice").send("bob", "hello");
    house.stop().unwrap();
    let kept = ["predecessor-0000000000000007.db", "mine.db"];
    let backups = among_the_backups(&house, &["predecessor.partial.db", kept[0], kept[1]]);
    let partial = backups.join("predecessor.partial.db");
    let store = house.data_dir().database();
    let mut left = vec![partial.clone(), with_suffix(&store, ".migrating")];
    left.push(with_suffix(&store, ".migrated.json"));
    for suffix in ["-journal", "-wal", "-shm"] {
        left.push(with_suffix(&partial, suffix));
        left.push(with_suffix(&store, &format!(".migrating{suffix}")));
    }
    for path in &left {
        fs::write(path, "CANARY of a letter").unwrap();
    }
    // Without a store they may be all that there is.
    let away = house.path().join("away");
    fs::rename(&store, &away).unwrap();
    house.start().unwrap_err();
    assert!(left.iter().all(|path| path.exists()));
    fs::rename(&away, &store).unwrap();
    house.start().unwrap();
    for path in &left {
        assert!(!path.exists(), "{}", path.display());
    }
    assert!(kept.iter().all(|name| backups.join(name).exists()));
    assert_eq!(house.register("bob").check(), ["hello"]);
}
