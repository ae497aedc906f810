//! `receipts`: how far one's own messages have come.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::{DeliveryState, EndReason, Handover, Kind};
use crate::name::Name;
use crate::time::Timestamp;

/// Asks for the receipts of one message, or of the latest.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipts {
    /// Which; without it the latest ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// At most so many messages, 1 to 500; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Receipts, latest message first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptsPage {
    /// One for each message.
    pub receipts: Vec<Receipt>,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The message.
    pub message_id: MessageId,
    /// When it was stored.
    pub sent_ms: Timestamp,
    /// What it was meant as.
    pub kind: Kind,
    /// One for each recipient.
    pub deliveries: Vec<DeliveryReceipt>,
}

/// What became of it for one recipient, with the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReceipt {
    /// What the recipient was called.
    pub to: Name,
    /// How far it has come.
    pub state: DeliveryState,
    /// When it was first given to a front-end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_ms: Option<Timestamp>,
    /// How often it was given to one.
    pub offers: u32,
    /// When a front-end confirmed that it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_ms: Option<Timestamp>,
    /// By which kind of front-end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// When a reply to it was stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_ms: Option<Timestamp>,
    /// The reply: the first that was final. It may be gone by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<MessageId>,
    /// When it ended without being delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<Timestamp>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EndReason>,
}
