//! Where files live: one directory, owned by one user.
//!
//! Only names paths; whether what is there can be trusted is for [`crate::private`].

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::id::AgentId;
use crate::name::Name;

/// The directory's name in the home directory, where `IPC_DATA_DIR` names no other.
pub const DEFAULT_DIRECTORY: &str = ".claude-ipc-data";

/// Bytes that a socket's path may have: `sun_path` less its closing NUL (`unix(7)`).
const SOCKET_PATH_BYTES: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The data directory and what is in it.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
    socket: PathBuf,
}

/// The socket's path does not fit into an address.
#[derive(Debug, thiserror::Error)]
#[error("the socket's path is {bytes} bytes long, {most} fit: {path}")]
pub struct SocketPathTooLong {
    /// The path.
    pub path: PathBuf,
    /// Its length.
    pub bytes: usize,
    /// What fits.
    pub most: usize,
}

impl DataDir {
    /// The data directory at `root`; the socket lies in it unless `socket` names another place.
    ///
    /// # Errors
    /// [`SocketPathTooLong`]; `IPC_SOCKET` with a shorter path is the way out.
    pub fn new(root: PathBuf, socket: Option<PathBuf>) -> Result<Self, SocketPathTooLong> {
        let socket = socket.unwrap_or_else(|| root.join("ipc.sock"));
        let bytes = AsRef::<OsStr>::as_ref(&socket).as_bytes().len();
        if bytes > SOCKET_PATH_BYTES {
            return Err(SocketPathTooLong {
                path: socket,
                bytes,
                most: SOCKET_PATH_BYTES,
            });
        }
        Ok(Self { root, socket })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The daemon's socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The store.
    pub fn database(&self) -> PathBuf {
        self.root.join("messages.db")
    }

    /// The shared secret, for hosts and units that do not see the environment variable.
    pub fn secret(&self) -> PathBuf {
        self.root.join("secret")
    }

    /// The key that rows are authenticated with; never in a backup.
    pub fn daemon_key(&self) -> PathBuf {
        self.root.join("daemon.key")
    }

    /// Locked by the one daemon for as long as it runs; never unlinked.
    pub fn daemon_lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Locked by the one command that starts the daemon.
    pub fn start_lock(&self) -> PathBuf {
        self.root.join("start.lock")
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The front-ends' credentials.
    pub fn agents(&self) -> PathBuf {
        self.root.join("agents")
    }

    /// The credentials of the agent called `name`.
    pub fn agent(&self, name: &Name) -> PathBuf {
        self.agents().join(format!("{}.json", name.folded()))
    }

    /// Locked while these credentials are read and changed.
    pub fn agent_lock(&self, name: &Name) -> PathBuf {
        self.agents().join(format!("{}.lock", name.folded()))
    }

    /// Locked by the one process that waits to wake the host of `agent`; never unlinked.
    pub fn agent_waker(&self, agent: AgentId) -> PathBuf {
        self.agents().join(format!("{agent}.waker"))
    }

    /// Messages too large to show, written by the reader's front-end.
    pub fn large_messages(&self) -> PathBuf {
        self.root.join("large-messages")
    }

    /// Files that say that mail waits, for hosts that read them when they start.
    pub fn notices(&self) -> PathBuf {
        self.root.join("notices")
    }

    /// What waits for `agent`, kept by the daemon. Named by its id, so that a rename moves nothing.
    pub fn notice(&self, agent: AgentId) -> PathBuf {
        self.notices().join(format!("{agent}.md"))
    }

    /// Where the line that reads it was put for `agent`, kept by front-ends.
    pub fn notice_record(&self, agent: AgentId) -> PathBuf {
        self.notices().join(format!("{agent}.json"))
    }

    /// Backups of the store.
    pub fn backups(&self) -> PathBuf {
        self.root.join("backups")
    }

    /// The audit log.
    pub fn audit(&self) -> PathBuf {
        self.root.join("audit")
    }

    /// There while the store is known to be damaged and has not been replaced.
    pub fn damage_marker(&self) -> PathBuf {
        self.root.join("messages.db.damaged")
    }

    /// The log of a daemon that no service manager started.
    pub fn log(&self) -> PathBuf {
        self.root.join("daemon.log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_path_that_does_not_fit_is_refused_and_another_helps() {
        let deep = PathBuf::from(format!("/{}", "x".repeat(120)));
        assert!(DataDir::new(deep.clone(), None).is_err());
        assert!(DataDir::new(deep, Some("/run/user/1000/ipc.sock".into())).is_ok());
    }
}
