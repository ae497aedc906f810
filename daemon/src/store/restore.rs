//! A backup in the place of the store: its mail comes back, what was revoked since does not.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use rusqlite::Connection;

use super::backup::{
    BackupError, copy_database, io_at, remove_if_there, sqlite_at, sync_directory, verify,
};
use super::hardening::harden;
use super::migrations;
use crate::audit::event::RestoreCause;
use crate::audit::owed::{Evidence, PendingChange};
use crate::foreign::{Foreign, beside};
use crate::sandbox::Inside;

/// What the names of a database's files have behind its own.
const FILES: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// Under which names a backup is made ready. The second is for when it is the first that is to be
/// restored: a restore that was cut off left it.
const MADE_READY: [&str; 2] = [".restoring.db", ".restoring-2.db"];

/// The same for the copy of one from elsewhere.
const FROM_ELSEWHERE: [&str; 2] = [".restoring-from.db", ".restoring-from-2.db"];

/// Takes over who may come back, and with which secret, from the store that is replaced: the
/// backup may be older than a revocation or a rotation.
const FORMER_CREDENTIALS: &str = "
    BEGIN;
    DELETE FROM verifiers;
    INSERT INTO verifiers SELECT * FROM former.verifiers;
    DELETE FROM credentials;
    INSERT INTO credentials SELECT * FROM former.credentials
        WHERE kind = 'resume' AND agent IN (SELECT agent FROM agents WHERE ended_ms IS NULL);
    COMMIT;
    DETACH former;";

/// Takes over who is frozen.
const FORMER_FREEZES: &str = "
    BEGIN;
    INSERT OR IGNORE INTO frozen SELECT * FROM former.frozen
        WHERE agent IN (SELECT agent FROM agents WHERE ended_ms IS NULL);
    INSERT OR IGNORE INTO standstill SELECT * FROM former.standstill;
    COMMIT;
    DETACH former;";

/// Puts the backup at `from`, in the data directory, in the place of the store. The daemon must not
/// run. What was there is moved aside; its path is returned.
///
/// Sessions are over. Resume credentials and the secret are those of the store that is replaced;
/// if that cannot be read, no credential is left and every agent registers again with the secret,
/// which gives it its name and its mail.
///
/// # Errors
/// [`BackupError`]; unless the backup is good, nothing has been touched.
pub fn restore(
    data_dir: &DataDir,
    from: &Path,
    now: Timestamp,
    _inside: &Inside,
) -> Result<Option<PathBuf>, BackupError> {
    put_in_place(data_dir, from, RestoreCause::Asked, now)
}

/// The same with a backup that lies elsewhere: it is copied into the data directory first.
///
/// # Errors
/// As [`restore`].
pub fn restore_foreign(
    data_dir: &DataDir,
    from: &Foreign,
    now: Timestamp,
    inside: &Inside,
) -> Result<Option<PathBuf>, BackupError> {
    let given = from.file().metadata().map_err(io_at(from.path()))?;
    let copy = room_for(data_dir, FROM_ELSEWHERE, &given)?;
    let copied = from.copy(&copy).map_err(BackupError::from);
    let restored = copied.and_then(|()| restore(data_dir, &copy, now, inside));
    remove_database(&copy)?;
    restored.map_err(|error| error.said_of(&copy, from.path()))
}

/// Removes what a restore that was cut off left: copies of all the mail. Only the daemon does this,
/// under its lock: a command may have been given one of them.
pub(super) fn clear_leavings(data_dir: &DataDir) {
    for name in MADE_READY.into_iter().chain(FROM_ELSEWHERE) {
        let path = data_dir.root().join(name);
        if let Err(error) = remove_database(&path) {
            tracing::warn!(%error, "what a restore left could not be removed");
        }
    }
}

/// The first of `names` that does not stand for the file that was `given`, nor for one beside which
/// that lies, with nothing there any more.
fn room_for(
    data_dir: &DataDir,
    [first, second]: [&str; 2],
    given: &Metadata,
) -> Result<PathBuf, BackupError> {
    let first = data_dir.root().join(first);
    let is_given = |path: &Path| {
        let there = std::fs::symlink_metadata(path);
        there.is_ok_and(|there| (there.dev(), there.ino()) == (given.dev(), given.ino()))
    };
    let is_first = FILES.iter().any(|suffix| is_given(&beside(&first, suffix)));
    let path = if is_first {
        data_dir.root().join(second)
    } else {
        first
    };
    remove_database(&path)?;
    Ok(path)
}

