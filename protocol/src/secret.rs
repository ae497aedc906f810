//! The shared secret of a deployment.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::SECRET_BYTES;

/// What every agent of a deployment must know to enrol. Wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SharedSecret(Vec<u8>);

/// Why bytes cannot be a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    /// Fewer than 8 bytes.
    #[error("the shared secret is shorter than 8 bytes")]
    TooShort,
    /// More than 1,024 bytes.
    #[error("the shared secret is longer than 1024 bytes")]
    TooLong,
    /// It holds a NUL byte, which no environment variable can carry.
    #[error("the shared secret holds a NUL byte")]
    Nul,
}

impl SharedSecret {
    /// Takes the raw bytes of a secret; one newline at the end is not part of it.
    ///
    /// # Errors
    /// [`InvalidSecret`] outside 8 to 1,024 bytes or with a NUL byte; the bytes are wiped.
    pub fn new(mut bytes: Vec<u8>) -> Result<Self, InvalidSecret> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let secret = Self(bytes);
        let (shortest, _, longest) = SECRET_BYTES;
        match secret.0.len() {
            n if n < shortest => Err(InvalidSecret::TooShort),
            n if n > longest => Err(InvalidSecret::TooLong),
            _ if secret.0.contains(&0) => Err(InvalidSecret::Nul),
            _ => Ok(secret),
        }
    }

    /// Whether it is so short (under 16 bytes) that whoever set it should be warned.
    pub fn is_weak(&self) -> bool {
        self.0.len() < SECRET_BYTES.1
    }

    /// The bytes, for deriving keys and for the owner's own file; nothing else may see them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_8_and_1024_without_one_newline() {
        let of = |bytes: &[u8]| SharedSecret::new(bytes.to_vec()).map(|s| s.expose().len());
        assert_eq!(of(b"1234567\n"), Err(InvalidSecret::TooShort));
        assert_eq!(of(b"12345678\n"), Ok(8));
        assert_eq!(of(b"1234567\n\n"), Ok(8));
        assert_eq!(of(b"1234\x005678"), Err(InvalidSecret::Nul));
        assert_eq!(of(&[b'x'; 1_024]), Ok(1_024));
        assert_eq!(of(&[b'x'; 1_025]), Err(InvalidSecret::TooLong));
    }

    #[test]
    fn only_short_secrets_are_weak() {
        let weak = |n| SharedSecret::new(vec![b'x'; n]).unwrap().is_weak();
        assert!(weak(15) && !weak(16));
    }
}
