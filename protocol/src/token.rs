//! Tokens: the credentials of a session and of an agent that comes back.
//!
//! `ipcs_` or `ipcr_`, then base64url of a public 16-byte id and a secret 32-byte key, then `_`
//! and base64url of the CRC-32 (big-endian) over prefix, id and key. Prefix and checksum are there for scanners that
//! look for leaked credentials; they prove nothing.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use rand::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SID_BYTES: usize = 16;
const KEY_BYTES: usize = 32;
/// Characters of base64url for the 48 bytes of id and key, and for the 4 of the checksum.
const PAYLOAD_CHARS: usize = 64;
const CHECK_CHARS: usize = 6;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Comes back on a new connection, until it expires.
    Session,
    /// Proves to be the same agent as before, after a restart or an expiry.
    Resume,
}

impl TokenKind {
    /// The prefix of a token of this kind.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "ipcs_",
            Self::Resume => "ipcr_",
        }
    }
}

/// The public half of a token: it may be logged, and finds the row to check the key against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid([u8; SID_BYTES]);

impl Sid {
    /// The id as raw bytes, as the store keeps it.
    pub const fn as_bytes(&self) -> &[u8; SID_BYTES] {
        &self.0
    }

    /// The id of these raw bytes.
    pub const fn from_bytes(bytes: [u8; SID_BYTES]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

/// A text that is not a token; the text is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this program, or damaged")]
pub struct InvalidToken;

impl TryFrom<String> for Sid {
    type Error = InvalidToken;

    fn try_from(text: String) -> Result<Self, InvalidToken> {
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .map_err(|_| InvalidToken)?;
        bytes.try_into().map(Self).map_err(|_| InvalidToken)
    }
}

impl Serialize for Sid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(serde::de::Error::custom)
    }
}

/// A token, both halves. Its key is wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Token {
    #[zeroize(skip)]
    kind: TokenKind,
    #[zeroize(skip)]
    sid: Sid,
    key: [u8; KEY_BYTES],
}

impl Token {
    /// Draws a new token.
    pub fn random(kind: TokenKind, rng: &mut impl CryptoRng) -> Self {
        let mut token = Self {
            kind,
            sid: Sid([0; SID_BYTES]),
            key: [0; KEY_BYTES],
        };
        rng.fill_bytes(&mut token.sid.0);
        rng.fill_bytes(&mut token.key);
        token
    }

    /// Parses the text form.
    ///
    /// # Errors
    /// [`InvalidToken`] for anything but the one spelling of a token with a right checksum.
    pub fn parse(text: &str) -> Result<Self, InvalidToken> {
        let kinds = [TokenKind::Session, TokenKind::Resume];
        let kind = kinds
            .into_iter()
            .find(|k| text.starts_with(k.prefix()))
            .ok_or(InvalidToken)?;
        let rest = text.strip_prefix(kind.prefix()).ok_or(InvalidToken)?;
        let (payload, check) = rest.split_at_checked(PAYLOAD_CHARS).ok_or(InvalidToken)?;
        let payload = Zeroizing::new(
            BASE64URL_NOPAD
                .decode(payload.as_bytes())
                .map_err(|_| InvalidToken)?,
        );
        if check != check_text(kind, &payload) {
            return Err(InvalidToken);
        }
        let (sid, key) = payload.split_first_chunk().ok_or(InvalidToken)?;
        let key = key.try_into().map_err(|_| InvalidToken)?;
        Ok(Self {
            kind,
            sid: Sid(*sid),
            key,
        })
    }

    /// The text form: for the agent it was issued to, and nobody else.
    pub fn expose(&self) -> Zeroizing<String> {
        let payload = Zeroizing::new([self.sid.0.as_slice(), &self.key].concat());
        let body = Zeroizing::new(BASE64URL_NOPAD.encode(&payload));
        Zeroizing::new([self.kind.prefix(), &body, &check_text(self.kind, &payload)].concat())
    }

    /// What the token is for.
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The public half.
    pub const fn sid(&self) -> Sid {
        self.sid
    }

    /// The secret half, for the proof.
    pub const fn key(&self) -> &[u8; KEY_BYTES] {
        &self.key
    }
}

fn check_text(kind: TokenKind, payload: &[u8]) -> String {
    let mut crc = crc32fast::Hasher::new();
    crc.update(kind.prefix().as_bytes());
    crc.update(payload);
    format!("_{}", BASE64URL_NOPAD.encode(&crc.finalize().to_be_bytes()))
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({:?}, {}, …)", self.kind, self.sid)
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.expose())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Whether `text` holds a whole token with a right checksum anywhere: mail must not carry one.
pub fn contains_token(text: &str) -> bool {
    let whole = 5_usize
        .saturating_add(PAYLOAD_CHARS)
        .saturating_add(CHECK_CHARS)
        .saturating_add(1);
    text.match_indices("ipc").any(|(at, _)| {
        let end = at.saturating_add(whole);
        text.get(at..end)
            .is_some_and(|candidate| Token::parse(candidate).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    fn token() -> Token {
        Token::random(TokenKind::Resume, &mut rand::rngs::StdRng::seed_from_u64(1))
    }

    #[test]
    fn a_token_has_one_spelling() {
        let text = token().expose();
        assert_eq!(Token::parse(&text).unwrap().expose(), text);
        for bad in [
            text.trim_end_matches(|_: char| true),
            text.trim_start_matches('i'),
            &format!("{}A", *text),
        ] {
            assert!(Token::parse(bad).is_err());
        }
        let swapped = text.replacen("ipcr_", "ipct_", 1);
        assert!(Token::parse(&swapped).is_err());
    }

    #[test]
    fn a_flipped_character_is_noticed() {
        let text = token().expose();
        for at in 5..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(
                Token::parse(std::str::from_utf8(&bytes).unwrap()).is_err(),
                "at {at}"
            );
        }
    }

    #[test]
    fn a_token_is_found_inside_a_text() {
        let text = format!("ipc ipcs_ häh{}!", *token().expose());
        assert!(contains_token(&text));
        assert!(!contains_token(&text.replace("ipcr_", "ipcx_")));
    }

    #[test]
    fn debug_shows_no_key() {
        let token = token();
        let shown = format!("{token:?}");
        assert!(
            !shown.contains(&BASE64URL_NOPAD.encode(token.key())),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_refused(text in "(ipc[sr]_)?[A-Za-z0-9_-]{0,80}") {
            if let Ok(token) = Token::parse(&text) {
                let shown = token.expose();
                prop_assert_eq!(shown.as_str(), text);
            }
        }
    }
}
