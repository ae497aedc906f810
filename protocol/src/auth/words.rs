//! The words of the handshake.

use serde::{Deserialize, Serialize};

/// Which of the three credentials a proof is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// The shared secret: to enrol, or to administer.
    Secret,
    /// A session token: to come back on a new connection.
    Session,
    /// A resume credential: to be the same agent as before.
    Resume,
}

impl CredentialKind {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Session => "session",
            Self::Resume => "resume",
        }
    }
}

/// The name of a key derivation, in the order the client prefers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KdfName {
    /// Argon2id (RFC 9106).
    Argon2id,
    /// scrypt (RFC 7914), for clients whose standard library has no Argon2.
    Scrypt,
    /// None: the credential is itself a random 32-byte key.
    None,
}

impl KdfName {
    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Scrypt => "scrypt",
            Self::None => "none",
        }
    }
}
