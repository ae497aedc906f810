//! `admin_*`: for whoever proved the shared secret and did not register.

use serde::{Deserialize, Serialize};

use super::ChallengeSalt;
use crate::auth::{Bytes, KdfName};
use crate::id::{AgentId, MessageId};
use crate::message::{DeliveryState, Handover, Kind};
use crate::name::{Name, Peer, Recipient};
use crate::time::Timestamp;

/// Makes a verified backup now.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminBackup {}

/// The backup exists and has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// File name in the `backups` directory.
    pub file: String,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// Frees a name whatever its state: its agent is ended, an alias is dropped.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRelease {
    /// The name.
    pub name: Name,
}

/// The name is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The name.
    pub name: Name,
    /// Messages that will not be delivered.
    pub refused: u64,
}

/// Ends all sessions of an agent and its resume credential, or those of everybody. Name and mail are kept for whoever
/// registers it again with the shared secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRevoke {
    /// The agent's name or its id, or `all`.
    pub name: Recipient,
}

/// They have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// How many sessions.
    pub sessions: u64,
}

/// Puts other verifiers in the place of the deployment's, and ends all sessions.
///
/// The caller derives them: neither the old secret nor the new one crosses the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRotateSecret {
    /// One for each derivation: Argon2id and scrypt.
    pub verifiers: Vec<NewVerifier>,
}

/// What the daemon will check proofs of the new secret with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVerifier {
    /// The derivation.
    pub kdf: KdfName,
    /// Its parameters.
    pub params: String,
    /// Its salt.
    pub salt: ChallengeSalt,
    /// `H(ClientKey)`.
    pub stored_key: Bytes<32>,
    /// `HMAC(SaltedKey, "Server Key")`.
    pub server_key: Bytes<32>,
}

/// The new secret is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// How many sessions ended.
    pub sessions: u64,
}

/// Freezes an agent, or everybody: all but `whoami` and `status` is refused until it is thawed.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminFreeze {
    /// The agent's name or its id, or `all`. Without it nothing changes, and the reply says who is
    /// frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Recipient>,
}

/// Lets an agent go on, or everybody who is not frozen by name.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminThaw {
    /// The agent's name or its id, or `all`.
    pub agent: Recipient,
}

/// Who is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenReport {
    /// Whether the request changed anything.
    pub changed: bool,
    /// Whether everybody is, and nobody comes in.
    pub everybody: bool,
    /// The agents that are frozen by themselves, by name; at most 500.
    pub agents: Vec<FrozenRow>,
}

/// An agent that is frozen by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenRow {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called now.
    pub name: Name,
    /// Since when.
    pub since_ms: Timestamp,
}

/// Tells who read what an agent wrote, the latest first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminReaders {
    /// The agent: its name, an old one that still forwards, or its id, also when it has ended.
    pub sent_by: Peer,
    /// Only what it sent then or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Timestamp>,
    /// Only what it sent before this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<MessageId>,
    /// At most so many messages, 1 to 500; 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Messages of one agent, and how far each has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadersPage {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called now; nothing when it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// The messages, the latest first.
    pub messages: Vec<MessageReaders>,
    /// There is more: `before` for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<MessageId>,
}

/// One message, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageReaders {
    /// Which.
    pub message_id: MessageId,
    /// When it was stored.
    pub sent_ms: Timestamp,
    /// What kind.
    pub kind: Kind,
    /// Length of its text.
    pub bytes: u64,
    /// Each of its recipients.
    pub recipients: Vec<Reader>,
}

/// A recipient, and what it has done with the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// What it was called when the message was stored.
    pub to: Name,
    /// The agent; nothing while nobody has the name, or while the message is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// How far the message has come.
    pub state: DeliveryState,
    /// How often it was handed out.
    pub offers: u32,
    /// When it was handed out first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered_ms: Option<Timestamp>,
    /// When it was acknowledged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_ms: Option<Timestamp>,
    /// By which kind of front-end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_ms: Option<Timestamp>,
    /// By which message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<MessageId>,
}
