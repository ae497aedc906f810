//! Where the new store is built, and how it takes the place of the old one.
//!
//! `messages.db.migrating` is unfinished and worth nothing; renamed to `messages.db.migrated` it
//! is whole and on disk. From then on the original counts no more: what SQLite left beside it is
//! removed (a journal of the old file would be rolled back into the new one), and the new store
//! takes its name. Each step may be cut off; [`finish`] goes on from wherever that was.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;

use super::error::MigrateError;
use super::original;

/// What SQLite puts beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// The store that is being built.
pub(super) fn unfinished(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("messages.db.migrating")
}

fn whole(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("messages.db.migrated")
}

/// Whether a whole store waits to take its place.
pub(super) fn waits(data_dir: &DataDir) -> bool {
    whole(data_dir).exists()
}

/// Removes what a migration that was cut off, or failed, left behind. What cannot be removed is
/// found again when it is in the way.
pub(super) fn clear(data_dir: &DataDir) {
    let path = unfinished(data_dir);
    for suffix in [""].into_iter().chain(BESIDE) {
        drop(std::fs::remove_file(beside(&path, suffix)));
    }
}

/// Says that the store that was being built is whole: from here on it is the store.
pub(super) fn complete(data_dir: &DataDir) -> Result<(), MigrateError> {
    let (from, to) = (unfinished(data_dir), whole(data_dir));
    let sync = File::open(&from).and_then(|file| file.sync_all());
    sync.map_err(MigrateError::io(&from))?;
    std::fs::rename(&from, &to).map_err(MigrateError::io(&to))?;
    sync_directory(data_dir)
}

/// Puts a whole store in the place of the old one, if one waits.
pub(super) fn finish(data_dir: &DataDir) -> Result<(), MigrateError> {
    if !waits(data_dir) {
        return Ok(());
    }
    let (from, database) = (whole(data_dir), data_dir.database());
    if original::may_be_predecessors(&database)? {
        for suffix in BESIDE {
            remove(&beside(&database, suffix))?;
        }
        sync_directory(data_dir)?;
    } else if database.exists() {
        return Err(MigrateError::Ours(database));
    }
    std::fs::rename(&from, &database).map_err(MigrateError::io(&database))?;
    sync_directory(data_dir)
}

/// The path of what SQLite keeps beside the database at `path`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
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
