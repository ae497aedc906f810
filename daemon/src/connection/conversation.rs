//! A connection that has been let in: requests in, replies out.

use std::sync::Arc;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Demand, Register, Registered, Request};
use ipc_protocol::rpc::{self, Call, CallId};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::frames::{FrameReader, FrameWriter, Gone, Payload};
use super::session::Session;
use super::write_refusal;
use crate::actions::register::Enrolled;
use crate::caller::{Newcomer, Peer};
use crate::daemon::{Daemon, stopped};
use crate::dispatch::{self, Reply, Speaker, charge};
use crate::error::{Done, Fault, crowded};
use crate::lease::Lease;
use crate::limits::{IN_FLIGHT, LARGE_FRAME, LAST_REPLY, NEWCOMER_IDLE, SHUTDOWN_DEADLINE, WAITS};

/// A reply, and what is held until it has been taken.
struct Answer {
    payload: Vec<u8>,
    _held: Option<OwnedSemaphorePermit>,
    /// The mail in it, given back unless it is taken.
    lease: Option<Lease>,
}

impl Answer {
    /// A reply that carries no mail and holds nothing.
    const fn plain(payload: Vec<u8>) -> Self {
        Self {
            payload,
            _held: None,
            lease: None,
        }
    }
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        Self {
            lease: reply.lease,
            ..Self::plain(reply.payload)
        }
    }
}

/// A connection that has been let in.
pub(super) struct Conversation {
    reader: FrameReader,
    speaker: Speaker,
    session: Option<Session>,
    peer: Peer,
    daemon: Arc<Daemon>,
    /// Requests that are being answered.
    in_flight: JoinSet<Answer>,
    /// Requests that wait for mail. Kept apart, so that however many wait, the connection is read,
    /// and its end noticed.
    waiting: JoinSet<Answer>,
    /// Mail in the reply that was written last, until something shows that it was taken.
    written: Option<Lease>,
}

impl Conversation {
    pub(super) fn new(
        mut reader: FrameReader,
        speaker: Speaker,
        session: Option<Session>,
        peer: Peer,
        daemon: Arc<Daemon>,
    ) -> Self {
        if let Some(session) = &session {
            reader.open_up(Arc::clone(&session.shares().inbound));
        }
        let (in_flight, waiting) = (JoinSet::new(), JoinSet::new());
        Self {
            reader,
            speaker,
            session,
            peer,
            daemon,
            in_flight,
            waiting,
            written: None,
        }
    }

    /// Takes requests and gives replies until either side has had enough.
    pub(super) async fn run(mut self, writer: &mut FrameWriter) {
        let mut stopping = self.daemon.stopping.clone();
        loop {
            let end = Session::end_of(self.session.as_ref());
            let idle = self.session.is_none() && self.in_flight.is_empty();
            tokio::select! {
                biased;
                Some(answer) = self.in_flight.join_next() => {
                    if !self.deliver(writer, answer.ok()).await {
                        return;
                    }
                }
                Some(answer) = self.waiting.join_next() => {
                    if !self.deliver(writer, answer.ok()).await {
                        return;
                    }
                }
                () = sleep(NEWCOMER_IDLE), if idle => return,
                refusal = end => return self.close(writer, refusal).await,
                () = stopped(&mut stopping) => {
                    return self.close(writer, Fault::Stopping.refusal()).await;
                }
                payload = self.reader.next(), if self.in_flight.len() < IN_FLIGHT => {
                    let refusal = match payload {
                        Ok(payload) => {
                            self.was_taken();
                            self.take(payload).await
                        }
                        Err(Gone::Length) => Some(wrong_length()),
                        // Closed in good order: it had read all that was written.
                        Err(Gone::Closed | Gone::Late) => return self.was_taken(),
                        Err(Gone::Lost) => return,
                    };
                    if let Some(refusal) = refusal {
                        return self.close(writer, refusal).await;
                    }
                }
            }
        }
    }

    /// Writes an answer; says whether the connection goes on. One whose session has ended is not
    /// waited for: it could hold its place by never reading.
    async fn deliver(&mut self, writer: &mut FrameWriter, answer: Option<Answer>) -> bool {
        let Some(answer) = answer else { return false };
        let mut stopping = self.daemon.stopping.clone();
        let over = async {
            tokio::select! {
                _ = Session::end_of(self.session.as_ref()) => {}
                () = stopped(&mut stopping) => {}
            }
            sleep(LAST_REPLY).await;
        };
        let is_written = tokio::select! {
            biased;
            written = writer.write(&answer.payload) => written.is_ok(),
            () = over => false,
        };
        if is_written && answer.lease.is_some() {
            self.was_taken();
            self.written = answer.lease;
        }
        is_written
    }

    /// Mail that was written has been taken, or nobody can know.
    fn was_taken(&mut self) {
        keep(self.written.take());
    }

