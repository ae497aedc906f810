//! What is not taken over: the original is as it was, and so is the store.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use ipc_daemon::migrate::MigrateError;
use rusqlite::Connection;

use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};

/// Spoils an old file and imports it into a used deployment.
fn import_after(spoil: impl FnOnce(Predecessor)) -> MigrateError {
    let mut house = House::new();
    let before = house.register("alice").send("alice", "note").message_id;
    house.stop().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let old = Predecessor::new(directory.path());
    old.store(&Old::default());
    let path = old.path.clone();
    spoil(old);
    let bytes = fs::read(&path).ok();
    let error = house.import(&path).unwrap_err();
    assert_eq!(fs::read(&path).ok(), bytes, "the original is as it was");
    let copies = fs::read_dir(house.data_dir().backups());
    assert_eq!(copies.map_or(0, Iterator::count), 0, "no copy is kept");
    house.start().unwrap();
    let resume = house.database();
    let ids: i64 = resume
        .query_row("SELECT count(*) FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(ids, 1, "{before}");
    error
}

fn not_predecessors(error: &MigrateError) -> bool {
    matches!(error, MigrateError::NotPredecessors { .. })
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let error = import_after(|old| fs::write(old.close(), "Dear diary").unwrap());
    assert!(not_predecessors(&error), "{error}");
    let error = import_after(|old| fs::write(old.close(), "").unwrap());
    assert!(not_predecessors(&error), "{error}");
}

#[test]
fn a_store_of_this_program_is_told_apart() {
    let other = House::new();
    let error = import_after(|old| {
        let path = old.close();
        let db = other.database();
        db.execute("VACUUM INTO ?1", [path.with_extension("ours").to_str()])
            .unwrap();
        fs::rename(path.with_extension("ours"), path).unwrap();
    });
    assert!(matches!(error, MigrateError::Ours(_)), "{error}");
}

#[test]
fn another_programs_database_and_a_later_version_of_the_old_one_are_refused() {
    for mark in ["PRAGMA user_version = 3", "PRAGMA application_id = 77"] {
        let error = import_after(|old| {
            old.db().execute_batch(mark).unwrap();
        });
        assert!(not_predecessors(&error), "{error}");
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let error = import_after(|old| {
        for _ in 0..200 {
            old.store(&Old::default());
        }
        let path = old.close();
        let mut bytes = fs::read(&path).unwrap();
        let end = bytes.len();
        bytes[end / 2..end / 2 + 4_096].fill(0xA5);
        fs::write(path, bytes).unwrap();
    });
    assert!(matches!(error, MigrateError::Damaged { .. }), "{error}");
}

#[test]
fn half_a_file_is_refused() {
    let error = import_after(|old| {
        let path = old.close();
        let bytes = fs::read(&path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(matches!(error, MigrateError::Damaged { .. }), "{error}");
}

#[test]
fn a_file_that_others_may_write_to_is_refused() {
    let error = import_after(|old| {
        fs::set_permissions(old.close(), Permissions::from_mode(0o666)).unwrap();
    });
    assert!(matches!(error, MigrateError::Untrusted { .. }), "{error}");
}

#[test]
fn links_pipes_and_other_users_files_are_refused() {
    let house = House::empty();
    let directory = tempfile::tempdir().unwrap();
    let path = Predecessor::new(directory.path()).close();
    let (link, pipe) = (directory.path().join("link"), directory.path().join("pipe"));
    symlink(&path, &link).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    // A file of root's, or, for root, one that is given away.
    let foreign = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&path, Some(12_345), None).unwrap();
        path
    } else {
        Path::new("/etc/passwd").to_owned()
    };
    for path in [link, pipe, foreign] {
        let error = house.import(&path).unwrap_err();
        assert!(matches!(error, MigrateError::Untrusted { .. }), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let error = House::empty().import(Path::new("/nowhere/messages.db"));
    assert!(matches!(error, Err(MigrateError::Io { .. })), "{error:?}");
}

#[test]
fn while_the_old_server_answers_nothing_is_touched() {
    let house = House::empty();
    let path = Predecessor::new(house.path()).close();
    let before = fs::read(&path).unwrap();
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = server.local_addr().unwrap();
    let refused = house.take_over_beside(address);
    assert!(matches!(refused, Err(MigrateError::OldServerRuns(at)) if at == address));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!house.data_dir().backups().exists());
}

#[test]
fn a_journal_that_names_another_file_is_not_followed() {
    let error = import_after(|old| {
        let mut journal = b"/home/somebody/anything\0".to_vec();
        journal.extend([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]);
        let path = old.close();
        fs::write(path.with_extension("db-journal"), journal).unwrap();
    });
    assert!(matches!(error, MigrateError::Untrusted { .. }), "{error}");
}

#[test]
fn views_virtual_tables_and_computed_columns_are_no_tables_of_messages() {
    let text = "AS from_id, 'b' AS to_id, 'c' AS content, 'd' AS timestamp";
    let view = format!("CREATE VIEW messages AS SELECT 'a' {text}");
    for statement in [
        view.as_str(),
        "CREATE VIRTUAL TABLE messages USING fts5(from_id, to_id, content, timestamp)",
        "CREATE TABLE messages (from_id TEXT, to_id TEXT, content TEXT AS (upper(from_id)),
         timestamp TEXT)",
        "CREATE TABLE messages (rowid TEXT, from_id TEXT, to_id TEXT, content TEXT,
         timestamp TEXT)",
        "CREATE TABLE messages (sender TEXT, text TEXT)",
        "CREATE TABLE letters (id INTEGER)",
    ] {
        let error = import_after(|old| {
            let path = old.close();
            fs::remove_file(&path).unwrap();
            let db = Connection::open(&path).unwrap();
            db.execute_batch(statement).unwrap();
        });
        assert!(not_predecessors(&error), "{statement}: {error}");
    }
}

#[test]
fn triggers_views_wrong_types_and_huge_rows_are_data_or_left_out() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old::default());
    old.db()
        .execute_batch(
            "CREATE TABLE proof (ran TEXT);
             CREATE TRIGGER t1 AFTER INSERT ON messages BEGIN INSERT INTO proof VALUES ('x'); END;
             CREATE TRIGGER t2 AFTER UPDATE ON messages BEGIN DELETE FROM messages; END;
             CREATE VIEW agents AS SELECT * FROM messages;
             PRAGMA ignore_check_constraints = on;
             INSERT INTO messages (from_id, to_id, content, timestamp, read_flag)
             VALUES (x'00ff', 'bob', 'blob for a sender', 'now', 0),
                    ('alice', 'bob', 17, 'now', 0),
                    ('alice', 'bob', x'c328', 'now', 0),
                    ('alice', 'bob', CAST(x'c328' AS TEXT), 'now', 0),
                    ('alice', 'bob', zeroblob(20000000), 'now', 0),
                    ('alice', 'bob', 'a flag that is text', '2027-01-15T08:59:00', 'yes'),
                    ('alice', 'bob', 'no time', 'yesterday', 0),
                    ('alice', 'bob', 'data that is none', '2027-01-15T08:59:00', 0);
             UPDATE sqlite_sequence SET seq = seq;
             UPDATE instances SET last_seen = 'never';",
        )
        .unwrap();
    let path = old.close();
    let bytes = fs::read(&path).unwrap();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.unread, 5);
    assert_eq!(report.left_out.len(), 6, "{:?}", report.left_out);
    let copy = fs::read(report.copy).unwrap();
    assert_eq!(copy.len(), bytes.len(), "the copy is the original");
    house.start().unwrap();
    let texts = house.register("bob").check();
    assert_eq!(texts[0], "hello");
    assert!(texts.contains(&"a flag that is text".to_owned()));
}

