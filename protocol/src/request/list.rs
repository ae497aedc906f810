//! `list`: who is there.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;
use crate::name::Name;
use crate::profile::{Capabilities, Capability, StatusText, SummaryText};
use crate::time::Timestamp;

/// Asks for the agents that have a name: all of them, or those that fit.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Where they work.
    #[serde(default, skip_serializing_if = "Scope::is_machine")]
    pub scope: Scope,
    /// What they can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
}

/// Which agents, by where they work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Anywhere on this machine.
    #[default]
    Machine,
    /// In the asker's directory.
    Directory,
    /// In the asker's repository, whichever of its worktrees.
    Repo,
}

impl Scope {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks with a reference"
    )]
    const fn is_machine(&self) -> bool {
        matches!(self, Self::Machine)
    }
}

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
    /// How it is, in its own words; nothing when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusText>,
    /// What it works on, in its own words; nothing when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryText>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Capabilities::is_empty")]
    pub capabilities: Capabilities,
}

impl AgentRow {
    /// Status and summary, as far as it says them: text of a peer.
    pub fn says(&self) -> Vec<&str> {
        let status = self.status.as_ref().map(StatusText::as_str);
        let summary = self.summary.as_ref().map(SummaryText::as_str);
        [status, summary].into_iter().flatten().collect()
    }
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
