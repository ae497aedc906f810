//! Why a command came to nothing: one sentence, and the command that helps.

mod daemon;
mod migrate;

use std::io;

use ipc_protocol::auth::HandshakeError;
use ipc_protocol::client::{AgentFileError, ClientError, ConnectError};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::name::InvalidName;
use ipc_protocol::paths::SocketPathTooLong;
use ipc_protocol::private::PrivateError;
use ipc_protocol::secret::InvalidSecret;

use crate::exit::ExitStatus;

/// The way out of a sandbox that forbids Unix sockets. Never: turn the sandbox off.
const SANDBOX_HINT: &str = "use the MCP tools of ipc, which run outside that sandbox, or the \
     host's own setting that allows Unix sockets";

/// What went wrong, ready to be said. Text in it may hold a daemon's words: print it safely.
#[derive(Debug)]
pub(crate) struct Failure {
    /// What the process ends with.
    pub(crate) status: ExitStatus,
    /// The daemon's code, where the daemon said no.
    pub(crate) code: Option<ErrorCode>,
    /// What happened: lower case, no full stop.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// When waiting helps: how long, in milliseconds.
    pub(crate) retry_after_ms: Option<u64>,
    /// Whether the connection was lost, so that asking again on another one may help.
    pub(crate) is_lost: bool,
}

impl Failure {
    /// A failure that ends with `status`.
    pub(crate) fn new(status: ExitStatus, message: impl Into<String>) -> Self {
        Self {
            status,
            code: None,
            message: message.into(),
            hint: None,
            retry_after_ms: None,
            is_lost: false,
        }
    }

    /// Something on this side failed: a file, a stream, the system.
    pub(crate) fn local(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Refused, message)
    }

    /// The command was typed wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ExitStatus::Usage, message)
    }

    /// The same with this hint.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with this hint unless it has one.
    #[must_use]
    pub(crate) fn hint_if_none(self, hint: impl Into<String>) -> Self {
        if self.hint.is_some() {
            self
        } else {
            self.hint(hint)
        }
    }

    /// Whether the daemon knows the credential no more, so that another one may help.
    pub(crate) fn is_stale_credential(&self) -> bool {
        matches!(
            self.code,
            Some(ErrorCode::Unauthenticated | ErrorCode::Expired)
        )
    }

    /// Whether the daemon said that it stops. Of what makes it unavailable, only that has a time to
    /// come back.
    pub(crate) fn says_stop(&self) -> bool {
        self.code == Some(ErrorCode::Unavailable) && self.retry_after_ms.is_some()
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = ExitStatus::of(&error);
        let is_lost = is_lost(&error);
        let failure = Self::new(status, error.to_string());
        let failure = match error {
            ClientError::Refused(refusal) => return refusal.into(),
            ClientError::Connect(error) => return error.into(),
            ClientError::Handshake(error) => failure.hint(handshake_hint(error)),
            ClientError::Closed | ClientError::Io(_) => {
                failure.hint("`ipc status` says whether the daemon runs; it may have restarted")
            }
            ClientError::TimedOut(_) => failure.hint("`ipc daemon restart`"),
            ClientError::Protocol => {
                failure.hint("compare `ipc --version` with the daemon's; `ipc daemon restart`")
            }
            ClientError::TooLarge => failure.hint("a message holds at most 1 MiB"),
        };
        Self { is_lost, ..failure }
    }
}

fn is_lost(error: &ClientError) -> bool {
    match error {
        ClientError::Closed => true,
        ClientError::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
        ),
        ClientError::Connect(_)
        | ClientError::Handshake(_)
        | ClientError::Refused(_)
        | ClientError::TimedOut(_)
        | ClientError::Protocol
        | ClientError::TooLarge => false,
    }
}

