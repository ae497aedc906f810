//! A database that lies where the sandbox does not reach: opened before it, copied and looked into
//! only inside.
//!
//! What always holds: SQLite opens it inside only. Out here a file is opened and asked for its facts;
//! of its bytes, fixed fields of the header and the end of a journal are compared with constants.
//! Opening follows no link and waits for nobody. From then until this is dropped no program that
//! locks as SQLite does can write to it, and no more of it is copied than it had then, nor more than
//! there is room for.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::store::create_private;

/// What belongs to a database that a program did not close. The shared memory is made anew.
const JOURNALS: [&str; 2] = ["-journal", "-wal"];

/// The last bytes of a journal that names another file, which SQLite would read and delete when
/// it rolls back (the database file format, section 3).
const NAMES_ANOTHER: [u8; 8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7];

/// A database of another program or another deployment, open for reading, with its journals.
#[derive(Debug)]
pub struct Foreign {
    path: PathBuf,
    /// Locked. The lock goes when the process closes the file, whichever way it was opened: nothing
    /// opens the original meanwhile.
    database: Part,
    journals: Vec<Part>,
}

/// A file of it, open for reading.
#[derive(Debug)]
struct Part {
    /// What its name has behind the database's.
    suffix: &'static str,
    file: File,
    /// What it had when it was opened, in bytes.
    length: u64,
}

/// Whose file it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// This user's, and nobody else may write to it.
    Own,
    /// Anybody's who lets it be read.
    Anybody,
}

/// Why a database elsewhere cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// Something else than a file, or one that somebody else may write to.
    #[error("{path} cannot be trusted: {why}")]
    Untrusted {
        /// Where.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// Another process writes to it.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// Files failed, or the disk has no room for the copy.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

impl ForeignError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }
}

impl Foreign {
    /// Opens the backup at `path`, which lies elsewhere and may be anybody's; its writers, if they
    /// are SQLite's, are kept out.
    ///
    /// # Errors
    /// [`ForeignError`]: no regular file, being written to, or with a log beside it and open anywhere.
    pub fn open_backup(path: &Path) -> Result<Self, ForeignError> {
        Self::open(path, Owner::Anybody)
    }

    /// The same of a file that may be `owner`'s.
    pub(crate) fn open(path: &Path, owner: Owner) -> Result<Self, ForeignError> {
        let mut database = open_part(path, "", owner)?;
        let file = &database.file;
        let in_use = || ForeignError::InUse(path.to_owned());
        // SQLite's own locks lie on bytes of the file: a shared lock on all of it is refused
        // while somebody writes, and keeps everybody from writing until the file is closed.
        match fcntl_lock(file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => {}
            Err(Errno::AGAIN | Errno::ACCESS) => return Err(in_use()),
            Err(error) => return Err(ForeignError::io(path)(error.into())),
        }
        // Until here somebody may have written to it.
        database.length = file.metadata().map_err(ForeignError::io(path))?.len();
        let mut journals = Vec::new();
        for suffix in JOURNALS {
            let at = beside(path, suffix);
            let journal = match open_part(&at, suffix, owner) {
                Ok(journal) => journal,
                Err(ForeignError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if names_another(&journal.file).map_err(ForeignError::io(&at))? {
                return Err(ForeignError::Untrusted {
                    path: at,
                    why: "it is the journal of several databases",
                });
            }
            journals.push(journal);
        }
        // Whoever writes to a log ahead locks the shared memory, and this file as every reader does.
        if journals.iter().any(|part| part.suffix == "-wal") && is_open_elsewhere(&database.file) {
            return Err(in_use());
        }
        Ok(Self {
            path: path.to_owned(),
            database,
            journals,
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database itself, at its first byte.
    pub(crate) const fn file(&self) -> &File {
        &self.database.file
    }

    /// Copies it and its journals to `to`, where nothing is; fails where the disk has no room for all
    /// that they had when they were opened.
    pub(crate) fn copy(&self, to: &Path) -> Result<(), ForeignError> {
        for part in std::iter::once(&self.database).chain(&self.journals) {
            let to = beside(to, part.suffix);
            part.copy(&to).map_err(ForeignError::io(&to))?;
        }
        Ok(())
    }
}

impl Part {
    fn copy(&self, to: &Path) -> io::Result<()> {
        let mut from = &self.file;
        from.rewind()?;
        create_private(to)?;
        let mut file = File::options().write(true).truncate(true).open(to)?;
        // A file with holes may claim more than any disk has.
        let room = rustix::fs::fstatvfs(&file)?;
        if self.length > room.f_bavail.saturating_mul(room.f_frsize) {
            let why = format!("there is no room for {} bytes", self.length);
            return Err(io::Error::new(ErrorKind::StorageFull, why));
        }
        io::copy(&mut from.take(self.length), &mut file)?;
        file.sync_all()
    }
}

/// Opens a regular file, following no link.
fn open_part(path: &Path, suffix: &'static str, owner: Owner) -> Result<Part, ForeignError> {
    let untrusted = |why| ForeignError::Untrusted {
        path: path.to_owned(),
        why,
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(untrusted("it is a symbolic link"));
        }
        Err(error) => return Err(ForeignError::io(path)(error)),
    };
    let facts = file.metadata().map_err(ForeignError::io(path))?;
    if !facts.is_file() {
        return Err(untrusted("it is no regular file"));
    }
    if owner == Owner::Own {
        if facts.uid() != rustix::process::geteuid().as_raw() {
            return Err(untrusted("it belongs to another user"));
        }
        if facts.mode() & 0o022 != 0 {
            return Err(untrusted("other users may write to it"));
        }
    }
    Ok(Part {
        suffix,
        file,
        length: facts.len(),
    })
}

/// Opens what is at `path` for reading.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // NONBLOCK: a FIFO in this place must not hang us.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    File::options()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// The path of what SQLite keeps beside the database at `path`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether another process has a lock on any byte of `file`.
fn is_open_elsewhere(file: &File) -> bool {
    let all = Flock::from(FlockType::WriteLock);
    // Who cannot ask gets the answer that keeps the file as it is.
    !matches!(fcntl_getlk(file, &all), Ok(None))
}

fn names_another(mut journal: &File) -> io::Result<bool> {
    let length = journal.seek(SeekFrom::End(0))?;
    let mut last = [0; 8];
    if length >= 8 {
        journal.seek(SeekFrom::End(-8))?;
        journal.read_exact(&mut last)?;
    }
    Ok(last == NAMES_ANOTHER)
}
