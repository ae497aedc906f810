//! Where the new store is built, and how it takes the place of the old one.
//!
//! `messages.db.migrating` is unfinished and worth nothing; renamed to `messages.db.migrated` it
//! is whole and on disk, and what the original was like lies beside it. Then what SQLite left
//! beside the original is removed (a journal of the old file would be rolled back into the new
//! one), and the new store takes its name. Cut off before the last step, [`finish`] does it, unless
//! somebody wrote to the original since: then it was all for nothing, and begins anew.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use serde::{Deserialize, Serialize};

use super::error::MigrateError;
use super::original::Facts;
use crate::foreign::beside;

/// What SQLite puts beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Largest note that is read, in bytes.
const LARGEST_NOTE: u64 = 4_096;

/// What lies beside a whole store that has not taken its place yet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    /// What the original was like.
    pub(super) original: Facts,
    /// Where the report is.
    pub(super) report: PathBuf,
}

/// The store that is being built.
pub(super) fn unfinished(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("messages.db.migrating")
}

/// The store that is whole and waits.
pub(super) fn whole(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("messages.db.migrated")
}

fn note(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("messages.db.migrated.json")
}

/// Whether a whole store waits to take its place.
pub(super) fn waits(data_dir: &DataDir) -> bool {
    whole(data_dir).exists()
}

/// Removes what a migration that was cut off, or failed, left behind. What cannot be removed is
/// found again when it is in the way.
pub(super) fn clear(data_dir: &DataDir) {
    for path in [unfinished(data_dir), whole(data_dir)] {
        for suffix in [""].into_iter().chain(BESIDE) {
            drop(std::fs::remove_file(beside(&path, suffix)));
        }
    }
    drop(std::fs::remove_file(note(data_dir)));
}

/// Says that the store that was being built is whole: from here on it is the store, unless the
/// original changes.
pub(super) fn complete(data_dir: &DataDir, of: &Note) -> Result<(), MigrateError> {
    let (from, to) = (unfinished(data_dir), whole(data_dir));
    for suffix in BESIDE {
        remove(&beside(&from, suffix))?;
    }
    let sync = File::open(&from).and_then(|file| file.sync_all());
    sync.map_err(MigrateError::io(&from))?;
    let json = serde_json::to_vec(of).map_err(std::io::Error::other);
    let json = json.map_err(MigrateError::io(&to))?;
    private::write_file(&note(data_dir), &json)?;
    std::fs::rename(&from, &to).map_err(MigrateError::io(&to))?;
    sync_directory(data_dir)
}

/// Puts the whole store in the place of the original.
pub(super) fn swap(data_dir: &DataDir) -> Result<(), MigrateError> {
    let database = data_dir.database();
    for suffix in BESIDE {
        remove(&beside(&database, suffix))?;
    }
    sync_directory(data_dir)?;
    std::fs::rename(whole(data_dir), &database).map_err(MigrateError::io(&database))?;
    sync_directory(data_dir)?;
    remove(&note(data_dir))
}

/// Does the last step of a migration that was cut off before it, after what is to be done `before` with
/// its report; says where that is, or nothing if there was none, or the original has changed since.
pub(super) fn finish(
    data_dir: &DataDir,
    before: impl FnOnce(&Path) -> Result<(), MigrateError>,
) -> Result<Option<PathBuf>, MigrateError> {
    if !waits(data_dir) {
        return Ok(None);
    }
    let note = private::read_file(&note(data_dir), LARGEST_NOTE).ok();
    let note: Option<Note> = note.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let unchanged = note.filter(|note| {
        let now = Facts::of(&data_dir.database());
        now.as_ref() == Some(&note.original)
    });
    let Some(note) = unchanged else {
        clear(data_dir);
        return Ok(None);
    };
    before(&note.report)?;
    swap(data_dir)?;
    Ok(Some(note.report))
}

fn remove(path: &Path) -> Result<(), MigrateError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(MigrateError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn sync_directory(data_dir: &DataDir) -> Result<(), MigrateError> {
    let root = data_dir.root();
    let synced = File::open(root).and_then(|directory| directory.sync_all());
    synced.map_err(MigrateError::io(root))
}
