//! Bounds of the old port.

use std::time::Duration;

/// Connections to the old port at a time; more wait in the kernel's backlog. Each holds one small
/// request, and its clients hang up after one reply.
pub(crate) const OLD_PORT_CONNECTIONS: usize = 32;

/// Largest request over the old port, in bytes: its clients write one at a go.
pub(crate) const OLD_PORT_REQUEST: usize = 65_536;

/// Pieces that one such request may come in: each costs a look at the whole.
pub(crate) const OLD_PORT_PIECES: u32 = 64;

/// Such a request must be complete within this time: its clients wait no longer for the answer.
pub(crate) const OLD_PORT_DEADLINE: Duration = Duration::from_secs(5);

/// Largest reply with mail over the old port, in bytes: its clients read once, up to 64 KiB.
pub(crate) const OLD_PORT_REPLY: usize = 61_440;

/// One message in such a reply, in bytes; a larger one becomes a file.
pub(crate) const OLD_PORT_MESSAGE: usize = 24_576;

/// How long it is waited for that a client of the old port hangs up on its reply, which says
/// whether it took it.
pub(crate) const OLD_PORT_FAREWELL: Duration = Duration::from_secs(1);
