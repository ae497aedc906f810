//! For commands that look into a database or a log which somebody else may have made: they shut their
//! own process in first, as the daemon does, and are good for nothing else afterwards.

use std::fs::File;
use std::path::Path;

use ipc_daemon::DaemonError;
use ipc_daemon::config::Config;
use ipc_daemon::deployment::{DaemonLock, DeploymentError};
use ipc_daemon::sandbox::{self, Inside};

use crate::context::{self, Context};
use crate::failure::Failure;

/// Takes the data directory for as long as the lock is held; `what` cannot be done under a daemon.
pub(super) fn lock(context: &Context, what: &str) -> Result<DaemonLock, Failure> {
    ipc_daemon::lock(&context.data_dir).map_err(|error| match error {
        DeploymentError::AlreadyRunning(_) => {
            Failure::local(format!("the daemon runs; {what}")).hint("`ipc daemon stop`, then again")
        }
        other => DaemonError::from(other).into(),
    })
}

/// Shuts this process in. From here on nothing can be opened but what is in the data directory, or
/// beneath `directory`.
pub(super) fn shut_in(config: &Config, directory: Option<&File>) -> Result<Inside, Failure> {
    sandbox::harden().map_err(|error| Failure::local(format!("hardening: {error}")))?;
    Ok(sandbox::enter_reading(
        config.sandbox,
        &config.data_dir,
        directory,
    )?)
}

/// Whether the file at `path` is out of reach from inside, and so has to be opened before. One that
/// is taken for the other cannot be opened, and nothing worse.
pub(super) fn lies_elsewhere(context: &Context, path: &Path) -> bool {
    let path = context::absolute(path).ok();
    let directory = path.as_deref().and_then(Path::parent);
    let directory = directory.and_then(|directory| directory.canonicalize().ok());
    let root = context.data_dir.root().canonicalize().ok();
    match (directory, root) {
        (Some(directory), Some(root)) => !directory.starts_with(root),
        (None, _) | (_, None) => true,
    }
}
