//! `list`: who is there.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;
use crate::name::Name;
use crate::time::Timestamp;

/// Asks for all agents that have a name.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {}

/// The agents, the most present first, then by name; at most 500.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agents {
    /// One for each agent.
    pub agents: Vec<AgentRow>,
}

/// One agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRow {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: Name,
    /// Whether it is there.
    pub presence: Presence,
    /// When it last used its mailbox.
    pub last_seen_ms: Timestamp,
    /// Whether it is the one that asks.
    #[serde(default)]
    pub is_self: bool,
}

/// How present an agent is, the most present first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It has an open connection, or its host process runs.
    Live,
    /// It used its mailbox in the last 15 minutes.
    Online,
    /// It used its mailbox in the last 24 hours.
    Idle,
    /// None of these, or it said so.
    Offline,
}

impl Presence {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Online => "online",
            Self::Idle => "idle",
            Self::Offline => "offline",
        }
    }
}
