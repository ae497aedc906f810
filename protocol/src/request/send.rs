//! `send`: store one message for one recipient, or for all.

use serde::{Deserialize, Serialize};

use crate::id::{ConversationId, MessageId};
use crate::leak::Rule;
use crate::message::{Data, EndReason, IdempotencyKey, Kind};
use crate::name::{Name, Recipient};
use crate::time::Timestamp;

/// A message to store. The sender is the connection's agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// For whom.
    pub to: Recipient,
    /// The text, 1 to 1,048,576 bytes together with `data`.
    pub text: String,
    /// What it is meant as.
    #[serde(default)]
    pub kind: Kind,
    /// Attached data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// The message that this one answers; one that the sender sent or received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// Sent again with the same key and content, nothing is stored again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<IdempotencyKey>,
    /// Refuse a name that nobody has, instead of keeping the message for whoever claims it.
    #[serde(default)]
    pub known_only: bool,
}

/// The message is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message.
    pub message_id: MessageId,
    /// When it was stored.
    pub sent_ms: Timestamp,
    /// For whom; several for a broadcast or a group.
    pub recipients: Vec<SentTo>,
    /// The conversation that it is part of; nothing for a broadcast, and for mail that waits for
    /// whoever claims a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// What was masked in it: credentials of these rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub masked: Vec<Rule>,
    /// Whether the same key had stored it before.
    #[serde(default)]
    pub duplicate: bool,
}

impl Sent {
    /// What there is to say of it besides for whom it is.
    pub fn remarks(&self) -> String {
        let mut remarks = String::new();
        if self.duplicate {
            remarks.push_str(" (stored before, by the same key)");
        }
        if !self.masked.is_empty() {
            let rules: Vec<_> = self.masked.iter().map(|rule| rule.as_str()).collect();
            remarks.push_str(" (masked in it: ");
            remarks.push_str(&rules.join(", "));
            remarks.push(')');
        }
        remarks
    }
}

/// One recipient of a stored message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTo {
    /// What the recipient is called now.
    pub name: Name,
    /// What became of the message.
    pub outcome: RecipientOutcome,
}

/// What became of a message on being stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RecipientOutcome {
    /// In the mailbox.
    Stored,
    /// In the mailbox of the agent that went by this name until it was renamed.
    Forwarded {
        /// The old name.
        from: Name,
    },
    /// Kept for whoever claims the name.
    Unclaimed {
        /// A name that exists and looks like it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        did_you_mean: Option<Name>,
    },
    /// Not in the mailbox of this member of a group; the others have it.
    LeftOut {
        /// Why.
        reason: EndReason,
    },
    /// Kept outside the mailbox until its owner allows the sender.
    Held,
}
