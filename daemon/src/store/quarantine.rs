//! What happens to a damaged store: it is marked, and the next start puts the newest good backup in
//! its place. An empty store never takes the place of a damaged one.

use std::path::Path;

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{backup, hardening, migrations, restore};
use crate::audit::event::RestoreCause;

/// There is no good backup to put in the place of the damaged store.
#[derive(Debug, thiserror::Error)]
#[error("no good backup is there")]
pub(crate) struct NoGoodBackup;

/// Whether `error` says that the store is damaged. Others (no descriptor left, no memory, a lock)
/// pass, and must not cost the mail since the last backup.
pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// Writes down that the store is damaged, so that the next start replaces it.
pub(crate) fn mark(data_dir: &DataDir, why: &str) {
    if let Err(error) = private::write_file(&data_dir.damage_marker(), why.as_bytes()) {
        tracing::error!(%error, "the damage could not be written down");
    }
}

/// Puts the newest good backup in the place of a store that is marked as damaged.
pub(crate) fn replace_damaged(data_dir: &DataDir, now: Timestamp) -> Result<(), NoGoodBackup> {
    if !data_dir.damage_marker().exists() {
        return Ok(());
    }
    match mend_words(&data_dir.database()) {
        Ok(true) => {
            tracing::error!("the index of words was damaged and is made anew; no mail is missing");
            let removed = backup::remove_if_there(&data_dir.damage_marker());
            return removed.map_err(|_| NoGoodBackup);
        }
        Ok(false) => {}
        Err(error) => tracing::error!(%error, "the damage is not in the index of words alone"),
    }
    let backups = backup::list(data_dir).unwrap_or_else(|error| {
        tracing::error!(%error, "backups cannot be listed");
        Vec::new()
    });
    for backup in backups {
        match restore::put_in_place(data_dir, &backup, RestoreCause::Damaged, now) {
            Ok(aside) => {
                tracing::error!(
                    backup = %backup.display(),
                    damaged = %aside.unwrap_or_default().display(),
                    "the store was damaged: a backup has taken its place, mail since then is missing"
                );
                return Ok(());
            }
            Err(error) => tracing::error!(%error, "this backup is passed over"),
        }
    }
    Err(NoGoodBackup)
}

/// Makes the index of words anew if nothing else is damaged: it holds nothing that the texts do not,
/// and no mail since the last backup is to be lost over it. Says whether it did.
fn mend_words(database: &Path) -> rusqlite::Result<bool> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(database, flags)?;
    hardening::harden(&db)?;
    let findings = db
        .prepare("PRAGMA integrity_check")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    // SQLite's own words for what is wrong in the index and nowhere else.
    let is_words = |finding: &String| {
        finding.starts_with("fts5: ") || finding.contains("inverted index for FTS5 table")
    };
    if !findings.iter().all(is_words) || !migrations::is_as_made(&db)? {
        return Ok(false);
    }
    db.execute("INSERT INTO words (words) VALUES ('rebuild')", [])?;
    drop(db);
    Ok(backup::verify(database).is_ok())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_damage_is_damage() {
        let of = |code| is_damage(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!(of(ffi::SQLITE_CORRUPT) && of(ffi::SQLITE_NOTADB));
        for passing in [
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_FULL,
        ] {
            assert!(!of(passing), "{passing}");
        }
    }
}