const fn handshake_hint(error: HandshakeError) -> &'static str {
    match error {
        HandshakeError::Version => {
            "compare `ipc --version` with the daemon's; `ipc daemon restart`"
        }
        HandshakeError::Kdf => {
            "`ipc daemon restart`; if it persists, see who listens: `ipc status`"
        }
        HandshakeError::Peer => "if this is a container that shares the socket, set IPC_ALLOW_NS=1",
        HandshakeError::Signature => {
            "check that IPC_DATA_DIR and IPC_SOCKET name your own daemon; `ipc daemon restart`"
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self {
            status: ExitStatus::Refused,
            code: Some(refusal.code),
            message: refusal.message.into_owned(),
            hint: refusal.hint.map(std::borrow::Cow::into_owned),
            retry_after_ms: refusal.retry_after_ms,
            is_lost: false,
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let hint = match &error {
            ConnectError::NotRunning(_) => "`ipc daemon start`",
            ConnectError::Hung { .. } | ConnectError::Io { .. } => "`ipc daemon restart`",
            ConnectError::Sandboxed => SANDBOX_HINT,
            ConnectError::Denied(_) => {
                "the directories on the way to it must be yours; IPC_DATA_DIR names another place"
            }
            ConnectError::ForeignServer { .. } => {
                "set IPC_DATA_DIR or IPC_SOCKET to a place of your own, then `ipc daemon start`"
            }
        };
        Self::new(ExitStatus::Unreachable, error.to_string()).hint(hint)
    }
}

impl From<PrivateError> for Failure {
    fn from(error: PrivateError) -> Self {
        let failure = Self::local(error.to_string());
        match error {
            PrivateError::Mode { path, wanted, .. } => {
                failure.hint(format!("`chmod {wanted:o} {}`", path.display()))
            }
            PrivateError::Owner { .. } | PrivateError::Kind { .. } => {
                failure.hint("set IPC_DATA_DIR to a directory of your own, without links")
            }
            PrivateError::Io { .. } | PrivateError::TooLarge { .. } => failure,
        }
    }
}

impl From<AgentFileError> for Failure {
    fn from(error: AgentFileError) -> Self {
        match error {
            AgentFileError::Private(error) => error.into(),
            AgentFileError::Damaged(path) => {
                Self::local(format!("{} is not a file of credentials", path.display()))
                    .hint("move it away, then `ipc register NAME`")
            }
        }
    }
}

impl From<SocketPathTooLong> for Failure {
    fn from(error: SocketPathTooLong) -> Self {
        Self::usage(error.to_string())
            .hint("set IPC_SOCKET to a shorter path, for example under $XDG_RUNTIME_DIR")
    }
}

impl From<InvalidSecret> for Failure {
    fn from(error: InvalidSecret) -> Self {
        Self::usage(error.to_string()).hint("a secret is 8 to 1024 bytes without NUL, better 16 up")
    }
}

impl From<InvalidName> for Failure {
    fn from(error: InvalidName) -> Self {
        Self {
            status: ExitStatus::Usage,
            ..Refusal::from(error).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_never_to_be_turned_off() {
        let failure = Failure::from(ConnectError::Sandboxed);
        let hint = failure.hint.unwrap();
        assert!(
            hint.contains("MCP") && hint.contains("allows Unix sockets"),
            "{hint}"
        );
        for word in ["disable", "turn off", "without the sandbox", "dangerously"] {
            assert!(!hint.contains(word), "{hint}");
        }
    }

    #[test]
    fn only_a_lost_connection_is_worth_another_try() {
        let broken = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(Failure::from(ClientError::Closed).is_lost);
        assert!(Failure::from(ClientError::Io(broken)).is_lost);
        assert!(!Failure::from(ClientError::Protocol).is_lost);
        assert!(!Failure::from(ClientError::Refused(Refusal::new(ErrorCode::Busy, "no"))).is_lost);
    }

    #[test]
    fn another_process_at_the_other_end_may_be_a_container() {
        let failure = Failure::from(ClientError::Handshake(HandshakeError::Peer));
        assert!(failure.hint.unwrap().contains("IPC_ALLOW_NS=1"));
    }
}
