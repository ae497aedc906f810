//! The one client: connect, prove, call.
//!
//! [`Wire`] is the state machine without I/O; [`Client`] drives it over a blocking stream.
//! [`AgentFiles`] is where front-ends keep what they come back with.

mod agent_files;
mod blocking;
mod connect;
mod host;
mod large;
mod wire;

pub use agent_files::{
    AgentFileError, AgentFiles, AgentLock, AgentRecord, HostRecord, StoredSession,
};
pub use blocking::{Breaker, Client};
pub use connect::{ConnectError, Connection, connect, connect_within};
pub use host::{UnknownHost, find_host};
pub use large::{keep_whole, whole_path};
pub use wire::Wire;

use std::io;
use std::time::Duration;

use crate::auth::HandshakeError;
use crate::error::{ErrorCode, Refusal};

/// How long a client waits for an answer that does not wait for anything itself.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no daemon to talk to, or not one of ours.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The other side could not be trusted; nothing was sent to it.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The daemon says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The daemon closed the connection before it answered.
    #[error("the daemon closed the connection before it answered")]
    Closed,
    /// No answer came in time.
    #[error("the daemon did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// What came is not of this protocol.
    #[error("what the daemon answered is not of this protocol")]
    Protocol,
    /// The request does not fit a frame.
    #[error("the request is larger than a frame of 2 MiB")]
    TooLarge,
    /// Reading or writing failed.
    #[error("talking to the daemon: {0}")]
    Io(#[from] io::Error),
}

impl ClientError {
    /// The daemon's code, where the daemon said no.
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::Connect(_)
            | Self::Handshake(_)
            | Self::Closed
            | Self::TimedOut(_)
            | Self::Protocol
            | Self::TooLarge
            | Self::Io(_) => None,
        }
    }
}
