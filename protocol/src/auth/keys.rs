//! From the salted key to proof and signature (RFC 5802 section 3, with SHA-256).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::transcript::Transcript;
use super::wire::Bytes;

/// What the client proves to know the credential with.
pub type Proof = Bytes<32>;
/// What the server proves to know the verifier with.
pub type Signature = Bytes<32>;

/// The key derived from a credential. Whoever has it can log in.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SaltedKey([u8; 32]);

impl SaltedKey {
    /// The key that a token carries.
    pub const fn of_token(key: [u8; 32]) -> Self {
        Self(key)
    }

    #[cfg(test)]
    pub(super) const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) const fn zero() -> Self {
        Self([0; 32])
    }

    pub(super) const fn bytes_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }

    /// What the server keeps to check proofs with.
    pub fn verifier(&self) -> Verifier {
        let stored_key = Sha256::digest(self.client_key()).into();
        Verifier {
            stored_key,
            server_key: hmac(&self.0, &[b"Server Key"]),
        }
    }

    /// The proof that belongs to `transcript`.
    pub fn prove(&self, transcript: &Transcript) -> Proof {
        let client_key = self.client_key();
        let mask = hmac(&self.verifier().stored_key, &[transcript.as_bytes()]);
        Bytes(xor(&client_key, &mask))
    }

    fn client_key(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&self.0, &[b"Client Key"]))
    }
}

impl fmt::Debug for SaltedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SaltedKey(…)")
    }
}

/// What the server keeps of a credential: it checks proofs and signs, but cannot log in.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Verifier {
    /// `H(ClientKey)`.
    pub stored_key: [u8; 32],
    /// `HMAC(SaltedKey, "Server Key")`.
    pub server_key: [u8; 32],
}

impl Verifier {
    /// Checks `proof` in constant time; the signature exists only if it is right.
    pub fn check(&self, transcript: &Transcript, proof: &Proof) -> Option<Signature> {
        let mask = hmac(&self.stored_key, &[transcript.as_bytes()]);
        let client_key = Zeroizing::new(xor(&proof.0, &mask));
        let stored: [u8; 32] = Sha256::digest(*client_key).into();
        let right = bool::from(stored.ct_eq(&self.stored_key));
        right.then(|| self.sign(transcript))
    }

    /// The server's own proof for `transcript`.
    pub fn sign(&self, transcript: &Transcript) -> Signature {
        Bytes(hmac(&self.server_key, &[transcript.as_bytes()]))
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(…)")
    }
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the block; a whole block has no length to get wrong.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = *a;
    for (left, right) in out.iter_mut().zip(b) {
        *left ^= right;
    }
    out
}
