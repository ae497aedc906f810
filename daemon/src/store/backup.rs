//! Backups: made beside the running store, checked before they count, the newest seven kept.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::{APPLICATION_ID, SCHEMA_VERSION, hardening, migrations};
use crate::foreign::ForeignError;
use crate::limits::BACKUPS;

/// How the name of a backup begins that is being made, and those of what SQLite writes beside it.
const UNFINISHED: &str = ".new-";

/// Why a backup was not made, or is not good.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Files failed.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// The directory cannot be trusted.
    #[error(transparent)]
    Private(#[from] private::PrivateError),
    /// SQLite could not.
    #[error("{path}: {source}")]
    Sqlite {
        /// Where.
        path: PathBuf,
        /// How.
        source: rusqlite::Error,
    },
    /// It is damaged, or not one of ours.
    #[error("{path} is no good backup: {why}")]
    NotGood {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl From<ForeignError> for BackupError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Untrusted { path, why } => Self::NotGood {
                path,
                why: why.to_owned(),
            },
            ForeignError::InUse(path) => Self::NotGood {
                path,
                why: "it is in use by another process".to_owned(),
            },
            ForeignError::Io { path, source } => Self::Io { path, source },
        }
    }
}

impl BackupError {
    /// Names `original` where it names `copy`, which nobody knows of.
    pub(super) fn said_of(mut self, copy: &Path, original: &Path) -> Self {
        let named = match &mut self {
            Self::Io { path, .. } | Self::Sqlite { path, .. } | Self::NotGood { path, .. } => path,
            Self::Private(_) => return self,
        };
        if named == copy {
            original.clone_into(named);
        }
        self
    }
}

/// A backup that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// Copies the running store, as it is at one moment, into the `backups` directory.
///
/// # Errors
/// [`BackupError`]; then nothing is left behind, and older backups are still there.
pub fn make(data_dir: &DataDir, now: Timestamp) -> Result<Backup, BackupError> {
    let directory = data_dir.backups();
    drop(private::ensure_directory(&directory)?);
    let database = data_dir.database();
    remove_leavings(&directory)?;
    // In the directory where it will stay: an older Landlock lets nothing be moved to another.
    let copy = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempfile_in(&directory)
        .map_err(io_at(&directory))?
        .into_temp_path();
    copy_database(&database, &copy)?;
    verify(&copy)?;
    let file = File::open(&copy).map_err(io_at(&copy))?;
    file.sync_all().map_err(io_at(&copy))?;
    let bytes = file.metadata().map_err(io_at(&copy))?.len();
    // 16 digits of milliseconds sort as they count, until the year 318857.
    let path = directory.join(format!("messages-{:016}.db", now.as_millis()));
    copy.persist(&path)
        .map_err(|error| io_at(&path)(error.error))?;
    sync_directory(&directory)?;
    prune(&directory)?;
    Ok(Backup { path, bytes })
}

/// Checks that the file at `path` is a whole database of ours.
///
/// # Errors
/// [`BackupError::NotGood`] with the first thing that is wrong.
pub fn verify(path: &Path) -> Result<(), BackupError> {
    let not_good = |why: String| BackupError::NotGood {
        path: path.to_owned(),
        why,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(path, flags).map_err(|e| not_good(e.to_string()))?;
    hardening::keep_within(&db).map_err(|e| not_good(e.to_string()))?;
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i32>(0));
    let owner = number("PRAGMA application_id").map_err(|e| not_good(e.to_string()))?;
    if owner != APPLICATION_ID {
        return Err(not_good("it is not a database of this program".to_owned()));
    }
    let version = number("PRAGMA user_version").map_err(|e| not_good(e.to_string()))?;
    if !(1..=SCHEMA_VERSION).contains(&version) {
        return Err(not_good(format!("its schema is {version}")));
    }
    match migrations::is_as_made(&db) {
        Ok(true) => {}
        Ok(false) => {
            return Err(not_good(
                "its tables are not as this program makes them".into(),
            ));
        }
        Err(error) => return Err(not_good(error.to_string())),
    }
    match quick_check(&db) {
        Ok(None) => Ok(()),
        Ok(Some(why)) => Err(not_good(why)),
        Err(error) => Err(not_good(error.to_string())),
    }
}

/// Looks for damage; `None` when there is none.
///
/// # Errors
/// Those of SQLite: the damage keeps it from looking.
pub fn quick_check(db: &Connection) -> rusqlite::Result<Option<String>> {
    let finding: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((finding != "ok").then_some(finding))
}

/// The backups, newest first.
///
/// # Errors
/// [`BackupError::Io`] when the directory cannot be read; nothing when there is none.
pub fn list(data_dir: &DataDir) -> Result<Vec<PathBuf>, BackupError> {
    let directory = data_dir.backups();
    let entries = match std::fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(BackupError::Io {
                path: directory,
                source,
            });
        }
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    let mut paths: Vec<_> = paths.filter(|path| made_at(path).is_some()).collect();
    paths.sort();
    paths.reverse();
    Ok(paths)
}

/// When the backup at `path` was made, as its name says.
pub fn made_at(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_prefix("messages-")?.strip_suffix(".db")?;
    (digits.len() == 16).then_some(())?;
    digits.parse().ok().map(Timestamp::from_millis)
}

pub(super) fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(from, flags).map_err(sqlite_at(from))?;
    db.busy_timeout(std::time::Duration::from_secs(5))
        .and_then(|()| hardening::keep_within(&db))
        .map_err(sqlite_at(from))?;
    let target = to.to_str().ok_or_else(|| BackupError::NotGood {
        path: to.to_owned(),
        why: "its path is not UTF-8".to_owned(),
    })?;
    // SQLite itself would leave the mode to the umask; into an empty file it writes as well.
    super::create_private(to).map_err(io_at(to))?;
    // One consistent snapshot, however long it takes and whatever is written meanwhile.
    db.execute("VACUUM INTO ?1", [target])
        .map_err(sqlite_at(from))?;
    Ok(())
}

/// Removes what a backup that was cut off left behind. One backup is made at a time.
fn remove_leavings(directory: &Path) -> Result<(), BackupError> {
    let entries = std::fs::read_dir(directory).map_err(io_at(directory))?;
    for path in entries.filter_map(|entry| entry.ok().map(|e| e.path())) {
        let name = path.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.starts_with(UNFINISHED)) {
            remove_if_there(&path)?;
        }
    }
    Ok(())
}

fn prune(directory: &Path) -> Result<(), BackupError> {
    let entries = std::fs::read_dir(directory).map_err(io_at(directory))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|e| e.path()));
    let mut backups: Vec<_> = paths.filter(|path| made_at(path).is_some()).collect();
    backups.sort();
    let surplus = backups.len().saturating_sub(BACKUPS);
    for old in backups.into_iter().take(surplus) {
        remove_if_there(&old)?;
    }
    Ok(())
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), BackupError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(BackupError::Io {
            path: path.to_owned(),
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    }
}

pub(super) fn sync_directory(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(io_at(path))
}

pub(super) fn io_at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io {
        path: path.clone(),
        source,
    }
}

pub(super) fn sqlite_at(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Sqlite {
        path: path.clone(),
        source,
    }
}
