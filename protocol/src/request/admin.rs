//! `admin_*`: for whoever proved the shared secret and did not register.

use serde::{Deserialize, Serialize};

use super::ChallengeSalt;
use crate::auth::{Bytes, KdfName};
use crate::name::Name;

/// Makes a verified backup now.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminBackup {}

/// The backup exists and has been checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// File name in the `backups` directory.
    pub file: String,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// Frees a name whatever its state: its agent is ended, an alias is dropped.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRelease {
    /// The name.
    pub name: Name,
}

/// The name is free.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The name.
    pub name: Name,
    /// Messages that will not be delivered.
    pub refused: u64,
}

/// Ends all sessions of an agent and its resume credential. Name and mail are kept for whoever
/// registers it again with the shared secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRevoke {
    /// The agent's name.
    pub name: Name,
}

/// They have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// How many sessions.
    pub sessions: u64,
}

/// Puts other verifiers in the place of the deployment's, and ends all sessions.
///
/// The caller derives them: neither the old secret nor the new one crosses the socket.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminRotateSecret {
    /// One for each derivation: Argon2id and scrypt.
    pub verifiers: Vec<NewVerifier>,
}

/// What the daemon will check proofs of the new secret with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVerifier {
    /// The derivation.
    pub kdf: KdfName,
    /// Its parameters.
    pub params: String,
    /// Its salt.
    pub salt: ChallengeSalt,
    /// `H(ClientKey)`.
    pub stored_key: Bytes<32>,
    /// `HMAC(SaltedKey, "Server Key")`.
    pub server_key: Bytes<32>,
}

/// The new secret is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotated {
    /// How many sessions ended.
    pub sessions: u64,
}
