//! `whoami`: the agent of this connection.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;
use crate::name::Name;
use crate::profile::{Capabilities, StatusText, SummaryText};
use crate::time::Timestamp;

/// Asks who one is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whoami {}

/// The agent and its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoamiReport {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: Name,
    /// How often its name has been taken over or released.
    pub incarnation: u32,
    /// Old names that still forward.
    pub aliases: Vec<Name>,
    /// When it enrolled.
    pub registered_ms: Timestamp,
    /// Front-ends that have a session.
    pub sessions: u32,
    /// When this session ends in any case.
    pub session_expires_ms: Timestamp,
    /// Messages that wait, leased ones not counted.
    pub waiting: u64,
    /// Of these, messages of agents that it has muted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub muted: u64,
    /// How it is, in its own words; nothing when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusText>,
    /// What it works on, in its own words; nothing when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SummaryText>,
    /// What it can do.
    #[serde(default, skip_serializing_if = "Capabilities::is_empty")]
    pub capabilities: Capabilities,
    /// That an operator has frozen it; nothing when it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<Freeze>,
}

/// That an operator has stopped the agent: everything but `whoami` and `status` is refused, and its
/// mail waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// Whom it is for.
    pub whom: Frozen,
    /// Since when.
    pub since_ms: Timestamp,
}

/// Whom a freeze is for. Of an agent that is frozen both ways it is its own that is told: thawing
/// everybody leaves that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frozen {
    /// This agent.
    Agent,
    /// Everybody.
    Everybody,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}
