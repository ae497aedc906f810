//! Opening the database: ours, or untouched.

mod log;
mod making;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::hardening::harden;
use super::past::Past;
use super::{APPLICATION_ID, SCHEMA_VERSION, migrations, quarantine, restore};
use crate::foreign::beside;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another program's.
    #[error("{path} is not a database of this program ({what}); it has not been touched")]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// What it seems to be.
        what: &'static str,
    },
    /// A later version's.
    #[error(
        "{path} has schema {found}, this program knows {SCHEMA_VERSION}; it has not been touched"
    )]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// Somebody changed its tables, indexes or triggers.
    #[error("the tables of {0} are not as this program makes them; it is not used")]
    Altered(PathBuf),
    /// It was there before and is gone.
    #[error("{0} is gone, though this deployment has been used")]
    Gone(PathBuf),
    /// It is damaged, and no good backup is there.
    #[error("{0} is damaged, and there is no good backup to put in its place")]
    Damaged(PathBuf),
    /// Reading it failed.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// SQLite could not.
    #[error("{path}: {source}")]
    Sqlite {
        /// Where.
        path: PathBuf,
        /// How.
        source: rusqlite::Error,
    },
}

/// What the first bytes of the file say.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Ours,
}

/// Opens the store for writing, making it when there is none. `used_before` says that this
/// deployment has had a database: then a missing one is never replaced by an empty one in silence.
///
/// # Errors
/// [`OpenError`]; a database that is not ours has not been touched.
pub fn open_writer(
    data_dir: &DataDir,
    used_before: bool,
    now: Timestamp,
) -> Result<Connection, OpenError> {
    open(data_dir, used_before, now).map(|opened| opened.db)
}

/// A store that was opened for writing, and what was found out about it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) db: Connection,
    /// Who served it before, told from the version that it was at.
    pub(crate) past: Past,
}

/// The same for the daemon; tells what was done before with the store, and clears what was left
/// beside it.
pub(crate) fn open_telling_past(
    data_dir: &DataDir,
    used_before: bool,
    now: Timestamp,
) -> Result<Opened, OpenError> {
    let opened = open(data_dir, used_before, now)?;
    // Not before there is a store: until then it may be all that there is.
    restore::clear_leavings(data_dir);
    Ok(opened)
}

fn open(data_dir: &DataDir, used_before: bool, now: Timestamp) -> Result<Opened, OpenError> {
    let path = data_dir.database();
    let sqlite = |source| OpenError::Sqlite {
        path: path.clone(),
        source,
    };
    // A log beside a database of somebody else is none of ours, and may be written to right now.
    if data_dir.damage_marker().exists() || matches!(examine(&path), Ok(Found::Ours)) {
        let log = beside(&path, "-wal");
        log::write_again(&log).map_err(|source| OpenError::Io { path: log, source })?;
    }
    let replaced = quarantine::replace_damaged(data_dir, now);
    replaced.map_err(|_| OpenError::Damaged(path.clone()))?;
    if examine(&path)? == Found::Nothing {
        if used_before {
            return Err(OpenError::Gone(path));
        }
        making::make(data_dir)?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut db = Connection::open_with_flags(&path, flags).map_err(sqlite)?;
    // Another process of ours (a backup's check) may hold the file for a moment.
    db.busy_timeout(std::time::Duration::from_secs(5))
        .map_err(sqlite)?;
    let version = migrations::version(&db).map_err(sqlite)?;
    prepare(&mut db).map_err(sqlite)?;
    if !migrations::is_as_made(&db).map_err(sqlite)? {
        return Err(OpenError::Altered(path));
    }
    let past = Past::of(&db, version).map_err(sqlite)?;
    Ok(Opened { db, past })
}

/// Makes a store at `path`, where there is none, to be filled before it is a store: what is
/// written is on disk only when its file has been flushed after closing.
pub(crate) fn create(path: &Path) -> Result<Connection, OpenError> {
    super::create_private(path).map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    let sqlite = |source| OpenError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let mut db = Connection::open(path).map_err(sqlite)?;
    prepare(&mut db).map_err(sqlite)?;
    db.pragma_update(None, "synchronous", "OFF")
        .map_err(sqlite)?;
    // 64 MiB, while nothing else runs: what is filled is large, and each page is written once.
    db.pragma_update(None, "cache_size", -65_536)
        .map_err(sqlite)?;
    Ok(db)
}

fn prepare(db: &mut Connection) -> rusqlite::Result<()> {
    if migrations::version(db)? == 0 {
        mark(db)?;
    }
    harden(db)?;
    db.pragma_update(None, "secure_delete", "FAST")?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    migrations::run(db)
}

/// Before anything else is in it, and before the WAL: the file itself says whose it is.
fn mark(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    db.pragma_update(None, "application_id", APPLICATION_ID)
}

fn examine(path: &Path) -> Result<Found, OpenError> {
    let mut file = match File::options()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(source) => {
            return Err(OpenError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let mut header = Vec::new();
    let read = Read::by_ref(&mut file).take(100).read_to_end(&mut header);
    read.map_err(|source| OpenError::Io {
        path: path.to_owned(),
        source,
    })?;
    if header.is_empty() {
        return Ok(Found::Nothing);
    }
    let foreign = |what| OpenError::NotOurs {
        path: path.to_owned(),
        what,
    };
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign(
            "not a SQLite database, or damaged at its first byte",
        ));
    }
    match number_at(&header, 68) {
        Some(id) if id == i64::from(APPLICATION_ID) => {}
        Some(0) => return Err(foreign("a SQLite database without an owner's mark")),
        Some(_) | None => return Err(foreign("another program's SQLite database")),
    }
    match number_at(&header, 60) {
        Some(version) if version > i64::from(SCHEMA_VERSION) => Err(OpenError::Newer {
            path: path.to_owned(),
            found: version,
        }),
        Some(_) | None => Ok(Found::Ours),
    }
}

/// The big-endian number at `offset` of the header (the database file format, section 1.3).
fn number_at(header: &[u8], offset: usize) -> Option<i64> {
    let bytes = header.get(offset..)?.first_chunk::<4>()?;
    Some(i64::from(u32::from_be_bytes(*bytes)))
}

fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}
