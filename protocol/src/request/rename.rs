//! `rename`: go by another name.

use serde::{Deserialize, Serialize};

use crate::name::Name;
use crate::time::Timestamp;

/// Gives the connection's agent another name; the old one forwards for two hours.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The new name; free, or the same one in another case, or one's own old one.
    pub new_name: Name,
}

/// It has the name now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renamed {
    /// What it was called.
    pub old_name: Name,
    /// What it is called.
    pub name: Name,
    /// Until when the old name forwards; nothing when only the case changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwards_until_ms: Option<Timestamp>,
    /// Mail that waited for the new name and is now in the mailbox.
    pub adopted: u64,
    /// How many agents are told.
    pub told: u64,
}
