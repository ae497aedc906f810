//! For tests: a door to a daemon in this process, which says what the test wants and counts.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};

use ipc_protocol::auth::{Bytes, Credential, KdfName, SaltedKey, SeenPeers};
use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::frame::{Decoder, encode};
use ipc_protocol::id::AgentId;
use ipc_protocol::limits::FRAME_AFTER_AUTH;
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::{Challenge, ChallengeSalt, PeerFacts, Renamed, Request, Signed};
use ipc_protocol::rpc::{self, Call};
use ipc_protocol::token::{Token, TokenKind};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::sync::watch;

use crate::door::{Door, Enrolment, SharedFile, Wish};
use crate::failure::Failure;

/// What the daemon does with one request.
pub(crate) enum Said {
    /// It answers.
    Reply(Value),
    /// It says no.
    Refusal(Refusal),
    /// It closes the connection.
    HangsUp,
    /// It says nothing.
    Nothing,
}

type Answer = dyn Fn(usize, &Request) -> Said + Send + Sync;

/// The door. Clones are the same one.
#[derive(Clone)]
pub(crate) struct FakeDoor {
    /// The number of the request, from 0, and the request.
    answer: Arc<Answer>,
    /// The names of the requests, in order.
    heard: Arc<Mutex<Vec<&'static str>>>,
    /// How often somebody enrolled.
    pub(crate) enrolled: watch::Sender<usize>,
    /// How often somebody came back.
    pub(crate) came_back: watch::Sender<usize>,
    /// How many connections the client's side has closed.
    pub(crate) closed: watch::Sender<usize>,
    /// How connections were asked for, in order.
    asked_for: Arc<Mutex<Vec<Connect>>>,
    /// How many looks for a daemon that runs find none.
    pub(crate) away: usize,
    data_dir: DataDir,
}

/// How a connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connect {
    /// To a daemon that is started if none runs.
    Started,
    /// To one that runs.
    Running,
}

impl FakeDoor {
    /// A door to a daemon that answers like this.
    pub(crate) fn new(answer: impl Fn(usize, &Request) -> Said + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            heard: Arc::default(),
            enrolled: watch::Sender::new(0),
            came_back: watch::Sender::new(0),
            closed: watch::Sender::new(0),
            asked_for: Arc::default(),
            away: 0,
            data_dir: DataDir::new("/nowhere".into(), None).unwrap(),
        }
    }

    /// The names of the requests, in order.
    pub(crate) fn heard(&self) -> Vec<&'static str> {
        self.heard.lock().unwrap().clone()
    }

    /// How connections were asked for, in order, but those of enrolments.
    pub(crate) fn asked_for(&self) -> Vec<Connect> {
        self.asked_for.lock().unwrap().clone()
    }

    fn open(&self, session: &Credential) -> Result<Client<UnixStream>, Failure> {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let door = self.clone();
        let daemon = std::thread::Builder::new().spawn(move || door.serve(theirs));
        drop(daemon.unwrap());
        Client::prove(ours, session, [3; 32], SEEN).map_err(|error| self.explain(error))
    }

    fn enrolment(&self) -> Enrolment {
        let session = Credential::Token(token());
        Enrolment {
            agent_id: AgentId::from_row(1),
            name: Name::parse("alice").unwrap(),
            incarnation: 1,
            automatic: true,
            waiting: 0,
            online: Vec::new(),
            client: self.open(&session).unwrap(),
            session,
        }
    }

    fn next(&self, call: &Call) -> Said {
        let mut heard = self.heard.lock().unwrap();
        let said = (self.answer)(heard.len(), &call.request);
        heard.push(call.request.name());
        said
    }

    fn serve(&self, mut stream: UnixStream) {
        let verifier = SaltedKey::of_token(*token().key()).verifier();
        let (mut decoder, mut transcript) = (Decoder::new(FRAME_AFTER_AUTH), None);
        let mut bytes = [0; 4_096];
        loop {
            let read = stream.read(&mut bytes).unwrap_or(0);
            if read == 0 {
                self.closed.send_modify(one_more);
                return;
            }
            decoder.push(&bytes[..read]);
            while let Some(payload) = decoder.next_payload().unwrap() {
                let call = Call::decode(&payload).unwrap();
                let said = match &call.request {
                    Request::Hello(hello) => {
                        let kid = hello.id.unwrap().to_string();
                        let challenge = challenge(kid);
                        transcript = Some(challenge.transcript(hello));
                        Said::Reply(serde_json::to_value(challenge).unwrap())
                    }
                    Request::Authenticate(proof) => {
                        let sig = verifier.check(&transcript.take().unwrap(), &proof.proof);
                        let signed = Signed { sig: sig.unwrap() };
                        Said::Reply(serde_json::to_value(signed).unwrap())
                    }
                    _ => self.next(&call),
                };
                let reply = match said {
                    Said::Reply(value) => rpc::encode_reply(Some(call.id), &Ok(value)),
                    Said::Refusal(refusal) => {
                        rpc::encode_reply::<Value>(Some(call.id), &Err(refusal))
                    }
                    Said::HangsUp => return,
                    Said::Nothing => continue,
                };
                let frame = encode(&reply.unwrap(), FRAME_AFTER_AUTH).unwrap();
                // Whoever has hung up does not read it.
                drop(stream.write_all(&frame));
            }
        }
    }
}

