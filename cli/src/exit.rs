//! Exit statuses: what a script branches on.

use std::process::ExitCode;

use ipc_protocol::client::ClientError;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// It is done.
    Done,
    /// The daemon refused it, or something on this side failed (a file, standard output).
    Refused,
    /// It was typed wrongly, or does not say whose mailbox it means.
    Usage,
    /// There is no daemon to talk to, or none that can be trusted.
    Unreachable,
    /// There was nothing to report; only where `--exit-code` asks for it.
    NothingToReport,
    /// What was waited for did not come.
    TimedOut,
    /// A hook wakes its host: the number is the hosts' word for it.
    Wake,
}

impl ExitStatus {
    /// The number that the process ends with.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage | Self::Wake => 2,
            Self::Unreachable => 3,
            Self::NothingToReport => 4,
            Self::TimedOut => 5,
        }
    }

    /// The status of a command that a failed call ends. A daemon that does not answer is not
    /// reachable; `TimedOut` is only for mail that did not come.
    pub(crate) const fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Refused(_) | ClientError::TooLarge => Self::Refused,
            ClientError::Connect(_)
            | ClientError::Handshake(_)
            | ClientError::Closed
            | ClientError::TimedOut(_)
            | ClientError::Protocol
            | ClientError::Io(_) => Self::Unreachable,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ipc_protocol::auth::HandshakeError;
    use ipc_protocol::client::ConnectError;
    use ipc_protocol::error::{ErrorCode, Refusal};

    use super::*;

    #[test]
    fn every_refusal_is_1_and_everything_on_the_way_there_is_3() {
        for code in ErrorCode::ALL {
            let refused = ClientError::Refused(Refusal::new(*code, "no"));
            assert_eq!(ExitStatus::of(&refused).code(), 1, "{code:?}");
        }
        for error in [
            ClientError::Connect(ConnectError::Sandboxed),
            ClientError::Handshake(HandshakeError::Version),
            ClientError::Closed,
            ClientError::TimedOut(Duration::from_secs(15)),
            ClientError::Protocol,
        ] {
            assert_eq!(ExitStatus::of(&error).code(), 3, "{error:?}");
        }
    }

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let all = [
            ExitStatus::Done,
            ExitStatus::Refused,
            ExitStatus::Usage,
            ExitStatus::Unreachable,
            ExitStatus::NothingToReport,
            ExitStatus::TimedOut,
            ExitStatus::Wake,
        ];
        assert_eq!(all.map(ExitStatus::code), [0, 1, 2, 3, 4, 5, 2]);
    }
}
