//! The shared secret as the old port keeps it: the predecessor's proof is made from its bytes, so
//! that no verifier can stand in for them.
//!
//! On a page of its own, locked so that it never reaches the swap, wiped before it is let go.

use std::fmt;

use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::secret::SharedSecret;
use region::LockGuard;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Bytes of a page. Where the system's pages are larger, all of one is locked.
const PAGE: usize = 4_096;

const _: () = assert!(SECRET_BYTES.2 <= PAGE, "a secret fits a page");

/// A page that shares its memory with nothing else.
#[repr(align(4096))]
struct Page([u8; PAGE]);

/// The secret on a locked page.
pub(super) struct LockedSecret {
    page: Box<Page>,
    length: usize,
    // Declared last but needed longest: `drop` wipes the page before any field goes.
    _lock: LockGuard,
}

impl LockedSecret {
    /// Copies `secret` to a page that is locked before the copy is made.
    ///
    /// # Errors
    /// When the system locks no memory, by its limit for example.
    pub(super) fn new(secret: &SharedSecret) -> Result<Self, region::Error> {
        let mut page = Box::new(Page([0; PAGE]));
        let lock = region::lock(page.0.as_ptr(), PAGE)?;
        let bytes = secret.expose();
        for (to, from) in page.0.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(Self {
            page,
            length: bytes.len(),
            _lock: lock,
        })
    }

    /// Whether `proof` is what the predecessor's clients send for `instance_id`: hexadecimal
    /// SHA-256 of `instance_id:secret`. Compared in constant time.
    pub(super) fn is_proved(&self, instance_id: &str, proof: &str) -> bool {
        let secret = self.page.0.get(..self.length).unwrap_or_default();
        let mut digest = Sha256::new();
        digest.update(instance_id.as_bytes());
        digest.update(b":");
        digest.update(secret);
        let expected = data_encoding::HEXLOWER.encode(&digest.finalize());
        expected.as_bytes().ct_eq(proof.as_bytes()).into()
    }
}

impl Drop for LockedSecret {
    fn drop(&mut self) {
        self.page.0.zeroize();
    }
}

impl fmt::Debug for LockedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedSecret(…)")
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
        assert_eq!(format!("{:?}", locked("correct horse")), "LockedSecret(…)");
    }

    #[test]
    fn the_longest_secret_fits() {
        assert!(!locked(&"x".repeat(SECRET_BYTES.2)).is_proved("a", ""));
    }
}
