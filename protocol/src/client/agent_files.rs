//! `agents/NAME.json`: what a front-end comes back with, shared by all that act for one agent.
//!
//! Every change happens under `agents/NAME.lock` (an exclusive `flock`, never unlinked) as: read
//! again, write a new file, flush, rename. A rename of the agent leaves a pointer behind.

use std::fs::File;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::id::AgentId;
use crate::name::Name;
use crate::paths::DataDir;
use crate::private::{self, PrivateError};
use crate::time::Timestamp;
use crate::token::Token;

/// Largest file that is read, in bytes; ours are under 1 KiB.
const LARGEST: u64 = 16 * 1_024;

/// Renames that are followed before a ring of pointers is given up on.
const MOST_MOVES: usize = 16;

/// What is kept for one agent.
#[derive(Debug, Serialize, Deserialize)]
pub struct AgentRecord {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: Name,
    /// Proves to be the same agent.
    pub resume: Token,
    /// The session that command line, hooks and shim share.
    #[serde(default)]
    pub session: Option<StoredSession>,
    /// The process that stood for the agent when it registered.
    #[serde(default)]
    pub host: Option<HostRecord>,
    /// The folder of the project that it works in, where an agent's host said so: a host that is
    /// started there again comes back to it.
    #[serde(default)]
    pub project: Option<PathBuf>,
}

/// A session and when it ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredSession {
    /// The token.
    pub token: Token,
    /// When it ends in any case.
    pub abs_expires_ms: Timestamp,
}

/// A process, told apart from a later one with the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// Its id.
    pub pid: u32,
    /// When it started, in clock ticks after boot.
    pub start_ticks: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Moved { moved_to: Name },
    Agent(Box<AgentRecord>),
}

/// Why a file of credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AgentFileError {
    /// It cannot be trusted or reached.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// It holds something else.
    #[error("{0} is not a file of credentials; move it away and register again")]
    Damaged(PathBuf),
}

/// The directory of credentials.
#[derive(Debug, Clone)]
pub struct AgentFiles {
    data_dir: DataDir,
}

impl AgentFiles {
    /// The credentials in `data_dir`.
    pub const fn new(data_dir: DataDir) -> Self {
        Self { data_dir }
    }

    /// The agent that `name` stands for, over the pointers that renames left.
    ///
    /// # Errors
    /// [`AgentFileError`] for a file that cannot be read.
    pub fn follow(&self, name: &Name) -> Result<Option<AgentRecord>, AgentFileError> {
        let mut name = name.clone();
        for _ in 0..MOST_MOVES {
            match self.read(&name)? {
                Some(Content::Agent(record)) => return Ok(Some(*record)),
                Some(Content::Moved { moved_to }) => name = moved_to,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Every agent with credentials here, in no order; files that cannot be used are left out.
    ///
    /// # Errors
    /// [`AgentFileError`] when the directory cannot be read; nothing when there is none.
    pub fn all(&self) -> Result<Vec<AgentRecord>, AgentFileError> {
        let directory = self.data_dir.agents();
        let entries = match std::fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(PrivateError::Io {
                    path: directory,
                    source,
                }
                .into());
            }
        };
        let names = entries.filter_map(|entry| {
            let file = entry.ok()?.file_name();
            Name::parse(file.to_str()?.strip_suffix(".json")?).ok()
        });
        let records = names.filter_map(|name| match self.read(&name) {
            Ok(Some(Content::Agent(record))) => Some(*record),
            Ok(Some(Content::Moved { .. }) | None) | Err(_) => None,
        });
        Ok(records.collect())
    }

    /// Locks the credentials of `name`, waiting for whoever has them.
    ///
    /// # Errors
    /// [`AgentFileError`] when directory or lock cannot be trusted.
    pub fn lock(&self, name: &Name) -> Result<AgentLock<'_>, AgentFileError> {
        self.lock_with(name, FlockOperation::LockExclusive)
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// As [`Self::lock`], and when somebody has them.
    pub fn try_lock(&self, name: &Name) -> Result<AgentLock<'_>, AgentFileError> {
        self.lock_with(name, FlockOperation::NonBlockingLockExclusive)
    }

    fn lock_with(
        &self,
        name: &Name,
        operation: FlockOperation,
    ) -> Result<AgentLock<'_>, AgentFileError> {
        drop(private::ensure_directory(&self.data_dir.agents())?);
        let path = self.data_dir.agent_lock(name);
        let file = private::open_lock(&path)?;
        flock(&file, operation).map_err(|e| PrivateError::Io {
            path,
            source: e.into(),
        })?;
        Ok(AgentLock {
            files: self,
            name: name.clone(),
            _held: file,
        })
    }

    fn read(&self, name: &Name) -> Result<Option<Content>, AgentFileError> {
        let path = self.data_dir.agent(name);
        match private::read_file(&path, LARGEST) {
            Ok(bytes) => {
                let content = serde_json::from_slice(&bytes);
                content.map(Some).map_err(|_| AgentFileError::Damaged(path))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The credentials of one agent, held against everyone else until dropped.
#[derive(Debug)]
pub struct AgentLock<'a> {
    files: &'a AgentFiles,
    name: Name,
    _held: File,
}

impl AgentLock<'_> {
    /// What is there now: an agent of this very name.
    ///
    /// # Errors
    /// [`AgentFileError`] for a file that cannot be read.
    pub fn read(&self) -> Result<Option<AgentRecord>, AgentFileError> {
        Ok(match self.files.read(&self.name)? {
            Some(Content::Agent(record)) => Some(*record),
            Some(Content::Moved { .. }) | None => None,
        })
    }

    /// Puts `record` there.
    ///
    /// # Errors
    /// [`AgentFileError`]; what was there before is still there.
    pub fn write(&self, record: AgentRecord) -> Result<(), AgentFileError> {
        self.put(&Content::Agent(Box::new(record)))
    }

    /// Leaves a pointer to the agent's new name.
    ///
    /// # Errors
    /// [`AgentFileError`]; what was there before is still there.
    pub fn write_moved(&self, moved_to: Name) -> Result<(), AgentFileError> {
        self.put(&Content::Moved { moved_to })
    }

    /// Forgets what is there.
    ///
    /// # Errors
    /// [`AgentFileError`] when it cannot be removed; nothing there is no error.
    pub fn remove(&self) -> Result<(), AgentFileError> {
        let path = self.files.data_dir.agent(&self.name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(PrivateError::Io { path, source }.into())
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn put(&self, content: &Content) -> Result<(), AgentFileError> {
        let path = self.files.data_dir.agent(&self.name);
        let bytes = serde_json::to_vec_pretty(content).map(zeroize::Zeroizing::new);
        let bytes = bytes.map_err(|_| AgentFileError::Damaged(path.clone()))?;
        Ok(private::write_file(&path, &bytes)?)
    }
}
