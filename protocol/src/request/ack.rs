//! `ack` and `nack`: messages were handed over, or could not be.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::Handover;

/// Messages were handed to the reader. Counts after the lease too; twice does no harm.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// Which, at most 100.
    pub message_ids: Vec<MessageId>,
    /// By which kind of front-end.
    pub handover: Handover,
}

/// They are delivered now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acked {
    /// How many of them were not delivered before.
    pub delivered: u64,
}

/// Messages could not be handed over: give the lease back, so that they are offered again at once.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nack {
    /// Which, at most 100.
    pub message_ids: Vec<MessageId>,
}

/// They are free to be fetched again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nacked {
    /// How many leases were given back.
    pub returned: u64,
}
