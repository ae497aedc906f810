//! `auto_check`: when an agent is told that mail waits.

use serde::{Deserialize, Serialize};

pub use crate::message::AutoCheckMode;
use crate::time::Timestamp;

/// Looks at when the caller's agent is told of waiting mail, or changes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoCheck {
    /// What to do.
    pub action: AutoCheckAction,
    /// How often to remind while mail waits, 1 to 60; with `start`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutoCheckAction {
    /// Tell of mail when it comes, and remind while it waits.
    Start,
    /// Tell of mail when it comes, and no more: as it is without a choice.
    Arrival,
    /// Tell of nothing.
    Stop,
    /// Change nothing.
    Status,
}

/// When the agent is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoCheckReport {
    /// When the agent is told.
    pub mode: AutoCheckMode,
    /// How often it is reminded; with the mode `every`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// When the mode was chosen; nothing while nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_ms: Option<Timestamp>,
    /// When the agent was last told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_told_ms: Option<Timestamp>,
    /// When it is told of what waits now; nothing while nothing waits or only newer mail will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<Timestamp>,
}
