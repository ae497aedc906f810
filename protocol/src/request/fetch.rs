//! `fetch`: take the next messages, waiting for them if asked to.

use serde::{Deserialize, Serialize};

use crate::id::{ConversationId, MessageId};
use crate::message::{Kind, Mail, WaitEnd};
use crate::name::Peer;
use crate::time::Timestamp;

/// Takes messages out on a lease of 60 seconds; `ack` makes them delivered.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// At most so many, 1 to 100; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Wait so long for something to come, in milliseconds, at most an hour.
    #[serde(default)]
    pub wait_ms: u32,
    /// Only look: no lease, nothing changes. Waits for nothing.
    #[serde(default)]
    pub peek: bool,
    /// Only answers to this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_to: Option<MessageId>,
    /// Only messages of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_by: Option<Peer>,
    /// Only messages said in this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// Only messages of this kind. Pings come only to whoever asks for them, so or with `pings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// And pings, whatever else is asked for: of a front-end that answers them by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pings: bool,
}

/// What was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// The messages, oldest first.
    pub messages: Vec<Mail>,
    /// How many wait beyond these, leased ones not counted.
    pub waiting: u64,
    /// When the lease on these messages ends; nothing when there are none or none were leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leased_until_ms: Option<Timestamp>,
    /// With `answers_to`: why no more answers are waited for; nothing while some may still come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<WaitEnd>,
}
