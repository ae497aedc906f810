//! What a daemon has before it shuts itself in: afterwards it could not get it any more.

use std::os::unix::net::UnixListener;

use ipc_protocol::request::Sandbox;
use jiff::tz::TimeZone;

use crate::DaemonError;
use crate::config::{Config, Listening};
use crate::deployment::DaemonLock;
use crate::legacy::OldSocket;
use crate::listener;
use crate::migrate;
use crate::sandbox::{self, Inside, SandboxError};

/// The hold on the data directory, a free place for the socket or the socket itself, and the old
/// port's.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) lock: DaemonLock,
    pub(crate) zone: TimeZone,
    /// The socket, where it is not in the data directory: bound before the sandbox, which gives no
    /// rights elsewhere.
    pub(crate) socket: Option<UnixListener>,
    pub(crate) old_socket: Option<OldSocket>,
    pub(crate) sandbox: Sandbox,
}

/// Takes the data directory, clears a dead socket out of the way, and binds the old port if there
/// is to be one.
///
/// # Errors
/// [`DaemonError`]: another daemon has it, or something else is in the socket's place.
pub fn prepare(config: &Config) -> Result<Prepared, DaemonError> {
    let lock = DaemonLock::take(&config.data_dir)?;
    let path = config.data_dir.socket();
    let mut socket = None;
    if matches!(config.listening, Listening::Bind) {
        listener::remove_stale(path)?;
        if path.parent() != Some(config.data_dir.root()) {
            socket = Some(listener::bind(path)?);
        }
    }
    Ok(Prepared {
        lock,
        socket,
        zone: migrate::system_zone(),
        old_socket: config.legacy.map(OldSocket::bind),
        sandbox: Sandbox::default(),
    })
}

impl Prepared {
    /// The hold on the data directory.
    pub const fn lock(&self) -> &DaemonLock {
        &self.lock
    }

    /// Shuts the process in, as [`sandbox::enter`].
    ///
    /// # Errors
    /// [`SandboxError`]; then the daemon must not run.
    pub fn shut_in(&mut self, config: &Config) -> Result<Inside, SandboxError> {
        let inside = sandbox::enter(config.sandbox, &config.data_dir)?;
        self.sandbox = inside.holds();
        Ok(inside)
    }
}
