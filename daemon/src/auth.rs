//! The gate: `hello`, `authenticate`, and who somebody is after it.
//!
//! One attempt for each connection. Whatever is wrong with a proof (unknown token, wrong key,
//! forged row), the answer is the same and comes after the same time; `expired` is said only to
//! somebody who has proved the token. The daemon does no key derivation, so a flood of wrong
//! secrets costs it a few HMACs each.

use std::sync::Arc;

use ipc_protocol::auth::{Bytes, CredentialKind, KdfName, SaltedKey, Verifier};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::limits::PROTOCOL_VERSION;
use ipc_protocol::request::{
    Authenticate, Challenge, ChallengeSalt, Enrolment, Hello, PeerFacts, Signed,
};
use ipc_protocol::token::{Sid, TokenKind};
use rand::Rng;

use crate::caller::{Caller, Newcomer, Operator, Peer};
use crate::daemon::Daemon;
use crate::error;
use crate::store::context::View;
use crate::store::credentials::{self, Credential, Lifetime};

/// Somebody who has proved a credential.
#[derive(Debug)]
pub(crate) enum Proven {
    /// The secret, or to be an agent that comes back: may register, or administer.
    Newcomer(Newcomer),
    /// A session: is an agent.
    Agent {
        /// The agent.
        caller: Caller,
        /// When its session ends.
        lifetime: Lifetime,
    },
}

/// A `hello` that has been answered.
#[derive(Debug)]
pub(crate) struct Challenged {
    hello: Hello,
    challenge: Challenge,
    verifier: Verifier,
    /// The row of the token; nothing for the secret, and for a token that is not there.
    credential: Option<Credential>,
}

/// Answers `hello` with a challenge.
pub(crate) async fn challenge(
    hello: Hello,
    peer: &Peer,
    daemon: &Daemon,
) -> Result<Challenged, Refusal> {
    if hello.v != PROTOCOL_VERSION {
        let text = format!("this daemon speaks version {PROTOCOL_VERSION} of the protocol");
        return Err(Refusal::new(ErrorCode::UnsupportedVersion, text)
            .hint("restart the daemon after an update: `ipc daemon restart`"));
    }
    if hello.cred == CredentialKind::Secret && hello.id.is_some() {
        return Err(Refusal::new(
            ErrorCode::Malformed,
            "the shared secret has no `id`",
        ));
    }
    daemon.quotas.may_try(peer, hello.cred)?;
    let mut nonce = [0; 32];
    let mut decoy = [0; 32];
    let mut rng = daemon.shared.gate.fork_rng();
    rng.fill_bytes(&mut nonce);
    rng.fill_bytes(&mut decoy);
    let challenge = Challenge {
        v: PROTOCOL_VERSION,
        dep: Bytes(daemon.shared.gate.deployment),
        sn: Bytes(nonce),
        kid: String::new(),
        kdf: KdfName::None,
        params: String::new(),
        salt: ChallengeSalt::new(Vec::new()),
        peer: PeerFacts {
            uid: peer.uid,
            pid: peer.pid,
        },
        suid: daemon.shared.gate.uid,
    };
    match hello.cred {
        CredentialKind::Secret => for_secret(hello, challenge, daemon),
        CredentialKind::Session | CredentialKind::Resume => {
            // A token that is not there is checked against a key that nobody has.
            let decoy = SaltedKey::of_token(decoy).verifier();
            for_token(hello, challenge, decoy, daemon).await
        }
    }
}

fn for_secret(
    hello: Hello,
    mut challenge: Challenge,
    daemon: &Daemon,
) -> Result<Challenged, Refusal> {
    let verifiers = daemon.shared.gate.verifiers();
    let of = |name: &KdfName| verifiers.iter().find(|v| v.kdf.name() == *name);
    let Some(chosen) = hello.kdfs.iter().find_map(of) else {
        return Err(
            Refusal::new(ErrorCode::Busy, "no verifier for these key derivations yet")
                .hint("a new deployment is still being set up; try again")
                .retry_after(1_000),
        );
    };
    challenge.kid.clone_from(&chosen.kid);
    challenge.kdf = chosen.kdf.name();
    challenge.params = chosen.kdf.to_string();
    challenge.salt = ChallengeSalt::new(chosen.salt.clone());
    let keys = &chosen.verifier;
    let verifier = Verifier {
        stored_key: keys.stored_key,
        server_key: keys.server_key,
    };
    Ok(Challenged {
        hello,
        challenge,
        verifier,
        credential: None,
    })
}

