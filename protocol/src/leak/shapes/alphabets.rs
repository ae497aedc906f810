//! The bytes that runs are made of, and where a run ends.

use super::DASHES;

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

    /// How many of the first bytes are of it. Five dashes begin or end a PEM block, which is no part of
    /// a run that it touches.
    ///
    /// No byte behind its end is looked at: many runs may stand close together.
    pub(in super::super) fn run(self, bytes: &[u8]) -> usize {
        let mut in_a_row = 0_usize;
        let ends = |byte: &u8| {
            in_a_row = if *byte == b'-' {
                in_a_row.saturating_add(1)
            } else {
                0
            };
            !self.has(*byte) || in_a_row == DASHES.len()
        };
        let end = bytes.iter().position(ends);
        #[cfg(test)]
        super::counted::add(end.unwrap_or(bytes.len()));
        match end {
            None => bytes.len(),
            Some(at) if in_a_row == DASHES.len() => {
                at.saturating_sub(DASHES.len().saturating_sub(1))
            }
            Some(at) => at,
        }
    }
}
