//! The bytes that runs are made of, and where a run ends.

use super::dashes;

/// The bytes that something is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Alphabet {
    /// `A` to `Z` and `2` to `7`.
    Base32,
    /// The capital letters and digits of Bech32 (BIP 173).
    Bech32,
    /// Digits and `a` to `f`.
    Hex,
    /// ASCII letters.
    Letters,
    /// ASCII letters and digits.
    Word,
    /// The same with `-` and `_`.
    WordDash,
    /// The same with `.`, too.
    WordDashDot,
    /// Letters, digits, `+`, `/`.
    Base64,
}

impl Alphabet {
    pub(in super::super) const fn has(self, byte: u8) -> bool {
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Bech32 => {
                matches!(byte, b'A' | b'C'..=b'H' | b'J'..=b'N' | b'P'..=b'Z' | b'0' | b'2'..=b'9')
            }
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::WordDash => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::WordDashDot => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
        }
    }

    /// How many of the first bytes are of it. Five dashes begin or end a frame, which is no part of
    /// a run that it touches.
    pub(in super::super) fn run(self, bytes: &[u8]) -> usize {
        let length = bytes.iter().position(|byte| !self.has(*byte));
        let length = length.unwrap_or(bytes.len());
        #[cfg(test)]
        super::counted::add(length);
        if !self.has(b'-') {
            return length;
        }
        bytes.get(..length).and_then(dashes).unwrap_or(length)
    }
}
