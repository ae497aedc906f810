//! A server in memory that answers from a script and remembers what it was sent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use ipc_protocol::auth::{Bytes, Credential, CredentialKind, KdfName, SeenPeers, Verifier};
use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::error::Refusal;
use ipc_protocol::frame::{self, Decoder};
use ipc_protocol::limits::FRAME_AFTER_AUTH;
use ipc_protocol::request::{Challenge, ChallengeSalt, Hello, PeerFacts, Request, Signed};
use ipc_protocol::rpc::{self, Call};
use serde::Serialize;

/// Both ends as the client's kernel sees them.
pub(crate) const SEEN: SeenPeers = SeenPeers {
    client_uid: 1_000,
    client_pid: Some(4_242),
    server_uid: 1_000,
};

/// What the server says to the next call: bytes, as they are.
pub(crate) type Step = Box<dyn FnMut(&Call) -> Vec<u8>>;

#[derive(Default)]
struct State {
    decoder: Option<Decoder>,
    script: VecDeque<Step>,
    outgoing: VecDeque<u8>,
    calls: Vec<Call>,
    is_closed: bool,
}

/// The server; both the test and the client's stream hold it.
#[derive(Clone, Default)]
pub(crate) struct FalseServer(Rc<RefCell<State>>);

impl FalseServer {
    /// A server that answers the first call with the first step, and so on; then it is silent.
    pub(crate) fn new(script: Vec<Step>) -> Self {
        let server = Self::default();
        server.0.borrow_mut().script = script.into();
        server
    }

    /// Says `bytes` without having been asked, and takes nothing more.
    pub(crate) fn say_and_close(&self, bytes: &[u8]) {
        let mut state = self.0.borrow_mut();
        state.outgoing.extend(bytes);
        state.is_closed = true;
    }

    /// Has a client prove `credential` to it.
    pub(crate) fn meet(&self, credential: &Credential) -> Result<Client<Self>, ClientError> {
        Client::prove(self.clone(), credential, [3; 32], SEEN)
    }

    /// The names of the calls that were sent.
    pub(crate) fn heard(&self) -> Vec<&'static str> {
        let state = self.0.borrow();
        state.calls.iter().map(|call| call.request.name()).collect()
    }
}

impl fmt::Debug for FalseServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FalseServer({:?})", self.heard())
    }
}

impl Write for FalseServer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        if state.is_closed {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let decoder = state
            .decoder
            .get_or_insert_with(|| Decoder::new(FRAME_AFTER_AUTH));
        decoder.push(bytes);
        while let Some(payload) = state.decoder.as_mut().unwrap().next_payload().unwrap() {
            let call = Call::decode(&payload).unwrap();
            if let Some(mut step) = state.script.pop_front() {
                let answer = step(&call);
                state.outgoing.extend(answer);
            }
            state.calls.push(call);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for FalseServer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // One byte at a time: whatever is split anywhere must come together again.
        let byte = self.0.borrow_mut().outgoing.pop_front();
        Ok(match (byte, into.first_mut()) {
            (Some(byte), Some(place)) => {
                *place = byte;
                1
            }
            (None, _) | (_, None) => 0,
        })
    }
}

/// A frame with `payload` in it.
pub(crate) fn framed(payload: &[u8]) -> Vec<u8> {
    frame::encode(payload, FRAME_AFTER_AUTH).unwrap()
}

/// A good answer to `call`.
pub(crate) fn answer<R: Serialize>(call: &Call, reply: &R) -> Vec<u8> {
    framed(&rpc::encode_reply(Some(call.id), &Ok(reply)).unwrap())
}

/// A refusal of `id`.
pub(crate) fn refuse(id: Option<u64>, refusal: Refusal) -> Vec<u8> {
    framed(&rpc::encode_reply::<()>(id, &Err(refusal)).unwrap())
}

/// What an honest server would say to `hello`.
pub(crate) fn challenge(hello: &Hello) -> Challenge {
    let (kdf, params, salt) = match hello.cred {
        CredentialKind::Secret => (KdfName::Argon2id, "m=19456,t=2,p=1", vec![9; 16]),
        CredentialKind::Session | CredentialKind::Resume => (KdfName::None, "", Vec::new()),
    };
    Challenge {
        v: 1,
        dep: Bytes([1; 16]),
        sn: Bytes([2; 32]),
        kid: hello
            .id
            .map_or_else(|| "k1".to_owned(), |sid| sid.to_string()),
        kdf,
        params: params.to_owned(),
        salt: ChallengeSalt::new(salt),
        peer: PeerFacts {
            uid: 1_000,
            pid: 4_242,
        },
        suid: 1_000,
    }
}

/// A step that answers `hello` with an honest challenge that `change` has changed.
pub(crate) fn challenges(change: impl Fn(&mut Challenge) + 'static) -> Step {
    Box::new(move |call| {
        let Request::Hello(hello) = &call.request else {
            panic!("expected `hello`, not {call:?}");
        };
        let mut challenge = challenge(hello);
        change(&mut challenge);
        answer(call, &challenge)
    })
}

/// A step that checks the proof with `verifier` and signs what was proved.
pub(crate) fn signs(verifier: Verifier, hello: Hello) -> Step {
    Box::new(move |call| {
        let Request::Authenticate(proof) = &call.request else {
            panic!("expected `authenticate`, not {call:?}");
        };
        let transcript = challenge(&hello).transcript(&hello);
        let sig = verifier
            .check(&transcript, &proof.proof)
            .expect("a right proof");
        answer(call, &Signed { sig })
    })
}