fn remove_database(path: &Path) -> Result<(), BackupError> {
    for suffix in FILES {
        remove_if_there(&beside(path, suffix))?;
    }
    Ok(())
}

/// What [`restore`] does: a daemon that finds its store damaged is where it may. That it was done is for the
/// audit log to be told, by whoever asked or by the start that this is part of.
pub(super) fn put_in_place(
    data_dir: &DataDir,
    from: &Path,
    why: RestoreCause,
    now: Timestamp,
) -> Result<Option<PathBuf>, BackupError> {
    verify(from)?;
    let given = std::fs::metadata(from).map_err(io_at(from))?;
    let copy = room_for(data_dir, MADE_READY, &given)?;
    let ready = make_ready(data_dir, from, &copy);
    // It is no use to anybody, and has all the mail in it.
    let owed = ready.and_then(|()| {
        let evidence = Evidence::store_is_file(&copy).map_err(io_at(&copy))?;
        Ok(PendingChange::restored(data_dir, from, why, now, evidence).write(data_dir)?)
    });
    owed.inspect_err(|_| drop(remove_database(&copy)))?;
    let aside = move_aside(data_dir, now)?;
    let database = data_dir.database();
    std::fs::rename(&copy, &database).map_err(io_at(&database))?;
    remove_if_there(&data_dir.damage_marker())?;
    sync_directory(data_dir.root())?;
    Ok(aside)
}

/// Copies `from` to `copy`, to be the store.
fn make_ready(data_dir: &DataDir, from: &Path, copy: &Path) -> Result<(), BackupError> {
    copy_database(from, copy)?;
    let mut db = Connection::open(copy).map_err(sqlite_at(copy))?;
    harden(&db)
        .and_then(|()| settle_credentials(&mut db, data_dir))
        .map_err(sqlite_at(copy))?;
    let closed = |(_, source)| BackupError::Sqlite {
        path: copy.to_owned(),
        source,
    };
    db.close().map_err(closed)?;
    File::open(copy)
        .and_then(|file| file.sync_all())
        .map_err(io_at(copy))
}

fn settle_credentials(copy: &mut Connection, data_dir: &DataDir) -> rusqlite::Result<()> {
    let former = data_dir.database();
    let good = verify(&former).is_ok();
    match former.to_str().filter(|_| good) {
        Some(path) => {
            keep_freezes(copy, path)?;
            copy.execute("ATTACH ?1 AS former", [path])?;
            copy.execute_batch(FORMER_CREDENTIALS)
        }
        None => copy.execute("DELETE FROM credentials", []).map(|_| ()),
    }
}

/// Whoever was frozen stays frozen: the backup may be older than that. A backup of a schema that
/// knows no freezes is brought up to date for it.
fn keep_freezes(copy: &mut Connection, former: &str) -> rusqlite::Result<()> {
    copy.execute("ATTACH ?1 AS former", [former])?;
    let sql = "SELECT count(*) FROM former.sqlite_schema WHERE name IN ('frozen', 'standstill')";
    let is_known: bool = copy.query_row(sql, [], |row| Ok(row.get::<_, i64>(0)? == 2))?;
    let sql =
        "SELECT EXISTS (SELECT 1 FROM former.frozen) OR EXISTS (SELECT 1 FROM former.standstill)";
    let is_frozen = is_known && copy.query_row(sql, [], |row| row.get(0))?;
    copy.execute_batch("DETACH former")?;
    if !is_frozen {
        return Ok(());
    }
    migrations::run(copy)?;
    copy.execute("ATTACH ?1 AS former", [former])?;
    copy.execute_batch(FORMER_FREEZES)
}

fn move_aside(data_dir: &DataDir, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    let database = data_dir.database();
    let aside = data_dir
        .root()
        .join(format!("messages.db.replaced-{}", now.as_millis()));
    let mut moved = None;
    for suffix in ["", "-wal", "-shm"] {
        let with = |path: &Path| beside(path, suffix);
        match std::fs::rename(with(&database), with(&aside)) {
            Ok(()) => moved = Some(aside.clone()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(BackupError::Io {
                    path: with(&database),
                    source,
                });
            }
        }
    }
    Ok(moved)
}
