//! `status`: how the daemon is.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Asks how the daemon is. For every caller that proved a credential.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// How it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// Version of the program.
    pub version: String,
    /// Version of the protocol.
    pub protocol: u32,
    /// Version of the store's schema.
    pub schema: u32,
    /// Its process id.
    pub pid: u32,
    /// When it started.
    pub started_ms: Timestamp,
    /// Whether new agents can enrol.
    pub enrolment: Enrolment,
    /// Whether it was started by the first command and leaves when nobody is connected.
    pub leaves_when_idle: bool,
    /// Agents that have a name.
    pub agents: u64,
    /// Of these, the live ones.
    pub live: u64,
    /// Open connections, this one counted.
    pub connections: u64,
    /// Messages in the store.
    pub messages: u64,
    /// Deliveries that wait to be fetched or acknowledged.
    pub waiting: u64,
    /// Size of the database, in bytes.
    pub database_bytes: u64,
    /// When the newest backup was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_backup_ms: Option<Timestamp>,
    /// What has happened since the start.
    pub counters: Counters,
}

/// Whether the shared secret opens the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// It does.
    Open,
    /// The daemon was given another secret than the deployment was made with.
    SecretChanged,
    /// The daemon knows no secret now; those enrolled carry on, and the secret still enrols.
    Unchecked,
}

/// What has happened since the daemon started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Connections accepted.
    pub connections: u64,
    /// Proofs that were wrong.
    pub failed_authentications: u64,
    /// Messages stored.
    pub sent: u64,
    /// Deliveries acknowledged.
    pub delivered: u64,
    /// Requests refused.
    pub refused: u64,
    /// Refusals for going over a rate.
    pub rate_limited: u64,
    /// Faults of the daemon's own.
    pub faults: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Times that a fetch looked into the store.
    #[serde(default)]
    pub looks: u64,
}
