//! `unregister` and `offline`: give the name up, or only step out.

use serde::{Deserialize, Serialize};

use crate::name::Name;

/// Gives the name up for good. What waits in the mailbox is refused, and its senders are told.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unregister {}

/// The name is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The name that is free now.
    pub name: Name,
    /// Messages that will not be delivered.
    pub refused: u64,
}

/// Marks the agent offline until it does something again. The name stays its own.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offline {}

/// It is marked offline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoOffline {
    /// Its name, which is held for it.
    pub name: Name,
}
