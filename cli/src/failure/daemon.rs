//! Why a daemon did not start or stopped by itself, and what helps.

use ipc_daemon::DaemonError;
use ipc_daemon::deployment::DeploymentError;
use ipc_daemon::sandbox::SandboxError;
use ipc_daemon::store::open::OpenError;

use super::Failure;

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        let failure = Self::local(error.to_string());
        match error {
            DaemonError::Deployment(error) => deployment(failure, error),
            DaemonError::Bind(_) => failure.hint("move it away, or set IPC_SOCKET to another path"),
            DaemonError::StoreDamaged(_) => failure.hint("`ipc daemon start`"),
            DaemonError::StoreFailed(_) => {
                failure.hint("look at the disk, then `ipc daemon start`")
            }
            DaemonError::Audit(_) => failure.hint("look at the directory `audit` beside the store"),
            DaemonError::Io(_) => failure,
        }
    }
}

impl From<SandboxError> for Failure {
    fn from(error: SandboxError) -> Self {
        let failure = Self::local(error.to_string());
        match error {
            SandboxError::Missing(_) => failure
                .hint("`sandbox = \"best_effort\"` in config.toml takes what this system can"),
            SandboxError::Private(error) => error.into(),
            SandboxError::Threads(_) | SandboxError::Io(_) => failure,
        }
    }
}

fn deployment(failure: Failure, error: DeploymentError) -> Failure {
    match error {
        DeploymentError::Private(error) => error.into(),
        DeploymentError::AlreadyRunning(_) => {
            failure.hint("`ipc status` shows it; `ipc daemon stop` stops it")
        }
        DeploymentError::FileSystem { .. } => {
            failure.hint("set IPC_DATA_DIR to a directory on a local file system")
        }
        DeploymentError::Store(error) => failure.hint(store_hint(&error)),
        DeploymentError::Secret { .. } => {
            failure.hint("a secret is 8 to 1024 bytes without NUL, better 16 up")
        }
        DeploymentError::Sqlite(_) | DeploymentError::Io { .. } | DeploymentError::Kdf(_) => {
            failure
        }
    }
}

fn store_hint(error: &OpenError) -> &'static str {
    match error {
        OpenError::NotOurs { .. } => "move it away, or set IPC_DATA_DIR to another directory",
        OpenError::Altered(_) => "`ipc admin restore` brings a backup back",
        OpenError::Newer { .. } => "install the newer version of this program again",
        OpenError::Gone(_) => {
            "`ipc admin restore` brings a backup back; to begin anew, remove daemon.key as well"
        }
        OpenError::Damaged(_) => "`ipc admin restore FILE` puts a backup of your own in its place",
        OpenError::Io { .. } | OpenError::Sqlite { .. } => "look at the disk and the file's mode",
    }
}
