//! `dead_letters`: one's own messages that reached nobody.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::{DeliveryState, EndReason};
use crate::name::Name;
use crate::time::Timestamp;

/// Asks for the messages that expired or were refused, latest first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadLetters {
    /// At most so many, 1 to 500; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLettersPage {
    /// One for each recipient that was not reached.
    pub dead_letters: Vec<DeadLetter>,
}

/// A message that one recipient will not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message; `read` still shows it.
    pub message_id: MessageId,
    /// For whom it was.
    pub to: Name,
    /// `expired` or `refused`.
    pub state: DeliveryState,
    /// Why.
    pub reason: EndReason,
    /// When it ended.
    pub ended_ms: Timestamp,
}
