//! The handshake with somebody in between, who changes, replaces and drops what passes.
//!
//! What must hold whatever is done to the four frames: the daemon lets in nobody but the client that
//! has the token, over the very words that the client saw; and the client goes on with nobody but the
//! daemon that knows the token, over the same words.

use serde_json::Value;

use crate::auth::{
    AwaitSignature, Bytes, ClientHello, Credential, Kdf, KdfName, SaltedKey, SeenPeers, Signature,
};
use crate::limits::PROTOCOL_VERSION;
use crate::request::{
    Authenticate, Challenge, ChallengeSalt, Hello, Method, PeerFacts, Request, Signed,
};
use crate::rpc::{self, Call, Reply};
use crate::secret::SharedSecret;
use crate::token::Token;

/// The token that both sides know, and whoever is in between does not use.
const TOKEN: &str = "ipcs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_D8U7VA";

const SEEN: SeenPeers = SeenPeers {
    client_uid: 1_000,
    client_pid: Some(7),
    server_uid: 1_000,
};

/// Both halves of the state machine, with the input as the one in between.
pub fn handshake(bytes: &[u8]) {
    let mut middle = Middle { orders: bytes };
    let Ok(token) = Token::parse(TOKEN) else {
        assert!(bytes.is_empty(), "the token is none");
        return;
    };
    let sid = token.sid();
    let server_key = SaltedKey::of_token(*token.key()).verifier();
    let credential = Credential::Token(token);
    let client = ClientHello::new(&credential, [3; 32]);
    let sent_hello = client.request();
    let Some((hello, challenge)) =
        answer_hello(&middle.passes(call(&sent_hello)), &sid.to_string())
    else {
        return;
    };
    let at_server = challenge.transcript(&hello);
    let challenge: Option<Challenge> = read(&middle.passes(reply(&challenge)));
    let Some(challenge) = challenge else { return };
    at_a_client_with_a_secret(&challenge);
    let Ok((proof, waiting)) = client.answer(&challenge, SEEN) else {
        return;
    };
    let at_client = challenge.transcript(&sent_hello);
    let proof: Option<Authenticate> = match request(&middle.passes(call(&proof))) {
        Some(Request::Authenticate(proof)) => Some(proof),
        Some(_) | None => None,
    };
    let signed = proof.and_then(|answer| server_key.check(&at_server, &answer.proof));
    if signed.is_some() {
        assert_eq!(at_client, at_server, "a proof of other words was taken");
    }
    end(&mut middle, signed, waiting, at_client == at_server);
}

/// The last step: the client hears something, of the daemon or of whoever is in between.
fn end(middle: &mut Middle<'_>, signed: Option<Signature>, waiting: AwaitSignature, same: bool) {
    let was_let_in = signed.is_some();
    let sig = signed.unwrap_or(Bytes([0; 32]));
    let signed: Option<Signed> = read(&middle.passes(reply(&Signed { sig })));
    let Some(signed) = signed else { return };
    if waiting.verify(&signed).is_ok() {
        assert!(was_let_in && same, "a false daemon was believed");
    }
}

/// The daemon's first answer: `daemon/src/auth.rs` without its store.
fn answer_hello(payload: &[u8], kid: &str) -> Option<(Hello, Challenge)> {
    let Some(Request::Hello(hello)) = request(payload) else {
        return None;
    };
    let challenge = Challenge {
        v: PROTOCOL_VERSION,
        dep: Bytes([1; 16]),
        sn: Bytes([2; 32]),
        kid: kid.to_owned(),
        kdf: KdfName::None,
        params: String::new(),
        salt: ChallengeSalt::new(Vec::new()),
        peer: PeerFacts { uid: 1_000, pid: 7 },
        suid: 1_000,
    };
    Some((hello, challenge))
}

/// A client that has only the secret refuses what is cheap to crack or too much work, and derives
/// nothing for it. What it would derive for is not derived here: that takes a tenth of a second.
fn at_a_client_with_a_secret(challenge: &Challenge) {
    if let Ok(kdf) = Kdf::parse(challenge.kdf, &challenge.params) {
        assert!(kdf.name() == challenge.kdf && kdf.to_string() == challenge.params);
        let (Kdf::Argon2id { m: work, .. } | Kdf::Scrypt { p: work, .. }) = kdf;
        assert!((1..=262_144).contains(&work));
    } else if let Ok(secret) = SharedSecret::new(b"correct horse battery".to_vec()) {
        let credential = Credential::Secret(secret);
        let client = ClientHello::new(&credential, [3; 32]);
        assert!(client.answer(challenge, SEEN).is_err());
    }
}

fn call<M: Method>(request: &M) -> Vec<u8> {
    rpc::encode_call(1, request).unwrap_or_default()
}

fn reply(reply: &impl serde::Serialize) -> Vec<u8> {
    rpc::encode_reply(Some(1), &Ok(reply)).unwrap_or_default()
}

fn request(payload: &[u8]) -> Option<Request> {
    Call::decode(payload).ok().map(|call| call.request)
}

fn read<T: serde::de::DeserializeOwned>(payload: &[u8]) -> Option<T> {
    let value: Value = Reply::decode(payload)?.outcome.ok()?;
    serde_json::from_value(value).ok()
}

/// Whoever is in between, and what is left of the orders: for each frame one byte that says what is
/// done to it, and what that takes.
struct Middle<'a> {
    orders: &'a [u8],
}

impl Middle<'_> {
    fn passes(&mut self, payload: Vec<u8>) -> Vec<u8> {
        match self.byte() % 4 {
            1 => {
                let length = usize::from(self.byte()).saturating_mul(4);
                self.take(length)
            }
            2 => self.with_splice(&payload),
            3 => {
                let once = self.with_splice(&payload);
                self.with_splice(&once)
            }
            _ => payload,
        }
    }

    /// `payload` with a stretch of it replaced: where, how long, and by what.
    fn with_splice(&mut self, payload: &[u8]) -> Vec<u8> {
        let at = usize::from(self.byte()).saturating_mul(2);
        let at = at
            .saturating_add(usize::from(self.byte() & 1))
            .min(payload.len());
        let (gone, put) = (usize::from(self.byte()), usize::from(self.byte()));
        let put = self.take(put);
        let before = payload.get(..at).unwrap_or_default();
        let after = payload.get(at.saturating_add(gone)..).unwrap_or_default();
        [before, &put, after].concat()
    }

    fn byte(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let (taken, rest) = self.orders.split_at(bytes.min(self.orders.len()));
        self.orders = rest;
        taken.to_owned()
    }
}