async fn for_token(
    hello: Hello,
    mut challenge: Challenge,
    decoy: Verifier,
    daemon: &Daemon,
) -> Result<Challenged, Refusal> {
    let Some(sid) = hello.id else {
        return Err(Refusal::new(ErrorCode::Malformed, "a token has an `id`"));
    };
    let wanted = match hello.cred {
        CredentialKind::Session => TokenKind::Session,
        CredentialKind::Resume | CredentialKind::Secret => TokenKind::Resume,
    };
    let credential = look_up(sid, daemon).await?;
    let credential = credential.filter(|credential| credential.kind == wanted);
    challenge.kid = sid.to_string();
    let verifier = credential.as_ref().map_or(decoy, |c| Verifier {
        stored_key: c.verifier.stored_key,
        server_key: c.verifier.server_key,
    });
    Ok(Challenged {
        hello,
        challenge,
        verifier,
        credential,
    })
}

/// The row of the token `sid`, if there is one that this deployment wrote.
async fn look_up(sid: Sid, daemon: &Daemon) -> Result<Option<Credential>, Refusal> {
    let shared = Arc::clone(&daemon.shared);
    let find = move |view: &View<'_>| Ok(credentials::find(view.db, &shared.key, sid)?);
    daemon
        .reader
        .run(find)
        .await
        .map_err(|error| error.told(&daemon.shared.counters))
}

/// Refuses a token that has been revoked.
pub(crate) async fn check_there(sid: Sid, daemon: &Daemon) -> Result<(), Refusal> {
    let find = move |view: &View<'_>| credentials::check_session(view, sid);
    daemon
        .reader
        .run(find)
        .await
        .map_err(|error| error.told(&daemon.shared.counters))
}

impl Challenged {
    /// Which credential is to be proved.
    pub(crate) const fn kind(&self) -> CredentialKind {
        self.hello.cred
    }

    /// What to send.
    pub(crate) const fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// Checks the proof that came back.
    pub(crate) fn check(
        self,
        answer: &Authenticate,
        peer: Peer,
        daemon: &Daemon,
    ) -> Result<(Signed, Proven), Refusal> {
        // Once more, now that it counts: others of the same process may have been wrong meanwhile.
        daemon.quotas.may_try(&peer, self.hello.cred)?;
        let transcript = self.challenge.transcript(&self.hello);
        let Some(sig) = self.verifier.check(&transcript, &answer.proof) else {
            daemon.shared.counters.failed_authentication();
            if daemon.quotas.charge_failure(&peer, self.hello.cred) {
                let credential = self.hello.cred.as_str();
                tracing::warn!(pid = peer.pid, credential, "a wrong proof");
            }
            return Err(self.wrong(daemon));
        };
        let proven = match self.credential {
            None => Proven::Newcomer(Newcomer::Secret(Operator::new(
                self.challenge.kid,
                peer.pid,
            ))),
            Some(credential) => of_token(credential, peer, daemon)?,
        };
        Ok((Signed { sig }, proven))
    }

    fn wrong(&self, daemon: &Daemon) -> Refusal {
        let secret = self.hello.cred == CredentialKind::Secret;
        if secret && daemon.shared.gate.enrolment() == Enrolment::SecretChanged {
            return secret_changed();
        }
        let hint = if secret {
            "IPC_SHARED_SECRET or the `secret` file differs from what this deployment was made with"
        } else {
            "register again: `ipc register NAME`"
        };
        Refusal::new(ErrorCode::Unauthenticated, "the proof is wrong").hint(hint)
    }
}

fn of_token(credential: Credential, peer: Peer, daemon: &Daemon) -> Result<Proven, Refusal> {
    let shared = &daemon.shared;
    match credential.kind {
        TokenKind::Resume => Ok(Proven::Newcomer(Newcomer::Agent {
            agent: credential.agent,
            resume: credential.sid,
            kid: credential.kid,
        })),
        TokenKind::Session => {
            let stored = credential.lifetime.last_used;
            let last_used = shared.presence.session_used(credential.sid, stored);
            if !credential
                .lifetime
                .is_good(shared.clock.now(), &shared.boot_id, last_used)
            {
                return Err(error::expired());
            }
            let caller = Caller::new(credential.agent, credential.sid, peer);
            Ok(Proven::Agent {
                caller,
                lifetime: credential.lifetime,
            })
        }
    }
}

/// The refusal to enrol under another secret.
pub(crate) fn secret_changed() -> Refusal {
    Refusal::new(
        ErrorCode::SecretChanged,
        "the daemon was started with another secret than this deployment was made with",
    )
    .hint(
        "unset IPC_SHARED_SECRET or set the old one, then `ipc daemon restart`; \
         or make the new one valid: `ipc admin rotate-secret`",
    )
}