fn one_more(times: &mut usize) {
    *times = times.saturating_add(1);
}

/// The one credential that is good.
fn token() -> Token {
    Token::random(TokenKind::Session, &mut StdRng::seed_from_u64(1))
}

const SEEN: SeenPeers = SeenPeers {
    client_uid: 1_000,
    client_pid: Some(4_242),
    server_uid: 1_000,
};

fn challenge(kid: String) -> Challenge {
    Challenge {
        v: 1,
        dep: Bytes([1; 16]),
        sn: Bytes([2; 32]),
        kid,
        kdf: KdfName::None,
        params: String::new(),
        salt: ChallengeSalt::new(Vec::new()),
        peer: PeerFacts {
            uid: 1_000,
            pid: 4_242,
        },
        suid: 1_000,
    }
}

impl Door for FakeDoor {
    fn enrol(&self, _wish: &Wish) -> Result<Enrolment, Failure> {
        let enrolment = self.enrolment();
        self.enrolled.send_modify(one_more);
        Ok(enrolment)
    }

    fn rejoin(&self, _name: &Name) -> Result<Enrolment, Failure> {
        self.came_back.send_modify(one_more);
        Ok(self.enrolment())
    }

    fn knows(&self, _name: &Name) -> bool {
        false
    }

    fn connect(&self, session: &Credential) -> Result<Client<UnixStream>, Failure> {
        self.asked_for.lock().unwrap().push(Connect::Started);
        self.open(session)
    }

    fn connect_running(&self, session: &Credential) -> Result<Client<UnixStream>, Failure> {
        let mut asked_for = self.asked_for.lock().unwrap();
        asked_for.push(Connect::Running);
        let looks = asked_for.iter().filter(|how| **how == Connect::Running);
        if looks.count() <= self.away {
            return Err(Failure::local("no daemon runs"));
        }
        drop(asked_for);
        self.open(session)
    }

    fn rename(&self, _: &Credential, _: &Name, _: Name) -> Result<Renamed, Failure> {
        Err(Failure::local("nobody renames here"))
    }

    fn leave(&self, _: &Credential, _: AgentId, _: &Name) -> Result<(), Failure> {
        Ok(())
    }

    fn shared_file(&self, _: &str) -> Result<SharedFile, Failure> {
        Err(Failure::local("nothing is shared here"))
    }

    fn switch_notices(&self, _: &Credential, _: AgentId, _: bool) -> Result<String, Failure> {
        Err(Failure::local("there is no project here"))
    }

    fn explain(&self, error: ClientError) -> Failure {
        let mut failure = Failure::local(error.to_string());
        match error {
            ClientError::Refused(refusal) => {
                failure.code = Some(refusal.code);
                failure.retry_after_ms = refusal.retry_after_ms;
            }
            other => failure.is_lost = matches!(other, ClientError::Closed | ClientError::Io(_)),
        }
        failure
    }

    fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// The daemon leaves, and says when to come again.
pub(crate) fn unavailable(retry_after_ms: u64) -> Said {
    let refusal = Refusal::new(ErrorCode::Unavailable, "the daemon is stopping");
    Said::Refusal(refusal.retry_after(retry_after_ms))
}
