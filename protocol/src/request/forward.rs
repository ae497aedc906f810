//! `forward`: pass a message on, by default the last one received.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::IdempotencyKey;
use crate::name::Recipient;

/// Passes a message of one's own mailbox on to somebody else, whole; one hop more.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The message to pass on; without it the last one received from an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// For whom.
    pub to: Recipient,
    /// As in `send`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
}