    /// Takes one request in; a refusal ends the connection.
    async fn take(&mut self, payload: Payload) -> Option<Refusal> {
        let Payload {
            bytes,
            charge: room,
        } = payload;
        let large = bytes.len() > LARGE_FRAME;
        if large && let Err(refusal) = charge::large(&self.speaker, &self.daemon) {
            let audit = &self.daemon.shared.audit;
            audit.refused(&refusal, "send", self.speaker.who());
            return Some(refusal);
        }
        let call = match Call::decode(&bytes) {
            Ok(call) => call,
            Err(bad) => return self.refuse_bad(bad),
        };
        drop(bytes);
        if let Some(session) = &mut self.session
            && let Err(refusal) = session.used(&self.daemon)
        {
            self.reply_with(call.id, refusal.clone());
            return Some(refusal);
        }
        let demand = call.request.demand();
        match (call.request, &self.speaker) {
            (Request::Register(register), Speaker::Newcomer(newcomer)) => {
                let newcomer = newcomer.clone();
                self.register(call.id, register, newcomer).await;
            }
            (request, speaker) => match demand {
                Demand::Waiting => self.wait(call.id, request).await,
                Demand::Bulk => self.answer_in_turn(call.id, request),
                Demand::Little | Demand::Storing => {
                    let daemon = &self.daemon;
                    let reply =
                        dispatch::dispatch(call.id, request, speaker, None, large, daemon).await;
                    // What is stored keeps its room until it is; of the rest nothing is left.
                    let room = (demand == Demand::Storing).then_some(room);
                    self.in_flight.spawn(async move {
                        let reply = reply.await;
                        drop(room);
                        reply.into()
                    });
                }
            },
        }
        None
    }

    /// Answers what is no call; somebody who sends nothing else is not listened to any more.
    fn refuse_bad(&mut self, bad: rpc::BadCall) -> Option<Refusal> {
        self.daemon.shared.counters.refused(&bad.refusal);
        if let Err(refusal) = charge::bad(&self.speaker, &self.daemon) {
            return Some(refusal);
        }
        // Without an id there is nothing that the reply could answer.
        let Some(id) = bad.id else {
            return Some(bad.refusal);
        };
        self.reply_with(id, bad.refusal);
        None
    }

    /// Lets a request wait, if not too many do.
    async fn wait(&mut self, id: CallId, request: Request) {
        if self.waiting.len() >= WAITS {
            return self.reply_with(id, crowded_waits());
        }
        let ended = self.session.as_ref().map(Session::ended);
        let reply =
            dispatch::dispatch(id, request, &self.speaker, ended, false, &self.daemon).await;
        self.waiting.spawn(async move { reply.await.into() });
    }

    /// Answers what may be answered at length once few enough such replies wait to be taken.
    fn answer_in_turn(&mut self, id: CallId, request: Request) {
        let turns = self
            .session
            .as_ref()
            .map(|session| Arc::clone(&session.shares().bulky));
        let (speaker, daemon) = (self.speaker.clone(), Arc::clone(&self.daemon));
        let ended = self.session.as_ref().map(Session::ended);
        self.in_flight.spawn(async move {
            let turn = match turns {
                Some(turns) => turns.acquire_owned().await.ok(),
                None => None,
            };
            let reply = dispatch::dispatch(id, request, &speaker, ended, false, &daemon).await;
            Answer {
                _held: turn,
                ..reply.await.into()
            }
        });
    }

    /// Makes an agent of a newcomer; its later requests come from that agent.
    async fn register(&mut self, id: CallId, request: Register, newcomer: Newcomer) {
        let who = newcomer.who();
        let enrolled = dispatch::register(request, newcomer, self.peer.clone(), &self.daemon).await;
        dispatch::note_denial(&enrolled, "register", who, &self.daemon);
        let outcome = match enrolled {
            Ok(enrolled) => self.become_agent(enrolled),
            Err(error) => Err(error),
        };
        let payload = dispatch::encode(id, outcome, &self.daemon);
        self.in_flight.spawn(async { Answer::plain(payload) });
    }

    fn become_agent(&mut self, enrolled: Enrolled) -> Done<Registered> {
        let session = Session::given(&enrolled.caller, enrolled.lifetime, &self.daemon);
        let session = session.ok_or_else(crowded)?;
        self.reader.open_up(Arc::clone(&session.shares().inbound));
        self.session = Some(session);
        self.speaker = Speaker::Agent(enrolled.caller);
        Ok(enrolled.reply)
    }

    fn reply_with(&mut self, id: CallId, refusal: Refusal) {
        let payload = rpc::encode_reply::<()>(Some(id), &Err(refusal)).unwrap_or_default();
        self.in_flight.spawn(async { Answer::plain(payload) });
    }

    /// Answers what is under way, says why, and ends.
    async fn close(mut self, writer: &mut FrameWriter, why: Refusal) {
        self.was_taken();
        let answers = async {
            while let Some(Ok(answer)) = self.in_flight.join_next().await {
                writer.write(&answer.payload).await.ok()?;
                keep(answer.lease);
            }
            // Whoever waits has heard of the end as well.
            while let Some(Ok(answer)) = self.waiting.join_next().await {
                writer.write(&answer.payload).await.ok()?;
                keep(answer.lease);
            }
            write_refusal::<()>(writer, None, why).await
        };
        drop(timeout(SHUTDOWN_DEADLINE, answers).await);
    }
}

/// The mail of a reply has been written.
fn keep(lease: Option<Lease>) {
    if let Some(lease) = lease {
        lease.keep();
    }
}

fn wrong_length() -> Refusal {
    let text = "a frame is 1 to 2097152 bytes, and 1 to 4096 from whoever has not registered";
    Refusal::new(ErrorCode::TooLarge, text)
}

fn crowded_waits() -> Refusal {
    let text = format!("{WAITS} requests of this connection wait already");
    Refusal::new(ErrorCode::Busy, text).hint("one that waits is enough: it hears of whatever comes")
}
