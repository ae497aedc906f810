//! `conversation`: make groups, and see what conversations one is in.

use serde::{Deserialize, Serialize};

use crate::conversation::Title;
use crate::id::ConversationId;
use crate::message::IdempotencyKey;
use crate::name::Name;
use crate::time::Timestamp;

/// Something about conversations. One between two agents makes itself with their first message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Conversation {
    /// Makes a group of the caller and others.
    Create {
        /// What it is called, for good.
        title: Title,
        /// The others; agents that exist.
        #[serde(default)]
        members: Vec<Name>,
        /// Made again with the same key and title, it is the same group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idempotency_key: Option<IdempotencyKey>,
    },
    /// Brings others into a group that the caller is in. Who is in it already stays.
    Add {
        /// The group.
        conversation_id: ConversationId,
        /// The others; agents that exist.
        names: Vec<Name>,
    },
    /// Leaves a group: what was said before stays readable, nothing more comes.
    Leave {
        /// The group.
        conversation_id: ConversationId,
    },
    /// Says who is in a conversation.
    Members {
        /// The conversation.
        conversation_id: ConversationId,
    },
    /// Lists the conversations that the caller is in, the latest first.
    List {
        /// At most so many, 1 to 500; 20 without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<u32>,
    },
}

impl Conversation {
    /// Whether it changes anything, rather than only looking.
    pub const fn changes(&self) -> bool {
        match self {
            Self::Create { .. } | Self::Add { .. } | Self::Leave { .. } => true,
            Self::Members { .. } | Self::List { .. } => false,
        }
    }
}

/// The conversations that a request was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationReport {
    /// The one in question, or those of the list.
    pub conversations: Vec<ConversationRow>,
    /// How many conversations the caller is in now, listed or not.
    pub total: u64,
    /// Who was not in it before: after `create` and `add`.
    #[serde(default)]
    pub added: Vec<Name>,
}

/// One conversation, as one who is in it sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// Which.
    pub id: ConversationId,
    /// What it is called; nothing between two agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// Who is in it, in alphabetical order; in a list at most five of them.
    pub members: Vec<Name>,
    /// How many others are.
    pub more_members: u64,
    /// How many of its messages wait for the caller, leased ones not counted.
    pub unread: u64,
    /// When the last message in it was stored, of those since the caller came to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_action_has_its_fields_and_no_others() {
        let id = ConversationId::from_row(1).to_string();
        for good in [
            json!({"action": "create", "title": "t"}),
            json!({"action": "create", "title": "t", "members": ["bob"]}),
            json!({"action": "add", "conversation_id": id, "names": []}),
            json!({"action": "leave", "conversation_id": id}),
            json!({"action": "members", "conversation_id": id}),
            json!({"action": "list", "limit": 3}),
            json!({"action": "list"}),
        ] {
            let parsed = serde_json::from_value::<Conversation>(good.clone());
            assert!(parsed.is_ok(), "{good}");
            let mut more = good;
            more["from"] = json!("eve");
            assert!(serde_json::from_value::<Conversation>(more).is_err());
        }
        for bad in [
            json!({}),
            json!({"action": "dance"}),
            json!({"action": "create"}),
            json!({"action": "create", "title": "a\nb"}),
            json!({"action": "add", "conversation_id": "m.0000000000002", "names": []}),
            json!({"action": "add", "conversation_id": id, "names": ["al/ice"]}),
            json!({"action": "leave"}),
        ] {
            assert!(
                serde_json::from_value::<Conversation>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }
}
