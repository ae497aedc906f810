//! `reply`: answer a message, by default the last one received.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::{Data, IdempotencyKey};

/// An answer to a message in one's own mailbox; it goes to that message's sender, or to the group
/// that the message was said in.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// The message to answer; without it the last one received from an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The text, as in `send`.
    pub text: String,
    /// Attached data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// As in `send`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Only for the sender, also where the message was said in a group.
    #[serde(default)]
    pub private: bool,
    /// Whether this is all of the answer; an interim one says that more comes.
    #[serde(rename = "final", default = "whole")]
    pub is_final: bool,
}

const fn whole() -> bool {
    true
}
