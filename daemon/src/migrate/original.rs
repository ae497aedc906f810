//! The original: whose it is, whether somebody writes to it, and one copy of it.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rusqlite::OpenFlags;
use serde::{Deserialize, Serialize};

use super::error::MigrateError;
use super::large::Directory;
use super::source;
use crate::foreign::{self, Foreign, Owner, beside};
use crate::store::quarantine::is_damage;
use crate::store::{APPLICATION_ID, backup};

/// The first bytes of every SQLite database (the database file format, section 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// What the names of a database's files have behind its own.
const FILES: [&str; 4] = ["", "-journal", "-wal", "-shm"];

/// Whether the file at `path` may be the Python server's: a database that says nothing of its
/// owner and its version. Whether it is, its tables tell.
pub(super) fn may_be_predecessors(path: &Path) -> Result<bool, MigrateError> {
    // A link or another thing in this place is for whoever opens the store to refuse.
    let Ok(file) = foreign::open(path) else {
        return Ok(false);
    };
    Ok(whose(&file, path)? == Whose::Nobodys)
}

#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Nobodys,
    Ours,
    Others,
}

fn whose(file: &File, path: &Path) -> Result<Whose, MigrateError> {
    let mut header = Vec::new();
    let read = file.take(100).read_to_end(&mut header);
    read.map_err(MigrateError::io(path))?;
    let number = |offset: usize| {
        let bytes = header.get(offset..).and_then(|rest| rest.first_chunk());
        bytes.map(|bytes: &[u8; 4]| i32::from_be_bytes(*bytes))
    };
    Ok(match (number(60), number(68)) {
        _ if !header.starts_with(MAGIC) => Whose::Others,
        (Some(_), Some(APPLICATION_ID)) => Whose::Ours,
        (Some(0), Some(0)) => Whose::Nobodys,
        (Some(_) | None, Some(_) | None) => Whose::Others,
    })
}

/// What the original was like: a server that wrote to it since left other facts behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    inode: u64,
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl Facts {
    /// Those of the file at `path`; nothing where there is none.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let facts = std::fs::symlink_metadata(path).ok()?;
        Some(Self::from(&facts))
    }

    fn from(facts: &Metadata) -> Self {
        Self {
            inode: facts.ino(),
            bytes: facts.size(),
            seconds: facts.mtime(),
            nanoseconds: facts.mtime_nsec(),
        }
    }
}

/// The Python server's database, open, with its journals and the directory of its large messages.
/// No program that locks as SQLite does can write to it for as long as this is held.
#[derive(Debug)]
pub struct Original {
    foreign: Foreign,
    large: Directory,
}

impl Original {
    /// Opens the file at `path`; it may lie where the sandbox will not reach.
    ///
    /// # Errors
    /// [`MigrateError`]: not this user's alone, in use, or not the Python server's at first sight.
    pub fn open(path: &Path) -> Result<Self, MigrateError> {
        let foreign = Foreign::open(path, Owner::Own)?;
        match whose(foreign.file(), path)? {
            Whose::Nobodys => {}
            Whose::Ours => return Err(MigrateError::Ours(path.to_owned())),
            Whose::Others => {
                return Err(MigrateError::NotPredecessors {
                    path: path.to_owned(),
                    why: "it is not a SQLite database, or another program's",
                });
            }
        }
        Ok(Self {
            large: Directory::beside(path),
            foreign,
        })
    }

    /// The directory beside it that its large messages are in, if it can be trusted.
    pub const fn large(&self) -> Option<&File> {
        self.large.file()
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        self.foreign.path()
    }

    pub(super) const fn directory(&self) -> &Directory {
        &self.large
    }
}

/// Goes on only if the file at `path` is not what a copy that was not finished has the name of: that
/// is removed and written over, by what is taken over before the file is imported too.
///
/// # Errors
/// [`MigrateError::Untrusted`].
pub fn refuse_unfinished(data_dir: &DataDir, path: &Path) -> Result<(), MigrateError> {
    match std::fs::symlink_metadata(path) {
        Ok(facts) => refuse_to_be_unfinished(data_dir, path, &facts),
        // For whoever opens it to say.
        Err(_) => Ok(()),
    }
}

