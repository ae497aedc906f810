//! What an agent says of itself, and where it works.
//!
//! Status and summary are text of a peer and are shown as that; capabilities are words that were
//! parsed and may stand anywhere. Where an agent works travels as two numbers that can only be
//! compared: no path leaves the front-end.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::auth::Bytes;
use crate::limits::{CAPABILITIES, CAPABILITY_CHARS, STATUS_BYTES, SUMMARY_BYTES};

/// The text is too long, or has characters that may not stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidProfile(&'static str);

/// A text on one line that a part of can be taken out of.
pub trait OneLine {
    /// The text.
    fn text(&self) -> &str;

    /// Says `text` instead, or as much of it as fits.
    fn put(&mut self, text: &str);
}

/// As much of `text` as fits into so many bytes on one line, what may not stand there left out.
pub(crate) fn fitting(text: &str, longest: usize) -> String {
    let mut line = String::new();
    for c in text.chars().filter(|c| !c.is_control()) {
        if line.len().saturating_add(c.len_utf8()) > longest {
            break;
        }
        line.push(c);
    }
    line
}

macro_rules! one_line {
    ($(#[$doc:meta])* $name:ident, $longest:expr, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether it says nothing, which takes back what was said before.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            /// As much of `text` as fits on the line, what may not stand there left out.
            pub fn fitting(text: &str) -> Self {
                Self(fitting(text, $longest))
            }
        }

        impl OneLine for $name {
            fn text(&self) -> &str {
                &self.0
            }

            fn put(&mut self, text: &str) {
                *self = Self::fitting(text);
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidProfile;

            fn try_from(text: String) -> Result<Self, InvalidProfile> {
                if text.len() > $longest || text.chars().any(char::is_control) {
                    return Err(InvalidProfile($wrong));
                }
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidProfile;

            fn from_str(text: &str) -> Result<Self, InvalidProfile> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

one_line! {
    /// How an agent is, in its own words: one line, at most 120 bytes. Text of a peer.
    StatusText, STATUS_BYTES,
    "a status is one line of at most 120 bytes without control characters"
}
one_line! {
    /// What an agent works on, in its own words: one line, at most 512 bytes. Text of a peer.
    SummaryText, SUMMARY_BYTES,
    "a summary is one line of at most 512 bytes without control characters"
}

/// Something that an agent can do, as others look for it: `^[a-z0-9][a-z0-9._-]{0,31}$`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capability(String);

impl Capability {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Capability {
    type Error = InvalidProfile;

    fn try_from(text: String) -> Result<Self, InvalidProfile> {
        let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let begins = text.bytes().next().is_some_and(is_plain);
        let fits = |b: u8| is_plain(b) || b"._-".contains(&b);
        if !begins || text.len() > CAPABILITY_CHARS || !text.bytes().all(fits) {
            return Err(InvalidProfile(
                "a capability is 1 to 32 of `a-z 0-9 . _ -` and begins with a letter or digit",
            ));
        }
        Ok(Self(text))
    }
}

impl std::str::FromStr for Capability {
    type Err = InvalidProfile;

    fn from_str(text: &str) -> Result<Self, InvalidProfile> {
        text.to_owned().try_into()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.0
    }
}

/// What an agent can do: at most 16 words, sorted, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Capability>", into = "Vec<Capability>")]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// The words, in alphabetical order.
    pub fn as_slice(&self) -> &[Capability] {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words with `separator` between them.
    pub fn join(&self, separator: &str) -> String {
        let words: Vec<_> = self.0.iter().map(Capability::as_str).collect();
        words.join(separator)
    }
}

impl TryFrom<Vec<Capability>> for Capabilities {
    type Error = InvalidProfile;

    fn try_from(mut words: Vec<Capability>) -> Result<Self, InvalidProfile> {
        words.sort_unstable();
        words.dedup();
        if words.len() > CAPABILITIES {
            return Err(InvalidProfile("an agent has at most 16 capabilities"));
        }
        Ok(Self(words))
    }
}

impl From<Capabilities> for Vec<Capability> {
    fn from(capabilities: Capabilities) -> Self {
        capabilities.0
    }
}

/// A place, as a number that can only be compared: SHA-256 over a label and the place's path, the
/// first 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceId(pub Bytes<16>);

impl PlaceId {
    /// The place at `path`: absolute, without links.
    pub fn of(path: &[u8]) -> Self {
        let whole = Sha256::new()
            .chain_update(b"claude-ipc/1 place\0")
            .chain_update(path)
            .finalize();
        let mut first = [0; 16];
        for (to, from) in first.iter_mut().zip(whole) {
            *to = from;
        }
        Self(Bytes(first))
    }
}

/// Where an agent works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its directory.
    pub directory: PlaceId,
    /// The repository that the directory is in: one for all its worktrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<PlaceId>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_status_is_one_line_and_may_be_empty() {
        assert!("".parse::<StatusText>().unwrap().is_empty());
        assert!("reviewing, back at 5 🎉".parse::<StatusText>().is_ok());
        let longest = "x".repeat(STATUS_BYTES);
        assert!(longest.parse::<StatusText>().is_ok());
        for wrong in ["a\nb", "a\x1b[2J", "a\u{9b}b", "\t", &format!("{longest}x")] {
            assert!(wrong.parse::<StatusText>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_capability_is_a_word_and_nothing_that_reads_as_another() {
        for right in ["rust", "k8s", "code-review", "c", "2d", "a.b_c"] {
            assert!(right.parse::<Capability>().is_ok(), "{right}");
        }
        let long = "x".repeat(CAPABILITY_CHARS + 1);
        for wrong in ["", "Rust", "-x", ".x", "a b", "r\u{443}st", "x\n", &long] {
            assert!(wrong.parse::<Capability>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn capabilities_are_sorted_distinct_and_few() {
        let words = |number: usize| -> Vec<Capability> {
            (0..number)
                .rev()
                .map(|n| format!("w{n:02}").parse().unwrap())
                .collect()
        };
        let twice = [words(CAPABILITIES), words(CAPABILITIES)].concat();
        let all = Capabilities::try_from(twice).unwrap();
        assert!(all.join(" ").starts_with("w00 w01 "));
        assert!(Capabilities::try_from(words(CAPABILITIES + 1)).is_err());
    }

    #[test]
    fn places_can_be_told_apart_and_not_read() {
        assert_eq!(PlaceId::of(b"/home/me/app"), PlaceId::of(b"/home/me/app"));
        assert_ne!(PlaceId::of(b"/home/me/app"), PlaceId::of(b"/home/me/ap"));
        let wire = serde_json::to_string(&PlaceId::of(b"/home/me/app")).unwrap();
        assert!(!wire.contains("home"), "{wire}");
    }

    proptest! {
        #[test]
        fn what_fits_can_be_said(text in any::<String>()) {
            let summary = SummaryText::fitting(&text);
            prop_assert!(summary.as_str().parse::<SummaryText>().is_ok());
        }
    }
}
