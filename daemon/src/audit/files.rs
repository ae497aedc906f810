//! The files in `audit/`: `NUMBER.jsonl`, by the number of their first line, 20 digits; `state`; and
//! `start`, the key of the first line until somebody takes it away.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ipc_protocol::private::PrivateError;

use super::chain::Sequence;

/// A longer line is none of ours, in bytes.
pub(crate) const LINE_BYTES: u64 = 8_192;

/// Why the log cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file or a directory cannot be trusted or reached.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The system refuses.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

impl LogError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether there is nothing at the path.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Private(error) => error.is_missing(),
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
        }
    }
}

/// The path of the file whose first line is `first`.
pub(crate) fn path(directory: &Path, first: Sequence) -> PathBuf {
    directory.join(format!("{first:020}.jsonl"))
}

/// The path of the state.
pub(crate) fn state(directory: &Path) -> PathBuf {
    directory.join("state")
}

/// The path of the key of the first line.
pub(crate) fn start(directory: &Path) -> PathBuf {
    directory.join("start")
}

/// The numbers of the first lines of all files, in order.
pub(crate) fn list(directory: &Path) -> Result<Vec<Sequence>, LogError> {
    let failed = |source| LogError::io(directory, source);
    let mut all = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
        let digits = digits.filter(|d| d.len() == 20 && d.bytes().all(|b| b.is_ascii_digit()));
        all.extend(digits.and_then(|digits| digits.parse::<Sequence>().ok()));
    }
    all.sort_unstable();
    Ok(all)
}

/// Makes the file at `path`, mode 0600. An empty one is left of an attempt that came no further.
pub(crate) fn begin(path: &Path) -> Result<File, LogError> {
    let mut options = File::options();
    options.read(true).append(true).create_new(true).mode(0o600);
    match options.open(path) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = append(path)?;
            let length = file.metadata().map_err(|e| LogError::io(path, e))?.len();
            if length == 0 {
                Ok(file)
            } else {
                Err(LogError::io(path, error))
            }
        }
        Err(error) => Err(LogError::io(path, error)),
    }
}

/// Opens the file at `path` to be read and appended to.
pub(crate) fn append(path: &Path) -> Result<File, LogError> {
    let mut options = File::options();
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    options.read(true).append(true).custom_flags(no_follow);
    options.open(path).map_err(|e| LogError::io(path, e))
}

/// Flushes the names in `directory`.
pub(crate) fn sync(directory: &Path) -> Result<(), LogError> {
    File::open(directory)
        .and_then(|d| d.sync_all())
        .map_err(|e| LogError::io(directory, e))
}
