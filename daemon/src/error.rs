//! Two classes of trouble: refusals are the caller's doing, faults are ours.

use ipc_protocol::error::{ErrorCode, Refusal};
use rusqlite::ErrorCode as SqliteCode;

use crate::counters::CounterCells;

/// Something that went wrong on our side. Logged in full; the caller hears as much as helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The store failed.
    #[error("store: {0}")]
    Store(#[from] rusqlite::Error),
    /// The store held something that it must not hold.
    #[error("store: {0}")]
    Inconsistent(&'static str),
    /// The transaction that the job was part of did not commit.
    #[error("store: the transaction did not commit: {0}")]
    NotCommitted(String),
    /// Files failed.
    #[error("files: {0}")]
    Files(#[from] std::io::Error),
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

impl Fault {
    /// What the caller hears of it.
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            Self::Store(error) => match error.sqlite_error_code() {
                Some(SqliteCode::DiskFull) => no_space(),
                Some(SqliteCode::ReadOnly | SqliteCode::SystemIoFailure) => {
                    Refusal::new(ErrorCode::Unavailable, "the store cannot be written now")
                        .hint("look at the disk and at the daemon's log; nothing was stored")
                }
                Some(_) | None => internal(),
            },
            Self::NotCommitted(_) => {
                Refusal::new(ErrorCode::Unavailable, "the store could not commit")
                    .hint("look at the disk and at the daemon's log; nothing was stored")
            }
            Self::Stopping => Refusal::new(ErrorCode::Unavailable, "the daemon is stopping")
                .hint("try again in a moment")
                .retry_after(1_000),
            Self::Inconsistent(_) | Self::Files(_) => internal(),
        }
    }
}

/// The refusal for a full disk.
pub(crate) fn no_space() -> Refusal {
    Refusal::new(
        ErrorCode::Unavailable,
        "the disk is nearly full; no mail is taken in",
    )
    .hint("free some space; reading goes on, and nothing that was acknowledged is lost")
}

/// The refusal for a session that is over.
pub(crate) fn expired() -> Refusal {
    Refusal::new(ErrorCode::Expired, "this session is over")
        .hint("register again: `ipc register NAME`")
}

/// The refusal for an agent that has as many connections as one may have.
pub(crate) fn crowded() -> Refusal {
    Refusal::new(ErrorCode::Busy, "this agent has too many connections open")
        .hint("close some; one is enough for any number of requests")
        .retry_after(1_000)
}

fn internal() -> Refusal {
    Refusal::new(ErrorCode::Internal, "the daemon failed to do this")
        .hint("its log says why: daemon.log in the data directory, or `journalctl --user -u ipc`")
}

/// Why an action came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActionError {
    /// The caller's doing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ours.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ActionError {
    /// What the caller hears of it. Everything is counted here; faults are logged here, and nowhere
    /// else.
    pub(crate) fn told(self, counters: &CounterCells) -> Refusal {
        match self {
            Self::Refused(refusal) => {
                counters.refused(&refusal);
                refusal
            }
            Self::Fault(fault) => {
                tracing::error!(error = %fault, "a request failed");
                counters.fault();
                fault.refusal()
            }
        }
    }
}

impl From<rusqlite::Error> for ActionError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(Fault::Store(error))
    }
}

/// What an action comes to.
pub(crate) type Done<T> = Result<T, ActionError>;

/// A refusal with a fixed text.
pub(crate) fn refuse<T>(code: ErrorCode, text: &'static str, hint: &'static str) -> Done<T> {
    Err(Refusal::new(code, text).hint(hint).into())
}
