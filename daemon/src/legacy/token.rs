//! Session tokens of the old port: 43 characters, as the predecessor's were.
//!
//! base64url of a public id of 16 bytes and a secret key of 16. The id finds the row; the row keeps
//! what the key is checked with, made otherwise than for native tokens, so that neither kind opens
//! the other's door.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ipc_protocol::auth::Verifier;
use ipc_protocol::token::Sid;
use rand::CryptoRng;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const HALF: usize = 16;
const CHARS: usize = 43;

/// What keeps the keys of these tokens apart from those of native ones.
const DOMAIN: &[u8] = b"claude-ipc/1 old port token\0";

/// A token of the old port, both halves. Its key is wiped from memory when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct OldToken {
    #[zeroize(skip)]
    sid: Sid,
    key: [u8; HALF],
}

impl OldToken {
    /// Draws a new token.
    pub(super) fn random(rng: &mut impl CryptoRng) -> Self {
        let (mut sid, mut key) = ([0; HALF], [0; HALF]);
        rng.fill_bytes(&mut sid);
        rng.fill_bytes(&mut key);
        let token = Self {
            sid: Sid::from_bytes(sid),
            key,
        };
        key.zeroize();
        token
    }

    /// Parses the text form; nothing for any other text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let whole = (text.len() == CHARS).then_some(text)?;
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(whole.as_bytes()).ok()?);
        let (sid, key) = bytes.split_first_chunk()?;
        Some(Self {
            sid: Sid::from_bytes(*sid),
            key: key.try_into().ok()?,
        })
    }

    /// The text form: for the agent it was issued to, and nobody else.
    pub(super) fn expose(&self) -> Zeroizing<String> {
        let bytes = Zeroizing::new([self.sid.as_bytes().as_slice(), &self.key].concat());
        Zeroizing::new(BASE64URL_NOPAD.encode(&bytes))
    }

    /// The public half.
    pub(super) const fn sid(&self) -> Sid {
        self.sid
    }

    /// What the row keeps. A native proof needs the 32 bytes whose digest is the stored key; here
    /// more bytes were digested, so that whoever has the token cannot make one.
    pub(super) fn verifier(&self) -> Verifier {
        Verifier {
            stored_key: self.digest(b"stored key"),
            server_key: self.digest(b"server key"),
        }
    }

    fn digest(&self, what: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(DOMAIN);
        digest.update(what);
        digest.update(self.sid.as_bytes());
        digest.update(self.key);
        digest.finalize().into()
    }
}

impl fmt::Debug for OldToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OldToken({}, …)", self.sid)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn token() -> OldToken {
        OldToken::random(&mut rand::rngs::StdRng::seed_from_u64(1))
    }

    #[test]
    fn a_token_has_43_characters_and_one_spelling() {
        let text = token().expose();
        assert_eq!(text.len(), 43);
        assert_eq!(OldToken::parse(&text).unwrap().expose(), text);
        let (start, last) = text.split_at(42);
        // The last character holds 4 bits of the key: the 2 others must be zero.
        let other = if last == "A" { "B" } else { "_" };
        for bad in [
            start,
            &format!("{start}{other}"),
            "",
            "ipcs_",
            &"=".repeat(43),
        ] {
            assert!(OldToken::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let token = token();
        let text = token.expose();
        let (_, key) = text.split_at(22);
        assert!(!format!("{token:?}").contains(key));
    }

    #[test]
    fn nothing_that_can_be_made_of_a_token_is_a_native_one() {
        use ipc_protocol::auth::SaltedKey;
        let token = token();
        let stored = token.verifier().stored_key;
        let mut padded = [0; 32];
        padded[..HALF].copy_from_slice(&token.key);
        let keys = [padded, token.digest(b""), token.digest(b"stored key")];
        for key in keys.into_iter().chain([stored]) {
            assert_ne!(SaltedKey::of_token(key).verifier().stored_key, stored);
        }
    }
}
