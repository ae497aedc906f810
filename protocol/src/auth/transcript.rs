//! What both sides saw, byte for byte: the text that is proved and signed.

use super::wire::Bytes;
use super::words::{CredentialKind, KdfName};

/// The user and process ids that the kernel reports for both ends of the connection.
///
/// The server's process id is left out: under socket activation the client sees the service
/// manager's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peers {
    /// The client's user id.
    pub client_uid: u32,
    /// The client's process id.
    pub client_pid: u32,
    /// The server's user id.
    pub server_uid: u32,
}

/// The bytes that are proved: each field behind its length, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript(Vec<u8>);

/// The fields of a transcript, in their order.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) deployment: &'a [u8],
    pub(crate) client_nonce: &'a Bytes<32>,
    pub(crate) server_nonce: &'a Bytes<32>,
    pub(crate) credential: CredentialKind,
    pub(crate) key_id: &'a str,
    pub(crate) kdf: KdfName,
    pub(crate) params: &'a str,
    pub(crate) salt: &'a [u8],
    pub(crate) offered: &'a [KdfName],
    pub(crate) peers: Peers,
}

impl Transcript {
    pub(crate) fn new(fields: &Fields<'_>) -> Self {
        let offered: Vec<_> = fields.offered.iter().map(|kdf| kdf.as_str()).collect();
        let peers = [
            fields.peers.client_uid.to_be_bytes(),
            fields.peers.client_pid.to_be_bytes(),
            fields.peers.server_uid.to_be_bytes(),
        ];
        let mut bytes = b"claude-ipc/1 auth\0".to_vec();
        for field in [
            fields.deployment,
            &fields.client_nonce.0,
            &fields.server_nonce.0,
            fields.credential.as_str().as_bytes(),
            fields.key_id.as_bytes(),
            fields.kdf.as_str().as_bytes(),
            fields.params.as_bytes(),
            fields.salt,
            offered.join(",").as_bytes(),
            peers.concat().as_slice(),
        ] {
            // No field comes near 4 GiB: the frame that carried it was at most 4,096 bytes.
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(field);
        }
        Self(bytes)
    }

    #[cfg(test)]
    pub(super) fn with_flipped_bit(&self, bit: usize) -> Self {
        let mut bytes = self.0.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
