//! Messages as recipients see them, and the states of a delivery.

mod sentences;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::conversation::Within;
use crate::id::{AgentId, ConversationId, MessageId};
use crate::limits::{IDEMPOTENCY_KEY_BYTES, PROGRAM_BYTES};
use crate::name::Name;
use crate::time::Timestamp;
pub use words::{AutoCheckMode, DeliveryState, EndReason, Handover, Kind, UnknownWord, WaitEnd};

/// Data attached to a message: a JSON object, handed through as it is.
pub type Data = BTreeMap<String, Value>;

/// The sender of a message, as the daemon knows it at the moment of sending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The agent.
    pub agent_id: AgentId,
    /// What it was called.
    pub name: Name,
    /// How often its name had been taken over or released.
    pub incarnation: u32,
}

/// Where a message came from, as the sender's kernel said; the program is only its own claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// User id of the sending process.
    pub uid: u32,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks after boot (`proc_pid_stat(5)`, field 22), if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_ticks: Option<u64>,
    /// The host program that it says it runs in. A hint: nothing checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramName>,
}

/// A message for one recipient, as `fetch` and `read` give it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    /// The message.
    pub id: MessageId,
    /// Who sent it; nobody for the daemon's own notices.
    pub from: Option<Sender>,
    /// The name it was addressed to, where it was addressed to a name.
    pub to: Option<Name>,
    /// What it is meant as.
    pub kind: Kind,
    /// The text, or as much of it as a preview holds.
    pub text: String,
    /// Bytes of the whole text.
    pub bytes: u64,
    /// Whether `text` is only the beginning; `read` gives the rest.
    pub truncated: bool,
    /// Attached data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Whether there is attached data too large to show here; `read` gives it.
    #[serde(default)]
    pub data_omitted: bool,
    /// The message that this one answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The conversation that it is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Within>,
    /// Whether it is an interim answer: more of it comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interim: bool,
    /// How often it was passed on to a third agent.
    pub hops: u32,
    /// When it was stored.
    pub sent_ms: Timestamp,
    /// The old name it was addressed to, when it came over a rename.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via_alias: Option<Name>,
    /// Whether it was offered before and never acknowledged.
    pub redelivered: bool,
    /// Where it came from; nothing for the daemon's own notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Provenance>,
    /// What happened, in the daemon's own notices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<SystemEvent>,
}

/// What a notice of the daemon reports. No text and no name can produce one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SystemEvent {
    /// An agent goes by another name; the old one forwards for two hours.
    Renamed {
        /// What it was called.
        old: Name,
        /// What it is called.
        new: Name,
    },
    /// A message that you sent reached nobody in its time.
    Expired {
        /// Your message.
        message_id: MessageId,
        /// Whom it was for.
        to: Name,
    },
    /// A message that you sent will not be delivered.
    Refused {
        /// Your message.
        message_id: MessageId,
        /// Whom it was for.
        to: Name,
        /// Why.
        reason: EndReason,
    },
    /// A held name was claimed with the shared secret alone, as the policy allows.
    NameReclaimed {
        /// The name; whoever has it now need not be whom you knew.
        name: Name,
    },
    /// Somebody brought agents into a group that you are in, or that you are in from now on.
    MembersAdded {
        /// The group.
        conversation_id: ConversationId,
        /// Who came.
        names: Vec<Name>,
        /// Who brought them.
        by: Name,
    },
    /// An agent is no longer in a group that you are in.
    MemberLeft {
        /// The group.
        conversation_id: ConversationId,
        /// Who left.
        name: Name,
    },
}

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $longest:expr, $fits:expr, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<Self, InvalidText> {
                let fits: fn(u8) -> bool = $fits;
                if text.is_empty() || text.len() > $longest || !text.bytes().all(fits) {
                    return Err(InvalidText($wrong));
                }
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<Self, InvalidText> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

/// The text is too long, empty, or has characters that may not stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidText(&'static str);

short_text! {
    /// Names one sending: the same key again stores nothing again. 1 to 128 printable ASCII.
    IdempotencyKey, IDEMPOTENCY_KEY_BYTES, |b| b.is_ascii_graphic(),
    "an idempotency key is 1 to 128 printable ASCII characters"
}
short_text! {
    /// The name of a host program: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    ProgramName, PROGRAM_BYTES, |b| b.is_ascii_alphanumeric() || b"._-".contains(&b),
    "a program name is 1 to 32 letters, digits, `.`, `_` or `-`"
}
