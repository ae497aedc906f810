//! `hello` and `authenticate`: the two steps before anything else.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::auth::{Bytes, CredentialKind, KdfName, Proof, Signature};
use crate::token::Sid;

/// Says which credential will be proved. The first request of every connection.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Protocol version.
    pub v: u32,
    /// Which kind of credential.
    pub cred: CredentialKind,
    /// The public half of a token; none for the shared secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Sid>,
    /// The client's nonce.
    pub cn: Bytes<32>,
    /// The key derivations the client can do, best first.
    pub kdfs: Vec<KdfName>,
}

/// What to prove it with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Challenge {
    /// Protocol version.
    pub v: u32,
    /// The deployment.
    pub dep: Bytes<16>,
    /// The server's nonce.
    pub sn: Bytes<32>,
    /// Which secret, or the public half of the token.
    pub kid: String,
    /// The key derivation to do.
    pub kdf: KdfName,
    /// Its parameters; empty for tokens.
    pub params: String,
    /// Its salt, 16 to 32 bytes; empty for tokens.
    pub salt: ChallengeSalt,
    /// The client as the server's kernel sees it.
    pub peer: PeerFacts,
    /// The server's user id.
    pub suid: u32,
}

/// A process at the other end of a socket, as the kernel names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerFacts {
    /// User id.
    pub uid: u32,
    /// Process id.
    pub pid: u32,
}

/// The salt of a challenge: up to 32 bytes of base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeSalt(Vec<u8>);

impl ChallengeSalt {
    /// A salt of these bytes.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl Serialize for ChallengeSalt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for ChallengeSalt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64URL_NOPAD
            .decode(text.as_bytes())
            .ok()
            .filter(|b| b.len() <= 32);
        bytes
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("wrong base64url or length"))
    }
}

/// The client's proof.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authenticate {
    /// `ClientKey xor HMAC(StoredKey, transcript)`.
    pub proof: Proof,
}

/// The server's proof; the client checks it before it sends anything more.
#[derive(Debug, Serialize, Deserialize)]
pub struct Signed {
    /// `HMAC(ServerKey, transcript)`.
    pub sig: Signature,
}
