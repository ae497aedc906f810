//! `renew` and `revoke`: the session of this connection.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::token::Token;

/// Rotates the session: a new token, the old one good for 60 seconds more.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renew {}

/// The new token.
#[derive(Debug, Serialize, Deserialize)]
pub struct Renewed {
    /// For the next connection.
    pub session: Token,
    /// When it ends in any case.
    pub abs_expires_ms: Timestamp,
}

/// Ends sessions of this agent before their time.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoke {
    /// All others too, not only this one; the resume credential stays good.
    #[serde(default)]
    pub all: bool,
}

/// They have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRevoked {
    /// How many.
    pub sessions: u64,
}
