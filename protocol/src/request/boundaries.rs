//! `boundaries`: whose mail the caller's agent takes, and how.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;
pub use crate::message::BoundaryRule;
use crate::name::{Name, Recipient};
use crate::time::Timestamp;

/// Looks at the boundaries of the caller's mailbox, or changes them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boundaries {
    /// The agent that `rule` is for; one that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Recipient>,
    /// What becomes of its mail; together with `peer`, and only so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<BoundaryRule>,
    /// Whether mail of agents that are not allowed is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_only: Option<bool>,
}

impl Boundaries {
    /// Whether it asks for a change.
    pub const fn changes(&self) -> bool {
        self.peer.is_some() || self.rule.is_some() || self.allow_only.is_some()
    }
}

/// How they stand. Nobody else is shown them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundariesReport {
    /// Whether mail of agents that are not allowed is held.
    pub allow_only: bool,
    /// The agents that a rule is for, by name.
    pub rules: Vec<BoundaryRow>,
    /// The agents whose mail is held, the latest first; at most 500.
    pub held: Vec<HeldRow>,
    /// Messages that were held and have come into the mailbox by this request.
    pub released: u64,
    /// Messages that were held and have been refused by this request.
    pub refused: u64,
}

/// A rule for one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundaryRow {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called now.
    pub name: Name,
    /// What becomes of its mail; never `none`.
    pub rule: BoundaryRule,
    /// When the rule was made.
    pub since_ms: Timestamp,
}

/// One agent's held mail, counted and not shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRow {
    /// The agent.
    pub agent_id: AgentId,
    /// What it was called when it sent the latest of it.
    pub name: Name,
    /// How many messages.
    pub messages: u64,
    /// When the latest of them was sent.
    pub latest_ms: Timestamp,
}
