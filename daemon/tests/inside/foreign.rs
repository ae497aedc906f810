//! Databases of others: opened outside, looked into from inside, where nothing else of what lies
//! around them can be reached.

use std::fs::File;
use std::path::{Path, PathBuf};

use ipc_daemon::foreign::Foreign;
use ipc_daemon::migrate::{MigrateError, Migration, Original, Outside, Report};
use ipc_daemon::sandbox::{Inside, SandboxPolicy, enter_reading, harden};
use ipc_daemon::store::{open, restore};
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{ensure_directory, write_file};
use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::Connection;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

const TEXT: &str = "The beginning is long enough for it. The rest is in the file alone.";

/// The predecessor's tables, with a message whose text is in a file.
const OLD: &str = "
    CREATE TABLE messages (id INTEGER PRIMARY KEY, from_id TEXT NOT NULL, to_id TEXT NOT NULL,
        content TEXT NOT NULL, timestamp TEXT NOT NULL, summary TEXT, large_file_path TEXT);
    INSERT INTO messages VALUES (1, 'alice', 'bob',
        'The beginning is long enough for it. Full content saved to: /old/large-messages/one.md',
        '2027-01-15T08:00:00', NULL, '/old/large-messages/one.md');";

fn data_dir(room: &Path) -> DataDir {
    DataDir::new(room.join("data"), None).unwrap()
}

/// A database of the predecessor's outside, `spoil`ed.
fn old(room: &Path, spoil: &str) -> PathBuf {
    let directory = room.join("old");
    drop(ensure_directory(&directory).unwrap());
    let large = directory.join("large-messages");
    drop(ensure_directory(&large).unwrap());
    let file = format!("# Large\nFrom: alice\nTo: bob\n\n## Content\n{TEXT}\n");
    write_file(&large.join("one.md"), file.as_bytes()).unwrap();
    let path = directory.join("messages.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(OLD).unwrap();
    db.execute_batch(spoil).unwrap();
    path
}

/// Shuts this process in as `ipc admin migrate` and `ipc admin restore` do.
fn shut_in(room: &Path, directory: Option<&File>) -> Inside {
    harden().unwrap();
    let inside = enter_reading(SandboxPolicy::Require, &data_dir(room), directory).unwrap();
    assert!(std::fs::read(room.join("outside")).is_err());
    assert!(File::open(room.join("old/messages.db")).is_err());
    assert!(File::open(room.join("other/messages.db")).is_err());
    inside
}

/// Imports it from inside.
fn import(room: &Path, path: &Path) -> Result<Report, MigrateError> {
    let data_dir = data_dir(room);
    let lock = ipc_daemon::lock(&data_dir).unwrap();
    let original = Original::open(path)?;
    let inside = shut_in(room, original.large());
    let mut migration = Migration {
        data_dir: &data_dir,
        now: NOW,
        outside: Outside {
            zone: TimeZone::UTC,
            old_server: None,
        },
        rng: &mut StdRng::seed_from_u64(1),
        progress: &mut |_, _| {},
    };
    migration.import(&original, &lock, &inside)
}

pub(super) fn a_file_from_elsewhere_is_imported_with_its_large_messages(room: &Path) {
    let report = import(room, &old(room, "")).unwrap();
    assert_eq!((report.unread, report.from_files), (1, 1));
    let large = room.join("old/large-messages");
    assert!(File::open(large.join("one.md")).is_ok(), "what it may read");
    assert!(std::fs::read_dir(&large).is_err(), "and no more");
    assert!(File::create(large.join("two.md")).is_err());
}

pub(super) fn a_hostile_file_from_elsewhere_is_refused(room: &Path) {
    let spoil = "ALTER TABLE messages RENAME TO kept; CREATE VIEW messages AS SELECT * FROM kept;";
    let refused = import(room, &old(room, spoil));
    assert!(
        matches!(refused, Err(MigrateError::NotPredecessors { .. })),
        "{refused:?}"
    );
    assert_eq!(backups(room), 0);
}

pub(super) fn a_damaged_file_from_elsewhere_is_refused(room: &Path) {
    let rows = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
        INSERT INTO messages SELECT i, 'alice', 'bob', 'hello', '2027', NULL, NULL FROM n;";
    let path = old(room, rows);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4_096..16_384].fill(0xa5);
    write_file(&path, &bytes).unwrap();
    let refused = import(room, &path);
    assert!(
        matches!(refused, Err(MigrateError::Damaged { .. })),
        "{refused:?}"
    );
    assert_eq!(backups(room), 0);
}

/// How many files are among the backups.
fn backups(room: &Path) -> usize {
    std::fs::read_dir(data_dir(room).backups()).unwrap().count()
}

/// A store outside, with its log, `spoil`ed.
fn other(room: &Path, spoil: &str) -> PathBuf {
    let root = room.join("other");
    drop(ensure_directory(&root).unwrap());
    let other = DataDir::new(root, None).unwrap();
    let db = open::open_writer(&other, false, NOW).unwrap();
    db.execute_batch(spoil).unwrap();
    other.database()
}

/// Restores it from inside; what it came to, in words.
fn restored(room: &Path, path: &Path) -> Result<(), String> {
    let _lock = ipc_daemon::lock(&data_dir(room)).unwrap();
    let foreign = Foreign::open_backup(path).unwrap();
    let inside = shut_in(room, None);
    let done = restore::restore_foreign(&data_dir(room), &foreign, NOW, &inside);
    let left = std::fs::read_dir(room.join("data")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        !left
            .into_iter()
            .any(|name| name.starts_with(".restoring-from"))
    );
    done.map(drop).map_err(|error| error.to_string())
}

pub(super) fn a_backup_from_elsewhere_is_restored(room: &Path) {
    restored(room, &other(room, "")).unwrap();
    assert!(data_dir(room).database().exists());
}

pub(super) fn a_hostile_backup_from_elsewhere_is_refused(room: &Path) {
    let spoil = "CREATE TRIGGER keep BEFORE DELETE ON credentials BEGIN SELECT raise(IGNORE); END";
    let path = other(room, spoil);
    let why = restored(room, &path).unwrap_err();
    assert!(why.starts_with(&path.display().to_string()), "{why}");
    assert!(why.contains("not as this program makes them"), "{why}");
    assert!(!data_dir(room).database().exists());
}