fn refuse_to_be_unfinished(
    data_dir: &DataDir,
    path: &Path,
    facts: &Metadata,
) -> Result<(), MigrateError> {
    let unfinished = unfinished(data_dir);
    let is_it = |path: &Path| {
        std::fs::symlink_metadata(path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (facts.dev(), facts.ino()))
    };
    if FILES
        .iter()
        .any(|suffix| is_it(&beside(&unfinished, suffix)))
    {
        return Err(MigrateError::Untrusted {
            path: path.to_owned(),
            why: "it has the name of a copy that was not finished; give it another",
        });
    }
    Ok(())
}

/// The copy that is being made.
fn unfinished(data_dir: &DataDir) -> PathBuf {
    data_dir.backups().join("predecessor.partial.db")
}

/// Removes the copy that a migration which was cut off left.
pub(super) fn clear_unfinished(data_dir: &DataDir) {
    remove(&unfinished(data_dir));
}

/// A copy of the original, with what its journal undoes undone. Until it is kept it has a name that
/// says that it is not whole, the only one that is ever removed or written over.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    kept: PathBuf,
    facts: Facts,
}

impl Copy {
    /// Copies the original into the `backups` directory.
    pub(super) fn make(
        original: &Original,
        data_dir: &DataDir,
        now: Timestamp,
    ) -> Result<Self, MigrateError> {
        let directory = data_dir.backups();
        drop(private::ensure_directory(&directory)?);
        let path = unfinished(data_dir);
        let facts = original.foreign.file().metadata();
        let facts = facts.map_err(MigrateError::io(original.path()))?;
        refuse_to_be_unfinished(data_dir, original.path(), &facts)?;
        // Of a migration that was cut off.
        remove(&path);
        let copied = original.foreign.copy(&path);
        let copied = copied.map_err(MigrateError::from);
        let settled = copied.and_then(|()| settle(&path, original.path()));
        settled.inspect_err(|_| remove(&path))?;
        let facts = original.foreign.file().metadata();
        let facts = Facts::from(&facts.map_err(MigrateError::io(original.path()))?);
        let kept = free_name(&directory, now);
        Ok(Self { path, kept, facts })
    }

    /// What the original was like when it was copied.
    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where the copy is until it is kept.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where it will be kept.
    pub(super) fn kept(&self) -> &Path {
        &self.kept
    }

    /// Gives it the name that it stays under.
    pub(super) fn keep(&self) -> Result<(), MigrateError> {
        std::fs::rename(&self.path, &self.kept).map_err(MigrateError::io(&self.kept))
    }

    /// Passes `found` through; a copy of something that is not taken over is not kept.
    pub(super) fn keep_if_good<T>(
        &self,
        found: Result<T, MigrateError>,
    ) -> Result<T, MigrateError> {
        found.inspect_err(|_| self.discard())
    }

    fn discard(&self) {
        remove(&self.path);
        remove(&self.kept);
        drop(std::fs::remove_file(self.kept.with_extension("json")));
    }
}

/// A name for the copy that nothing has, nor a report beside it.
fn free_name(directory: &Path, now: Timestamp) -> PathBuf {
    // 16 digits of milliseconds sort as they count, as in the names of backups.
    let named = |millis| directory.join(format!("predecessor-{millis:016}.db"));
    let is_free = |path: &PathBuf| {
        let report = path.with_extension("json");
        [path, &report]
            .into_iter()
            .all(|path| std::fs::symlink_metadata(path).is_err())
    };
    let mut names = (now.as_millis()..).map(named);
    names
        .find(is_free)
        .unwrap_or_else(|| named(now.as_millis()))
}

fn remove(database: &Path) {
    for suffix in FILES {
        drop(std::fs::remove_file(beside(database, suffix)));
    }
}

/// Makes the copy at `path` one file: what its journal undoes is undone, and it is whole.
fn settle(path: &Path, original: &Path) -> Result<(), MigrateError> {
    let failed = |error: rusqlite::Error| {
        if is_damage(&error) {
            MigrateError::Damaged {
                path: original.to_owned(),
                why: error.to_string(),
            }
        } else {
            MigrateError::sqlite(path, error)
        }
    };
    let db = source::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
    // The check computes what the schema says, for every row.
    if let Some(why) = source::computes(&db).map_err(failed)? {
        return Err(MigrateError::NotPredecessors {
            path: original.to_owned(),
            why,
        });
    }
    let found = backup::quick_check(&db).map_err(failed)?;
    db.close().map_err(|(_, error)| failed(error))?;
    match found {
        None => Ok(()),
        Some(why) => Err(MigrateError::Damaged {
            path: original.to_owned(),
            why,
        }),
    }
}