#[test]
fn a_store_of_our_own_that_was_moved_away_is_not_replaced_in_silence() {
    let mut house = House::new();
    house.stop().unwrap();
    fs::remove_file(house.data_dir().database()).unwrap();
    Predecessor::new(house.path()).close();
    let refused = house.take_over();
    assert!(
        matches!(refused, Err(MigrateError::InPlaceOfOurs(_))),
        "{refused:?}"
    );
}

/// A row that none of the expressions below can be computed for: the absolute value of the smallest
/// integer is an error of SQLite's.
const SMALLEST: &str = "CREATE TABLE other (x);
    INSERT INTO other VALUES (-9223372036854775807 - 1);
    PRAGMA writable_schema = on;";

#[test]
fn no_constraint_of_a_foreign_file_is_computed() {
    // False for every row, an error for this one, and one that takes a gigabyte.
    for check in ["0", "abs(x) > 0", "length(hex(zeroblob(490000000))) > 0"] {
        let house = House::empty();
        let directory = tempfile::tempdir().unwrap();
        let old = Predecessor::new(directory.path());
        old.store(&Old::default());
        let forged = format!(
            "{SMALLEST}
             UPDATE sqlite_schema SET sql = 'CREATE TABLE other (x CHECK ({check}))'
             WHERE name = 'other';
             UPDATE sqlite_schema SET sql = replace(sql, 'content TEXT NOT NULL',
             'content TEXT NOT NULL CHECK (abs(-9223372036854775807 - 1))') WHERE name = 'messages'"
        );
        old.db().execute_batch(&forged).unwrap();
        let report = house.import(&old.close()).unwrap();
        assert_eq!(report.unread, 1, "{check}");
    }
}

#[test]
fn a_file_that_would_have_something_computed_is_refused_before_its_rows_are_looked_at() {
    let forged = |sql: &str| {
        format!("{SMALLEST} UPDATE sqlite_schema SET sql = '{sql}' WHERE name = 'other'")
    };
    for (statement, why) in [
        (
            forged("CREATE TABLE other (x, y NOT NULL AS (abs(x)))"),
            "computed columns",
        ),
        (
            forged("CREATE TABLE other (x, y INTEGER AS (abs(x)) VIRTUAL)"),
            "computed columns",
        ),
        (
            forged("CREATE /**/ VIRTUAL TABLE other USING fts5(x)"),
            "virtual tables",
        ),
        (
            forged("CREATE TABLE other (x, y NOT NULL AS (abs(x)))")
                + "; UPDATE sqlite_schema SET type = 'TABLE', sql = CAST(sql AS BLOB) WHERE name = 'other'",
            "virtual tables",
        ),
        (
            "CREATE VIRTUAL TABLE words USING fts5(content, content = 'messages')".to_owned(),
            "virtual tables",
        ),
        (
            "CREATE INDEX letters ON messages (upper(content))".to_owned(),
            "something computed",
        ),
        (
            "CREATE UNIQUE INDEX rows ON messages (id, abs(id))".to_owned(),
            "something computed",
        ),
        (
            "CREATE INDEX some ON messages (id) WHERE abs(id) > 0".to_owned(),
            "a part that is computed",
        ),
    ] {
        let error = import_after(|old| old.db().execute_batch(&statement).unwrap());
        assert!(not_predecessors(&error), "{statement}: {error}");
        assert!(error.to_string().contains(why), "{statement}: {error}");
    }
}
