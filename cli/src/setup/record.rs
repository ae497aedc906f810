//! What setup has written, remembered in the data directory: `setup/HOST.json`, mode 0600.
//!
//! It holds what was put in and hashes of the files, never a copy of a file: theirs may hold
//! secrets.

use std::path::PathBuf;

use data_encoding::HEXLOWER;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::entry::Placed;
use super::file::remove_if_empty;
use super::host::Host;
use super::text::Splice;
use crate::failure::Failure;

/// Largest record, in bytes: a few entries, each a few hundred.
const MOST: u64 = 1 << 20;

/// What was written for one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// The files, in the order in which they were written.
    pub(crate) files: Vec<FileRecord>,
    /// Whether the data directory was made for this record.
    pub(crate) made_data_directory: bool,
}

/// What was written into one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRecord {
    /// The file; where a link stood there, what it led to.
    pub(crate) path: PathBuf,
    /// Whether the file was made.
    pub(crate) made: bool,
    /// The directories that were made for it, the outermost first.
    pub(crate) made_directories: Vec<PathBuf>,
    /// SHA-256 of the file before and after.
    pub(crate) before: String,
    /// The same, after.
    pub(crate) after: String,
    /// What was put in, in order.
    pub(crate) splices: Vec<Splice>,
    /// What stands there because of it.
    pub(crate) placed: Vec<Placed>,
}

/// SHA-256 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

fn directory(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("setup")
}

fn path(data_dir: &DataDir, host: Host) -> PathBuf {
    directory(data_dir).join(format!("{}.json", host.word()))
}

/// What was written for `host`; nothing where nothing was.
pub(crate) fn read(data_dir: &DataDir, host: Host) -> Result<Option<Record>, Failure> {
    let path = path(data_dir, host);
    match private::read_file(&path, MOST) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
            Failure::local(format!("{} is not a record of setup", path.display()))
                .hint("move it away; what was written stays until you take it out yourself")
        }),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the data directory is not there yet, or was made for a record: whichever host's record
/// goes last takes the directory with it.
pub(crate) fn made_data_directory(data_dir: &DataDir) -> Result<bool, Failure> {
    if !data_dir.root().exists() {
        return Ok(true);
    }
    for host in Host::ALL {
        if read(data_dir, host)?.is_some_and(|record| record.made_data_directory) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Keeps `record`, making the directories that it needs.
pub(crate) fn write(data_dir: &DataDir, host: Host, record: &Record) -> Result<(), Failure> {
    drop(private::ensure_directory(data_dir.root())?);
    drop(private::ensure_directory(&directory(data_dir))?);
    let bytes = serde_json::to_vec_pretty(record)
        .map_err(|error| Failure::local(format!("writing JSON: {error}")))?;
    Ok(private::write_file(&path(data_dir, host), &bytes)?)
}

/// Forgets what was written for `host`, and the directories that only the record needed.
pub(crate) fn forget(data_dir: &DataDir, host: Host, record: &Record) -> Result<(), Failure> {
    let path = path(data_dir, host);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::local(format!("{}: {error}", path.display())));
        }
        Ok(()) | Err(_) => {}
    }
    // Those that hold anything stay, as the system sees to.
    if remove_if_empty(&directory(data_dir)) && record.made_data_directory {
        remove_if_empty(data_dir.root());
    }
    Ok(())
}
