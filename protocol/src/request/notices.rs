//! `notices`: a file that says that mail waits, for a host that reads files when it starts.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Looks at whether the daemon keeps such a file for the caller's agent, or changes it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// What to do.
    pub action: NoticesAction,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticesAction {
    /// Keep the file from now on.
    On,
    /// Remove it, and keep none.
    Off,
    /// Change nothing.
    Status,
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticesReport {
    /// Whether `notices/AGENT.md` in the data directory is kept up to date.
    pub on: bool,
    /// Since when; nothing while it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<Timestamp>,
}
