//! `status`: how the daemon is.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Freeze;
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
    /// What the daemon has shut itself in with.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// Who is frozen.
    #[serde(default)]
    pub frozen: Freezes,
    /// The old port, where the configuration asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_port: Option<OldPortReport>,
}

/// Who is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Freezes {
    /// Agents that are frozen by themselves.
    pub agents: u64,
    /// Since when everybody is; nothing when not everybody is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everybody_since_ms: Option<Timestamp>,
    /// The freeze of whoever asks; nothing for an operator, and for an agent that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<Freeze>,
}

/// What holds around the daemon, as far as its kernel can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sandbox {
    /// Version of Landlock up to which files and TCP are closed; 0: they are not.
    pub landlock: u32,
    /// Whether system calls are filtered.
    pub system_calls: bool,
}

/// How the old port is, and whether anybody still needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldPortReport {
    /// Where it is served; nothing where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<SocketAddr>,
    /// Why it is not served, or registers nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<OldPortTrouble>,
    /// Requests since the start.
    pub requests: u64,
    /// Agents that they came from.
    pub agents: u64,
    /// When the last one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_ms: Option<Timestamp>,
    /// Connections closed unread: another user's, or of nobody the system names.
    pub closed_unread: u64,
}

/// What keeps the old port from being served, or from registering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OldPortTrouble {
    /// The shared secret is still being compared.
    Starting,
    /// The daemon knows no shared secret.
    NoSecret,
    /// Its secret is not the one that the deployment was made with.
    SecretChanged,
    /// The secret was rotated since the start: nobody registers until a restart.
    Rotated,
    /// The system locks no memory for the secret.
    MemoryNotLocked,
    /// Another program listens there.
    AddressInUse,
    /// The address cannot be had for another reason; the log says which.
    NotBound,
    /// This system does not say whose a connection is.
    Unsupported,
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
