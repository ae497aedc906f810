//! Mutual authentication, the arithmetic of both sides.
//!
//! SCRAM (RFC 5802) with other key derivations and a length-prefixed transcript: neither side
//! sends anything that could be replayed, each proves that it knows the credential, and what both
//! saw (nonces, parameters, the offered derivations, the peers' user and process ids) is part of
//! the proof, so that a downgrade or a relay breaks it.
//!
//! The order of calls on the client is enforced by values: [`ClientHello`] → [`AwaitSignature`]
//! → [`Proved`], and only [`Proved`] lets the client send on.

mod handshake;
mod kdf;
mod keys;
mod transcript;
#[cfg(test)]
mod vectors;
mod wire;
mod words;

pub use handshake::{AwaitSignature, ClientHello, Credential, HandshakeError, Proved, SeenPeers};
pub use kdf::{Kdf, OutOfRange};
pub use keys::{Proof, SaltedKey, Signature, Verifier};
pub use transcript::{Peers, Transcript};
pub use wire::Bytes;
pub use words::{CredentialKind, KdfName};
