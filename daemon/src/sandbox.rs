//! The daemon shuts itself in: what it does not need is taken from it before the first byte of a
//! peer is read.
//!
//! [`harden`] is the very first step, before a secret is read: no other process of this user may
//! look into this one, and it leaves no core file. [`enter`] comes when everything is had that lies
//! outside (the old port's socket, the time zone, the word with the service manager), and before
//! the first thread, since a thread that is already there would stay outside.
//!
//! What holds inside, where the kernel can: files outside the data directory cannot be opened
//! (`files`), no other program can be started or reached, and what no daemon does ends the process
//! (`calls`). Elsewhere than on Linux only the limits hold.

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;
mod process;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};
use ipc_protocol::request::Sandbox;
use serde::Deserialize;

pub use process::harden;

/// The lowest Landlock that `sandbox = "require"` takes: before it, files could be cut short from
/// inside (`landlock(7)`, ABI 3, Linux 6.2).
pub const REQUIRED_LANDLOCK: u32 = 3;

/// How much of the sandbox there must be, as `sandbox` in `config.toml` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxPolicy {
    /// As much as the kernel can.
    #[default]
    BestEffort,
    /// All of it, or no start.
    Require,
    /// None: for a system on which something in it does harm.
    Off,
}

/// Why the daemon does not start in, or without, its sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// `sandbox = "require"`, and this system cannot.
    #[error("the configuration requires the whole sandbox, and {0}")]
    Missing(&'static str),
    /// A thread was there first, and would have stayed outside.
    #[error("{0} threads are there before the sandbox")]
    Threads(usize),
    /// The directory cannot be trusted or reached.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// The system refuses something else.
    #[error("the sandbox: {0}")]
    Io(#[from] io::Error),
}

/// That this process is shut in, as far as the configuration asks and the kernel can, which may be
/// not at all: what parses a database that somebody else may have made asks for it. Only [`enter`]
/// and [`enter_reading`] give one.
#[derive(Debug)]
pub struct Inside(Sandbox);

impl Inside {
    /// What holds.
    pub const fn holds(&self) -> Sandbox {
        self.0
    }
}

/// Shuts this process in, as far as `policy` asks and the kernel can. Irrevocable.
///
/// # Errors
/// [`SandboxError`]; then the daemon must not start.
pub fn enter(policy: SandboxPolicy, data_dir: &DataDir) -> Result<Inside, SandboxError> {
    enter_reading(policy, data_dir, None)
}

/// The same; files beneath `directory` can be read from inside as well.
///
/// # Errors
/// As [`enter`].
pub fn enter_reading(
    policy: SandboxPolicy,
    data_dir: &DataDir,
    directory: Option<&File>,
) -> Result<Inside, SandboxError> {
    if policy == SandboxPolicy::Off {
        tracing::warn!("this process is in no sandbox: `sandbox` in config.toml turns it off");
        return Ok(Inside(Sandbox::default()));
    }
    alone()?;
    let holds = confine(data_dir, directory)?;
    if policy == SandboxPolicy::Require {
        if holds.landlock < REQUIRED_LANDLOCK {
            return Err(SandboxError::Missing(
                "this kernel's Landlock is too old or not there (Linux 6.2 or later has it)",
            ));
        }
        if !holds.system_calls {
            return Err(SandboxError::Missing(
                "no filter of system calls could be set",
            ));
        }
    }
    Ok(Inside(holds))
}

/// Shuts the calling thread in, and all that it starts.
///
/// # Errors
/// [`SandboxError`] when the data directory cannot be trusted.
#[cfg(target_os = "linux")]
fn confine(data_dir: &DataDir, directory: Option<&File>) -> Result<Sandbox, SandboxError> {
    let root = private::ensure_directory(data_dir.root())?;
    let landlock = files::restrict(&root, directory);
    let system_calls = calls::restrict();
    Ok(Sandbox {
        landlock,
        system_calls,
    })
}

/// There is nothing to shut it in with.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
fn confine(_data_dir: &DataDir, _directory: Option<&File>) -> Result<Sandbox, SandboxError> {
    Ok(Sandbox::default())
}

#[cfg(target_os = "linux")]
fn open_path(path: &Path) -> io::Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// Refuses to go on when this process has more than one thread.
fn alone() -> Result<(), SandboxError> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return Ok(());
    };
    match tasks.count() {
        0 | 1 => Ok(()),
        more => Err(SandboxError::Threads(more)),
    }
}
