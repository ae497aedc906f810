//! Identifiers: 64 random bits behind a prefix that no name can have.
//!
//! The text form is the prefix, a dot and 13 digits of base32hex (RFC 4648, lower case, no
//! padding). The dot keeps ids and names apart wherever either may stand.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_DNSSEC;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form `{prefix}.` and 13 of 0-9a-v")]
pub struct InvalidId {
    prefix: char,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u64);

        impl $name {
            /// Draws a new id.
            pub fn random(rng: &mut impl CryptoRng) -> Self {
                Self(rng.next_u64())
            }

            /// The id as the store keeps it.
            pub const fn to_row(self) -> i64 {
                self.0.cast_signed()
            }

            /// The id that the store kept as `row`.
            pub const fn from_row(row: i64) -> Self {
                Self(row.cast_unsigned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}.{}", $prefix, BASE32_DNSSEC.encode(&self.0.to_be_bytes()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let wrong = InvalidId { prefix: $prefix };
                let digits = text.strip_prefix($prefix).and_then(|t| t.strip_prefix('.'));
                let digits = digits.filter(|d| !d.bytes().any(|b| b.is_ascii_uppercase()));
                let bytes = BASE32_DNSSEC.decode(digits.ok_or(wrong)?.as_bytes());
                let bytes = bytes.ok().and_then(|b| <[u8; 8]>::try_from(b).ok());
                bytes.map(|b| Self(u64::from_be_bytes(b))).ok_or(wrong)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id! {
    /// An agent for as long as it exists, whatever it is called.
    AgentId, 'a'
}
id! {
    /// One message, the same for every recipient.
    MessageId, 'm'
}
id! {
    /// One conversation, whoever is in it.
    ConversationId, 'c'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_row() {
        for bits in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let id = MessageId(bits);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(MessageId::from_row(id.to_row()), id);
        }
    }

    #[test]
    fn only_the_one_spelling_is_an_id() {
        let id = AgentId(0x0123_4567_89ab_cdef).to_string();
        assert!(id.parse::<MessageId>().is_err(), "another kind");
        assert!(id.to_uppercase().parse::<AgentId>().is_err(), "upper case");
        for text in [
            "",
            "a.",
            "a",
            "a.0",
            "a.0000000000000000",
            "a.000000000000z",
            "a.0000000000001",
        ] {
            assert!(text.parse::<AgentId>().is_err(), "{text}");
        }
    }
}
