//! Why nothing was taken over. Whatever is said here, the original is as it was.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private::PrivateError;

use crate::audit::LogError;
use crate::foreign::ForeignError;
use crate::store::backup::BackupError;
use crate::store::open::OpenError;

/// Why a migration did not happen.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Something answers where the Python server listens.
    #[error("the Python server still runs: something answers on {0}")]
    OldServerRuns(SocketAddr),
    /// Another process writes to the file.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// It lies where our own store was.
    #[error("{0} is the Python server's, but this deployment has had a store of its own there")]
    InPlaceOfOurs(PathBuf),
    /// It is not a file of the Python server.
    #[error("{path} is not a database of the Python server: {why}")]
    NotPredecessors {
        /// Where.
        path: PathBuf,
        /// What is different.
        why: &'static str,
    },
    /// It is a store of this program.
    #[error("{0} is a store of this program already")]
    Ours(PathBuf),
    /// Another user's, or one that others may write to.
    #[error("{path} cannot be trusted: {why}")]
    Untrusted {
        /// Where.
        path: PathBuf,
        /// Why.
        why: &'static str,
    },
    /// SQLite finds damage in it.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// Where.
        path: PathBuf,
        /// What SQLite found first.
        why: String,
    },
    /// It holds more than a Python server ever would.
    #[error("{path} holds more than {most} {what}")]
    TooMany {
        /// Where.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many are taken over at most.
        most: usize,
    },
    /// Files failed.
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
    /// Our own store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The backup of our own store, or the new store, is not good.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// A directory or file of ours cannot be trusted.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// It is done, but the audit log does not say so.
    #[error("everything came over, and it is not in the audit log yet: {0}")]
    NotAudited(LogError),
}

impl From<ForeignError> for MigrateError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Untrusted { path, why } => Self::Untrusted { path, why },
            ForeignError::InUse(path) => Self::Locked(path),
            ForeignError::Io { path, source } => Self::Io { path, source },
        }
    }
}

impl MigrateError {
    /// SQLite failed on the file at `path`.
    pub(super) fn sqlite(path: &Path, source: rusqlite::Error) -> Self {
        Self::Sqlite {
            path: path.to_owned(),
            source,
        }
    }

    /// SQLite failed on our own store.
    pub(super) fn store(data_dir: &DataDir, source: rusqlite::Error) -> Self {
        Self::sqlite(&data_dir.database(), source)
    }

    /// The system failed on the file at `path`.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io {
            path: path.clone(),
            source,
        }
    }

    /// Whether the disk was full.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Self::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            Self::OldServerRuns(_)
            | Self::Locked(_)
            | Self::InPlaceOfOurs(_)
            | Self::NotPredecessors { .. }
            | Self::Ours(_)
            | Self::Untrusted { .. }
            | Self::Damaged { .. }
            | Self::TooMany { .. }
            | Self::Store(_)
            | Self::Backup(_)
            | Self::Private(_)
            | Self::NotAudited(_) => false,
        }
    }
}
