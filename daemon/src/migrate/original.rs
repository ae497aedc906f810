//! The original: whose it is, whether somebody writes to it, and one copy of it.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::error::MigrateError;
use super::place::beside;
use crate::store::open::harden;
use crate::store::quarantine::is_damage;
use crate::store::{APPLICATION_ID, backup, create_private};

/// The first bytes of every SQLite database (the database file format, section 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The last bytes of a journal that names another file, which SQLite would read and delete when
/// it rolls back (the same document, section 3).
const NAMES_ANOTHER: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];

/// Whether the file at `path` may be the Python server's: a database that says nothing of its
/// owner and its version. Whether it is, its tables tell.
pub(super) fn may_be_predecessors(path: &Path) -> Result<bool, MigrateError> {
    // A link or another thing in this place is for whoever opens the store to refuse.
    let Ok(file) = open(path) else {
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

fn open(path: &Path) -> io::Result<File> {
    // NONBLOCK: a FIFO in this place must not hang us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// Opens a file that must be this user's, regular, and writable by nobody else.
pub(super) fn open_own(path: &Path) -> Result<File, MigrateError> {
    let untrusted = |why| MigrateError::Untrusted {
        path: path.to_owned(),
        why,
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(untrusted("it is a symbolic link"));
        }
        Err(error) => return Err(MigrateError::io(path)(error)),
    };
    let facts = file.metadata().map_err(MigrateError::io(path))?;
    if !facts.is_file() {
        return Err(untrusted("it is no regular file"));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(untrusted("it belongs to another user"));
    }
    if facts.mode() & 0o022 != 0 {
        return Err(untrusted("other users may write to it"));
    }
    Ok(file)
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

/// A copy of the original, with the journal that belongs to it; and the lock on the original, which
/// nobody can write to for as long as this is held.
///
/// The lock goes when the process closes the file, whichever way it was opened: nothing opens the
/// original meanwhile.
#[derive(Debug)]
pub(super) struct Copy {
    path: PathBuf,
    facts: Facts,
    _locked: File,
}

impl Copy {
    /// Copies the database at `original` into the `backups` directory, while nobody can write to
    /// it.
    pub(super) fn make(
        original: &Path,
        data_dir: &DataDir,
        now: Timestamp,
    ) -> Result<Self, MigrateError> {
        let file = open_own(original)?;
        match whose(&file, original)? {
            Whose::Nobodys => {}
            Whose::Ours => return Err(MigrateError::Ours(original.to_owned())),
            Whose::Others => {
                return Err(MigrateError::NotPredecessors {
                    path: original.to_owned(),
                    why: "it is not a SQLite database, or another program's",
                });
            }
        }
        // SQLite's own locks lie on bytes of the file: a shared lock on all of it is refused
        // while somebody writes, and keeps everybody from writing until the file is closed.
        fcntl_lock(&file, FlockOperation::NonBlockingLockShared)
            .map_err(|_| MigrateError::Locked(original.to_owned()))?;
        let directory = data_dir.backups();
        drop(private::ensure_directory(&directory)?);
        clear_unreported(&directory);
        let unfinished = directory.join("predecessor.partial.db");
        let copied = fill(&unfinished, &file, original);
        let settled = copied.and_then(|()| settle(&unfinished, original));
        settled.inspect_err(|_| remove(&unfinished))?;
        // 16 digits of milliseconds sort as they count, as in the names of backups.
        let path = directory.join(format!("predecessor-{:016}.db", now.as_millis()));
        std::fs::rename(&unfinished, &path).map_err(MigrateError::io(&path))?;
        let facts = Facts::from(&file.metadata().map_err(MigrateError::io(original))?);
        Ok(Self {
            path,
            facts,
            _locked: file,
        })
    }

    /// What the original was like when it was copied.
    pub(super) const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Where the copy is.
    pub(super) fn path(&self) -> &Path {
        &self.path
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
        drop(std::fs::remove_file(self.path.with_extension("json")));
    }
}

/// Copies of migrations that came to nothing: no report lies beside them.
fn clear_unreported(directory: &Path) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_copy = name.is_some_and(|name| {
            name.starts_with("predecessor") && path.extension().is_some_and(|of| of == "db")
        });
        if is_copy && !path.with_extension("json").exists() {
            remove(&path);
        }
    }
}

fn remove(database: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        drop(std::fs::remove_file(beside(database, suffix)));
    }
}

fn fill(to: &Path, file: &File, original: &Path) -> Result<(), MigrateError> {
    copy_file(file, to)?;
    for suffix in ["-journal", "-wal"] {
        let from = beside(original, suffix);
        let file = match open_own(&from) {
            Ok(file) => file,
            Err(MigrateError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                continue;
            }
            Err(error) => return Err(error),
        };
        if names_another(&file).map_err(MigrateError::io(&from))? {
            return Err(MigrateError::Untrusted {
                path: from,
                why: "it is the journal of several databases",
            });
        }
        copy_file(&file, &beside(to, suffix))?;
    }
    Ok(())
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
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(path, flags).map_err(failed)?;
    harden(&db).map_err(failed)?;
    db.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(failed)?;
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

fn names_another(mut journal: &File) -> io::Result<bool> {
    let length = journal.seek(SeekFrom::End(0))?;
    let mut last = [0; 8];
    if length >= 8 {
        journal.seek(SeekFrom::End(-8))?;
        journal.read_exact(&mut last)?;
    }
    journal.rewind()?;
    Ok(last == NAMES_ANOTHER)
}

fn copy_file(mut from: &File, to: &Path) -> Result<(), MigrateError> {
    let mut copy = || {
        from.rewind()?;
        create_private(to)?;
        let mut file = File::options().write(true).truncate(true).open(to)?;
        io::copy(&mut from, &mut file)?;
        file.sync_all()
    };
    copy().map_err(MigrateError::io(to))
}
