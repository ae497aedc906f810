//! The shared secret as the old port keeps it: the predecessor's proof is made from its bytes, so
//! that no verifier can stand in for them.
//!
//! It stays as long as the port is served, so it is on a locked page.

use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::secret::SharedSecret;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::locked::Locked;

/// The secret on a locked page.
#[derive(Debug)]
pub(super) struct LockedSecret(Locked<Bytes>);

/// The secret, and how much of the room it takes.
#[derive(Zeroize)]
struct Bytes {
    room: [u8; SECRET_BYTES.2],
    length: usize,
}

impl LockedSecret {
    /// Copies `secret` to a page that is locked before the copy is made.
    ///
    /// # Errors
    /// When the system locks no memory, by its limit for example.
    pub(super) fn new(secret: &SharedSecret) -> Result<Self, region::Error> {
        let empty = Bytes {
            room: [0; SECRET_BYTES.2],
            length: 0,
        };
        let copy = |to: &mut Bytes| {
            let bytes = secret.expose();
            to.length = bytes.len();
            for (to, from) in to.room.iter_mut().zip(bytes) {
                *to = *from;
            }
        };
        Locked::new(empty, copy).map(Self)
    }

    /// Whether `proof` is what the predecessor's clients send for `instance_id`: hexadecimal
    /// SHA-256 of `instance_id:secret`. Compared in constant time.
    pub(super) fn is_proved(&self, instance_id: &str, proof: &str) -> bool {
        let Bytes { room, length } = self.0.expose();
        let secret = room.get(..*length).unwrap_or_default();
        let mut digest = Sha256::new();
        digest.update(instance_id.as_bytes());
        digest.update(b":");
        digest.update(secret);
        let expected = data_encoding::HEXLOWER.encode(&digest.finalize());
        expected.as_bytes().ct_eq(proof.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(text: &str) -> LockedSecret {
        LockedSecret::new(&SharedSecret::new(text.as_bytes().to_vec()).unwrap()).unwrap()
    }

    #[test]
    fn the_proof_is_the_one_that_the_predecessors_clients_make() {
        let secret = locked("correct horse battery staple\n");
        // printf %s 'alice:correct horse battery staple' | sha256sum
        let proof = "c82f18b4b82b671bb384e5cb139a1608015b7d220b93e5bced9abdbfe8142d6a";
        assert!(secret.is_proved("alice", proof));
        let (_, short) = proof.split_at(1);
        for wrong in ["", short, &proof.to_uppercase(), &format!("{proof} ")] {
            assert!(!secret.is_proved("alice", wrong), "{wrong}");
        }
        assert!(!secret.is_proved("bob", proof));
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert_eq!(
            format!("{:?}", locked("correct horse")),
            "LockedSecret(Locked(…))"
        );
    }

    #[test]
    fn the_longest_secret_fits() {
        assert!(!locked(&"x".repeat(SECRET_BYTES.2)).is_proved("a", ""));
    }
}
