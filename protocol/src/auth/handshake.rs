//! The handshake as values: each step consumes the one before.

use super::kdf::Kdf;
use super::keys::SaltedKey;
use super::transcript::{Fields, Peers, Transcript};
use super::wire::Bytes;
use super::words::{CredentialKind, KdfName};
use crate::limits::PROTOCOL_VERSION;
use crate::request::{Authenticate, Challenge, Hello, Signed};
use crate::secret::SharedSecret;
use crate::token::{Token, TokenKind};

/// What a client proves itself with.
#[derive(Debug)]
pub enum Credential {
    /// The shared secret of the deployment.
    Secret(SharedSecret),
    /// A session token or resume credential.
    Token(Token),
}

impl Credential {
    /// Which kind it is.
    pub const fn kind(&self) -> CredentialKind {
        match self {
            Self::Secret(_) => CredentialKind::Secret,
            Self::Token(token) => match token.kind() {
                TokenKind::Session => CredentialKind::Session,
                TokenKind::Resume => CredentialKind::Resume,
            },
        }
    }
}

/// Why the client stops before it has sent anything that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The server speaks another version.
    #[error("the daemon speaks another version of the protocol")]
    Version,
    /// The key derivation asked for is outside the floors and ceilings, or was not offered.
    #[error("the daemon asks for a key derivation outside safe bounds; it may be false")]
    Kdf,
    /// The server names another client than this process: something stands in between.
    #[error("the daemon sees another process than this one at the other end")]
    Peer,
    /// The server's signature is wrong: it does not know the credential.
    #[error("the daemon could not prove that it knows the credential; it may be false")]
    Signature,
}

/// The first step: what this client says of itself.
#[derive(Debug)]
pub struct ClientHello<'a> {
    credential: &'a Credential,
    nonce: Bytes<32>,
    offered: Vec<KdfName>,
}

impl<'a> ClientHello<'a> {
    /// Begins with a fresh random `nonce`.
    pub fn new(credential: &'a Credential, nonce: [u8; 32]) -> Self {
        let offered = vec![KdfName::Argon2id, KdfName::Scrypt];
        Self {
            credential,
            nonce: Bytes(nonce),
            offered,
        }
    }

    /// The request to send.
    pub fn request(&self) -> Hello {
        Hello {
            v: PROTOCOL_VERSION,
            cred: self.credential.kind(),
            id: match self.credential {
                Credential::Secret(_) => None,
                Credential::Token(token) => Some(token.sid()),
            },
            cn: self.nonce,
            kdfs: self.offered.clone(),
        }
    }

    /// Checks the server's challenge and answers it. `seen` is what the kernel says of both ends;
    /// its client process id is `None` where process ids differ between the ends (containers).
    ///
    /// # Errors
    /// [`HandshakeError`] when the challenge must not be answered.
    pub fn answer(
        self,
        challenge: &Challenge,
        seen: SeenPeers,
    ) -> Result<(Authenticate, AwaitSignature), HandshakeError> {
        if challenge.v != PROTOCOL_VERSION {
            return Err(HandshakeError::Version);
        }
        let peers = challenge.peers();
        let same_pid = seen.client_pid.is_none_or(|pid| pid == peers.client_pid);
        let same_uids = seen.client_uid == peers.client_uid && seen.server_uid == peers.server_uid;
        if !same_uids || !same_pid {
            return Err(HandshakeError::Peer);
        }
        let key = self.salted_key(challenge)?;
        let transcript = challenge.transcript(&self.request());
        let expected = key.verifier().sign(&transcript);
        Ok((
            Authenticate {
                proof: key.prove(&transcript),
            },
            AwaitSignature { expected },
        ))
    }

    fn salted_key(&self, challenge: &Challenge) -> Result<SaltedKey, HandshakeError> {
        match self.credential {
            Credential::Secret(secret) => {
                if !self.offered.contains(&challenge.kdf) {
                    return Err(HandshakeError::Kdf);
                }
                let kdf = Kdf::parse(challenge.kdf, &challenge.params);
                kdf.and_then(|kdf| kdf.derive(secret, challenge.salt.as_slice()))
                    .map_err(|_| HandshakeError::Kdf)
            }
            Credential::Token(token) => {
                let bare = challenge.params.is_empty() && challenge.salt.as_slice().is_empty();
                if challenge.kdf != KdfName::None || !bare {
                    return Err(HandshakeError::Kdf);
                }
                Ok(SaltedKey::of_token(*token.key()))
            }
        }
    }
}

/// What the client's own kernel says of both ends.
#[derive(Debug, Clone, Copy)]
pub struct SeenPeers {
    /// This process's user id.
    pub client_uid: u32,
    /// This process's id, `None` to accept whatever the server sees.
    pub client_pid: Option<u32>,
    /// The user id of the process that listens.
    pub server_uid: u32,
}

/// The second step: the proof is out, the server's signature is awaited.
#[derive(Debug)]
pub struct AwaitSignature {
    expected: Bytes<32>,
}

impl AwaitSignature {
    /// Checks the server's signature.
    ///
    /// # Errors
    /// [`HandshakeError::Signature`]: nothing more may be sent to this server.
    pub fn verify(self, signed: &Signed) -> Result<Proved, HandshakeError> {
        let right = subtle::ConstantTimeEq::ct_eq(&self.expected.0[..], &signed.sig.0[..]);
        if bool::from(right) {
            Ok(Proved(()))
        } else {
            Err(HandshakeError::Signature)
        }
    }
}

/// Both sides have proved themselves. Only a verified signature makes one.
#[derive(Debug)]
pub struct Proved(());

impl Challenge {
    /// Both ends as the server sees them.
    pub const fn peers(&self) -> Peers {
        Peers {
            client_uid: self.peer.uid,
            client_pid: self.peer.pid,
            server_uid: self.suid,
        }
    }

    /// What is proved when this challenge answers `hello`.
    pub fn transcript(&self, hello: &Hello) -> Transcript {
        Transcript::new(&Fields {
            deployment: &self.dep.0,
            client_nonce: &hello.cn,
            server_nonce: &self.sn,
            credential: hello.cred,
            key_id: &self.kid,
            kdf: self.kdf,
            params: &self.params,
            salt: self.salt.as_slice(),
            offered: &hello.kdfs,
            peers: self.peers(),
        })
    }
}
