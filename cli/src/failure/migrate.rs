//! Why nothing came over from the Python server, and what helps.

use ipc_daemon::migrate::MigrateError;

use super::Failure;

impl From<MigrateError> for Failure {
    fn from(error: MigrateError) -> Self {
        let failure = Self::local(error.to_string());
        if error.is_full() {
            return failure.hint("free some space, then again; the original is as it was");
        }
        match error {
            MigrateError::OldServerRuns(_) => failure
                .hint("end the agents that use the Python server (the first of them runs it), then again"),
            MigrateError::Locked(_) => failure.hint("end the program that writes to it, then again"),
            MigrateError::InPlaceOfOurs(_) => failure.hint(
                "put that store back, then `ipc admin migrate FILE`; to begin anew, remove daemon.key",
            ),
            MigrateError::NotPredecessors { .. } => {
                failure.hint("move it away, or set IPC_DATA_DIR to another directory")
            }
            MigrateError::Ours(_) => {
                failure.hint("`ipc admin restore FILE` puts a backup in the place of the store")
            }
            MigrateError::Untrusted { path, .. } => failure.hint(format!(
                "look at it, then copy it to a file of your own: `cp {} FILE`",
                path.display()
            )),
            MigrateError::Damaged { .. } => failure.hint(
                "`sqlite3 FILE .recover` may bring part of it back; to begin without it, move it away",
            ),
            MigrateError::TooMany { .. } => failure.hint("this is no file of the Python server"),
            MigrateError::Io { .. } | MigrateError::Sqlite { .. } => {
                failure.hint("look at the disk and the file's mode; the original is as it was")
            }
            MigrateError::Store(error) => Self::from(ipc_daemon::DaemonError::from(
                ipc_daemon::deployment::DeploymentError::from(error),
            )),
            MigrateError::Backup(_) => failure.hint("nothing was imported"),
            MigrateError::Private(error) => error.into(),
            MigrateError::NotAudited(_) => failure.hint(
                "the next start of the daemon writes it there; look at the disk and at `audit/` in the data directory",
            ),
        }
    }
}
