//! What was put into which file, remembered beside the file that it reads.

use std::io;
use std::path::PathBuf;

use ipc_protocol::id::AgentId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// Largest record, in bytes: two paths and three lines.
const MOST: u64 = 64 * 1_024;

/// What was put in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The file.
    pub(super) path: PathBuf,
    /// Whether the file was made for it.
    pub(super) made: bool,
    /// The text, with the end of line that was missing before it.
    pub(super) text: String,
}

impl Record {
    /// What was put in for `agent`; nothing where nothing was.
    pub(super) fn read(data_dir: &DataDir, agent: AgentId) -> Result<Option<Self>, Failure> {
        let path = data_dir.notice_record(agent);
        match private::read_file(&path, MOST) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
                Failure::local(format!("{} is not a record of notices", path.display()))
                    .hint("move it away, and take the lines out of CLAUDE.md by hand")
            }),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps it.
    pub(super) fn write(&self, data_dir: &DataDir, agent: AgentId) -> Result<(), Failure> {
        drop(private::ensure_directory(&data_dir.notices())?);
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::local(format!("writing JSON: {error}")))?;
        Ok(private::write_file(&data_dir.notice_record(agent), &bytes)?)
    }

    /// Forgets it.
    pub(super) fn forget(data_dir: &DataDir, agent: AgentId) -> Result<(), Failure> {
        let path = data_dir.notice_record(agent);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::local(format!("{}: {error}", path.display())))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}
