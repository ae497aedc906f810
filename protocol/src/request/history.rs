//! `history`: past mail, sent and received, a page at a time.

use serde::{Deserialize, Serialize};

use super::receipts::DeliveryReceipt;
use crate::id::{ConversationId, MessageId};
use crate::message::{Kind, Mail};
use crate::name::Peer;
use crate::search::SearchQuery;
use crate::time::Timestamp;

/// Asks for the latest past mail that all of these hold for. Changes nothing: mail that nobody has
/// taken yet is not in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// To or from this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<Peer>,
    /// Said in this conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// With these words in its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchQuery>,
    /// Meant as this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Stored before this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    /// Stored after this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<MessageId>,
    /// Stored before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_ms: Option<Timestamp>,
    /// Stored after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<Timestamp>,
    /// At most so many messages, 1 to 100; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of past mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The latest of what there is, oldest first.
    pub entries: Vec<HistoryEntry>,
    /// The `before` of the next page, which is of older mail; nothing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<MessageId>,
    /// How much new mail waits, none of it here.
    pub waiting: u64,
}

/// One message of the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Which way it went.
    pub direction: Direction,
    /// The message, its text cut to 2,048 bytes.
    pub message: Mail,
    /// How it stands: of what one sent for each recipient, of what one received for oneself.
    pub deliveries: Vec<DeliveryReceipt>,
}

/// Which way a message went, seen from who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the one who asks; also what it sent to itself.
    Sent,
    /// To the one who asks.
    Received,
}

impl Direction {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}
