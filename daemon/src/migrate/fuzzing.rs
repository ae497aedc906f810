//! Migrating a foreign file: any bytes as the database, and any rows in one.
//!
//! What must hold whatever is in it: the file stays as it was; what comes of it is an error, or a store
//! that is whole, in which nothing proves anything and nobody vouches for who sent what.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::large::Directory;
use super::source::Source;
use super::writing::Writing;
use super::{MigrateError, Migration, Original, Outside, Report};
use crate::sandbox::{self, SandboxPolicy};
use crate::store::{backup, hardening, migrations};

/// The moment of every migration here: in January, a year after the seeds.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Rows that are written into one file, at most.
const ROWS: usize = 64;

/// The predecessor's tables, without the types that it declared: a file may hold anything.
const TABLES: &str = "
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_id, to_id, content, timestamp,
        data, summary, large_file_path, read_flag);
    CREATE TABLE instances (instance_id, last_seen);
    CREATE TABLE sessions (session_token_hash, instance_id, created_at, expires_at);
    CREATE TABLE name_history (old_name, new_name, changed_at);";

/// Any bytes as the predecessor's database.
pub fn migration_file(bytes: &[u8]) {
    let Ok(room) = tempfile::tempdir() else {
        return;
    };
    let original = room.path().join("old.db");
    if fs::write(&original, bytes).is_err() {
        return;
    }
    import(room.path(), &original);
    assert_eq!(
        fs::read(&original).ok().as_deref(),
        Some(bytes),
        "the original changed"
    );
}

/// Any rows in the predecessor's tables: taken over once, and not once more. Copying the file and making
/// the store are left out: they look at no row, and take most of the time.
pub fn migration_rows(bytes: &[u8]) {
    let Ok(room) = tempfile::tempdir() else {
        return;
    };
    let original = room.path().join("old.db");
    let written = write(&original, Cells(bytes));
    assert!(written.is_ok(), "{written:?}");
    let looked = in_an_empty_store(|store| look(&original, store));
    assert!(looked.is_ok(), "{looked:?}");
}

fn look(original: &Path, store: &Connection) {
    let (first, second) = (take_over(original, store), take_over(original, store));
    assert!(
        matches!((&first, &second), (Ok(_), Ok(_))),
        "{first:?} {second:?}"
    );
    let taken = first.map_or(0, |first| first.read.saturating_add(first.unread));
    let again = second.map(|again| (again.read, again.unread, again.repeated));
    assert_eq!(again.ok(), Some((0, 0, taken)), "taken over twice");
    assert_eq!(wrong_rows(store), Ok(0));
}

/// Lets `look` have a store in memory, which is made once for each thread and is empty again after it.
fn in_an_empty_store(look: impl FnOnce(&Connection)) -> rusqlite::Result<()> {
    thread_local! {
        static STORE: rusqlite::Result<Connection> = empty();
    }
    STORE.with(|store| match store {
        Ok(store) => {
            store.execute_batch("SAVEPOINT empty")?;
            look(store);
            store.execute_batch("ROLLBACK TO empty; RELEASE empty")
        }
        Err(error) => {
            tracing::error!(%error, "no store in memory");
            Err(rusqlite::Error::InvalidQuery)
        }
    })
}

fn empty() -> rusqlite::Result<Connection> {
    let mut db = Connection::open_in_memory()?;
    hardening::harden(&db)?;
    migrations::run(&mut db)?;
    Ok(db)
}

/// Writes what lies at `original` into `store`.
fn take_over(original: &Path, store: &Connection) -> Result<Report, MigrateError> {
    let source = Source::at(original, original)?;
    let mut report = Report::new(original, original, &zone());
    let mut writing = Writing {
        db: store,
        now: NOW,
        zone: &zone(),
        rng: &mut StdRng::seed_from_u64(1),
        large: &Directory::beside(original),
        body_bytes: 1_024,
        report: &mut report,
    };
    writing.run(&source, &mut |_, _| {})?;
    Ok(report)
}

fn zone() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC)
}

/// Imports the file into a store in `room`, and looks at what came of it, if anything did.
fn import(room: &Path, original: &Path) -> Option<()> {
    let data_dir = DataDir::new(room.join("data"), None).ok()?;
    if !data_dir.root().exists() {
        fs::create_dir(data_dir.root()).ok()?;
        fs::set_permissions(data_dir.root(), Permissions::from_mode(0o700)).ok()?;
    }
    fs::set_permissions(original, Permissions::from_mode(0o600)).ok()?;
    let lock = crate::lock(&data_dir).ok()?;
    let mut migration = Migration {
        data_dir: &data_dir,
        now: NOW,
        outside: Outside {
            zone: zone(),
            old_server: None,
        },
        rng: &mut StdRng::seed_from_u64(1),
        progress: &mut |_, _| {},
    };
    let original = Original::open(original).ok()?;
    let inside = sandbox::enter(SandboxPolicy::Off, &data_dir).ok()?;
    migration.import(&original, &lock, &inside).ok()?;
    let sound = backup::verify(&data_dir.database());
    assert!(sound.is_ok(), "{sound:?}");
    let wrong = Connection::open(data_dir.database()).and_then(|db| wrong_rows(&db));
    assert_eq!(wrong, Ok(0));
    Some(())
}

/// How many rows of the store should not be there.
fn wrong_rows(db: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT (SELECT count(*) FROM pragma_foreign_key_check)
             + (SELECT count(*) FROM credentials)
             + (SELECT count(*) FROM messages WHERE uid IS NOT NULL OR pid IS NOT NULL)";
    db.query_row(sql, [], |row| row.get(0))
}

fn write(path: &Path, mut cells: Cells<'_>) -> rusqlite::Result<()> {
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; BEGIN;")?;
    db.execute_batch(TABLES)?;
    for _ in 0..ROWS {
        let Some(kind) = cells.byte() else { break };
        let (table, columns) = match kind % 4 {
            1 => ("instances (instance_id, last_seen)", 2),
            2 => ("name_history (old_name, new_name, changed_at)", 3),
            3 => ("sessions (session_token_hash)", 1),
            _ => (
                "messages (from_id, to_id, content, timestamp, data, read_flag)",
                6,
            ),
        };
        let places = vec!["?"; columns].join(", ");
        let row: Vec<Value> = (0..columns).map(|_| cells.value()).collect();
        let sql = format!("INSERT INTO {table} VALUES ({places})");
        db.execute(&sql, params_from_iter(row))?;
    }
    db.execute_batch("COMMIT")
}

/// What is left of the input, as cells of rows.
struct Cells<'a>(&'a [u8]);

impl Cells<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// A length and so many bytes: text where they are, else a blob; or a number, or nothing.
    fn value(&mut self) -> Value {
        match self.byte() {
            None | Some(255) => Value::Null,
            Some(254) => Value::Integer(self.byte().map_or(0, i64::from)),
            Some(253) => Value::Real(0.5),
            Some(length) => {
                let (bytes, rest) = self.0.split_at(usize::from(length).min(self.0.len()));
                self.0 = rest;
                match std::str::from_utf8(bytes) {
                    Ok(text) => Value::Text(text.to_owned()),
                    Err(_) => Value::Blob(bytes.to_owned()),
                }
            }
        }
    }
}
