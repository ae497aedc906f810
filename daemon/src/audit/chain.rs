//! The arithmetic of the chain: h(n) = HMAC(k(n), h(n−1) ‖ record), k(n+1) = H(k(n)).
//!
//! Bellare and Yee, "Forward-Security in Private-Key Cryptography" (2003), and Schneier and Kelsey,
//! "Secure Audit Logs to Support Computer Forensics" (1999). A key seals one line. Stepping forward
//! is a hash, so no key leads back to an earlier one.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::limits::AUDIT_STEPS;

/// What stands between a record and its seal.
const JOINT: &str = ",\"h\":\"";

/// What closes a line.
const END: &str = "\"}";

/// A seal in text: 32 bytes in base64url.
const SEAL_CHARS: usize = 43;

/// What is hashed before a key to step to the next one.
const STEP: &[u8] = b"claude-ipc/1 audit key\0";

/// The number of a line, from 1.
pub(crate) type Sequence = u64;

/// The seal of a line, h(n). Not a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal(pub(crate) [u8; 32]);

impl Seal {
    /// h(0): what the first line is chained to.
    pub(crate) const NONE: Self = Self([0; 32]);

    /// The seal in text.
    pub(crate) fn text(self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// Reads the text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }
}

/// The key of one line, wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct LineKey([u8; 32]);

impl LineKey {
    /// The key with these bytes.
    pub(crate) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, for the two files that keep one.
    pub(crate) const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same key once more, for trying something that may fail.
    pub(crate) const fn again(&self) -> Self {
        Self(self.0)
    }

    /// The key of the next line.
    pub(crate) fn next(&self) -> Self {
        let mut hash = Sha256::new();
        hash.update(STEP);
        hash.update(self.0);
        Self(hash.finalize().into())
    }

    /// Whether both are the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    fn seal(&self, previous: Seal, record: &str) -> Seal {
        // RFC 2104: a key shorter than a block is filled up with zeros.
        let mut block = Zeroizing::new([0; 64]);
        let (key, _) = block.split_at_mut(32);
        key.copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(&previous.0);
        mac.update(record.as_bytes());
        Seal(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for LineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineKey(…)")
    }
}

/// Where the chain stands: what the next line is numbered, chained to and sealed with.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) next: Sequence,
    pub(crate) previous: Seal,
    pub(crate) key: LineKey,
}

impl Zeroize for Chain {
    fn zeroize(&mut self) {
        self.key.zeroize();
    }
}

impl Chain {
    /// The chain before its first line.
    pub(crate) const fn begin(key: LineKey) -> Self {
        Self {
            next: 1,
            previous: Seal::NONE,
            key,
        }
    }

    /// The same place once more, for trying something that may fail.
    pub(crate) const fn again(&self) -> Self {
        Self {
            next: self.next,
            previous: self.previous,
            key: self.key.again(),
        }
    }

    /// Seals `record`, an object without its last brace: the line, and the chain after it.
    pub(crate) fn seal(&self, record: &str) -> (String, Self) {
        let seal = self.key.seal(self.previous, record);
        let line = format!("{record}{JOINT}{}{END}\n", seal.text());
        (line, self.after(seal))
    }

    /// Checks `line`, without its newline: the chain after it, unless it is not the next line.
    pub(crate) fn check(&self, line: &str) -> Option<Self> {
        let (record, seal) = split(line)?;
        let expected = self.key.seal(self.previous, record);
        let is_right = bool::from(expected.0.ct_eq(&seal.0)) && sequence(line) == Some(self.next);
        is_right.then(|| self.after(seal))
    }

    fn after(&self, seal: Seal) -> Self {
        Self {
            next: self.next.saturating_add(1),
            previous: seal,
            key: self.key.next(),
        }
    }

    /// The key that the chain will have before line `at`; nothing if it is past that, or if that is
    /// further than any log goes.
    pub(crate) fn key_at(&self, at: Sequence) -> Option<LineKey> {
        let steps = at.checked_sub(self.next)?;
        if steps > AUDIT_STEPS {
            return None;
        }
        let mut key = self.key.again();
        for _ in 0..steps {
            key = key.next();
        }
        Some(key)
    }
}

/// The record in `line` and its seal.
pub(crate) fn split(line: &str) -> Option<(&str, Seal)> {
    let rest = line.strip_suffix(END)?;
    let at = rest.len().checked_sub(SEAL_CHARS)?;
    let (record, seal) = rest.split_at_checked(at)?;
    Some((record.strip_suffix(JOINT)?, Seal::parse(seal)?))
}

/// The number of `line`.
pub(crate) fn sequence(line: &str) -> Option<Sequence> {
    let rest = line.strip_prefix("{\"n\":")?;
    let (number, _) = rest.split_once(',')?;
    number.parse().ok()
}

/// Draws the key of the first line.
pub(crate) fn random_key(rng: &mut impl rand::CryptoRng) -> LineKey {
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bytes);
    LineKey::new(*bytes)
}
