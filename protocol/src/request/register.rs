//! `register`: be an agent, with a session of one's own.

use serde::{Deserialize, Serialize};

use crate::id::AgentId;
use crate::message::ProgramName;
use crate::name::Name;
use crate::time::Timestamp;
use crate::token::Token;

/// Claims a name (after proving the secret) or comes back to it (after proving a resume
/// credential).
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The name.
    pub name: Name,
    /// What to do when the agent is live elsewhere.
    #[serde(default)]
    pub when_live: WhenLive,
    /// Whether a program chose the name: such a name may be changed at once.
    #[serde(default)]
    pub automatic: bool,
    /// The process that stands for the agent: while it runs, the agent is live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostProcess>,
}

/// What coming back to an agent does while it is live in another host process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenLive {
    /// Refuse with `name_in_use`, so that a second window does not share the mailbox by mistake.
    #[default]
    Refuse,
    /// Add a session beside the others.
    Join,
    /// Revoke every other session, which then hears `taken_over`.
    TakeOver,
}

/// The process that stands for an agent; the daemon believes it only for an ancestor of its peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostProcess {
    /// Its process id.
    pub pid: u32,
    /// The program it runs, as a hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<ProgramName>,
}

/// The agent, and what to come back with. The only reply that carries credentials.
#[derive(Debug, Serialize, Deserialize)]
pub struct Registered {
    /// The agent.
    pub agent_id: AgentId,
    /// What it is called.
    pub name: Name,
    /// How often its name has been taken over or released.
    pub incarnation: u32,
    /// For the next connection.
    pub session: Token,
    /// For after the session, when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<Token>,
    /// The session ends when unused for this long, in seconds.
    pub idle_s: u32,
    /// The session ends at this time in any case.
    pub abs_expires_ms: Timestamp,
    /// Messages that wait.
    pub waiting: u64,
    /// The names of the other agents that are live or online, at most 64.
    #[serde(default)]
    pub online: Vec<Name>,
    /// Version of the daemon's program; empty from one that does not say.
    #[serde(default)]
    pub version: String,
}
