//! What ended an agent or a session: said in full in the audit log, and in fewer words to those whom
//! it concerns.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::EndReason;
use serde::Serialize;

/// What ended an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentEnd {
    /// It gave its name up.
    Unregistered,
    /// An operator freed its name.
    Released,
    /// It was not seen for as long as names are held.
    Forgotten,
}

impl AgentEnd {
    /// What the senders of its waiting mail are told.
    pub(crate) const fn told(self) -> EndReason {
        match self {
            Self::Unregistered | Self::Released => EndReason::RecipientLeft,
            Self::Forgotten => EndReason::RecipientForgotten,
        }
    }
}

/// What ended a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionEnd {
    /// Its time was over, or it was not used for too long.
    Expired,
    /// Its agent has more sessions than an agent may have, and used this one least recently.
    Surplus,
    /// Its agent ended it.
    Revoked,
    /// An operator ended it.
    RevokedByOperator,
    /// The shared secret is another now.
    SecretRotated,
    /// Somebody else took the agent up.
    TakenOver,
    /// Its agent ended, by giving its name up.
    Unregistered,
    /// Its agent ended: an operator freed its name.
    Released,
    /// Its agent ended, as one that nobody has seen.
    Forgotten,
}

impl SessionEnd {
    /// What the session's connections are told: not more than that it is over, or that somebody else has
    /// the agent now.
    pub(crate) const fn told(self) -> ErrorCode {
        match self {
            Self::TakenOver => ErrorCode::TakenOver,
            Self::Expired
            | Self::Surplus
            | Self::Revoked
            | Self::RevokedByOperator
            | Self::SecretRotated
            | Self::Unregistered
            | Self::Released
            | Self::Forgotten => ErrorCode::Expired,
        }
    }
}

impl From<AgentEnd> for SessionEnd {
    fn from(end: AgentEnd) -> Self {
        match end {
            AgentEnd::Unregistered => Self::Unregistered,
            AgentEnd::Released => Self::Released,
            AgentEnd::Forgotten => Self::Forgotten,
        }
    }
}
