//! One connection, from the first byte to the last.
//!
//! Requests may be sent ahead; replies carry the id and come as they are ready. What always holds:
//! requests that change something enter the writer in the order in which they came; nothing a peer
//! does (silence, floods, never reading) costs more than its own connection.

pub(crate) mod frames;
mod session;

use std::sync::Arc;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Authenticate, Hello, Registered, Request};
use ipc_protocol::rpc::{self, Call, CallId};
use serde::Serialize;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::actions::register::Enrolled;
use crate::auth::{self, Proven};
use crate::caller::{Newcomer, Peer};
use crate::daemon::{Daemon, stopped};
use crate::dispatch::{self, Speaker};
use crate::error::Done;
use crate::limits::{
    HELLO_DEADLINE, IN_FLIGHT, NEWCOMER_IDLE, PROOF_DEADLINE, REFUSAL_DELAY, SHUTDOWN_DEADLINE,
    SILENCE_DEADLINE,
};
use frames::{FrameReader, FrameWriter, Gone};
use session::Session;

/// What a connection is given besides the stream.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) peer: Peer,
    /// Its place among the strangers, given back once it has proved itself.
    pub(crate) stranger: OwnedSemaphorePermit,
    /// True while others wait for such a place.
    pub(crate) pressure: watch::Receiver<bool>,
}

/// Serves one connection until it ends.
pub(crate) async fn serve(stream: UnixStream, admission: Admission, daemon: Arc<Daemon>) {
    let (mut reader, mut writer) = frames::split(stream, Arc::clone(&daemon.inbound));
    let Admission {
        peer,
        stranger,
        pressure,
    } = admission;
    let mut stopping = daemon.stopping.clone();
    let admitted = tokio::select! {
        admitted = admit(&mut reader, &mut writer, &peer, pressure, &daemon) => admitted,
        // A stranger has nothing under way that a stop would wait for.
        () = stopped(&mut stopping) => None,
    };
    if let Some((speaker, session)) = admitted {
        drop(stranger);
        reader.open_up();
        let in_flight = JoinSet::new();
        let conversation = Conversation {
            reader,
            speaker,
            session,
            peer,
            daemon,
            in_flight,
        };
        conversation.run(&mut writer).await;
    }
    writer.finish().await;
}

/// Lets a stranger prove itself: two requests, in order and on time.
async fn admit(
    reader: &mut FrameReader,
    writer: &mut FrameWriter,
    peer: &Peer,
    pressure: watch::Receiver<bool>,
    daemon: &Daemon,
) -> Option<(Speaker, Option<Session>)> {
    let payload = tokio::select! {
        payload = timeout(HELLO_DEADLINE, reader.next()) => payload,
        () = pushed_out(pressure) => return None,
    };
    let (id, hello) = expect::<Hello>(payload.ok()?, writer).await?;
    let challenged = match auth::challenge(hello, peer, daemon).await {
        Ok(challenged) => challenged,
        Err(refusal) => return refuse(writer, Some(id), refusal, daemon).await,
    };
    answer(writer, id, challenged.challenge()).await?;
    let payload = timeout(PROOF_DEADLINE, reader.next()).await.ok()?;
    let (id, proof) = expect::<Authenticate>(payload, writer).await?;
    match challenged.check(&proof, peer.clone(), daemon) {
        Ok((signed, proven)) => match enter(proven, daemon).await {
            Ok(entered) => {
                answer(writer, id, &signed).await?;
                Some(entered)
            }
            Err(refusal) => refuse(writer, Some(id), refusal, daemon).await,
        },
        Err(refusal) => {
            if refusal.code != ErrorCode::Expired {
                sleep(REFUSAL_DELAY).await;
            }
            refuse(writer, Some(id), refusal, daemon).await
        }
    }
}

/// Makes a speaker of somebody who has proved a credential.
async fn enter(proven: Proven, daemon: &Daemon) -> Result<(Speaker, Option<Session>), Refusal> {
    match proven {
        Proven::Newcomer(newcomer) => Ok((Speaker::Newcomer(newcomer), None)),
        Proven::Agent { caller, lifetime } => {
            // Listen for its end first, then look again: it may have ended since `hello`.
            let session = Session::new(&caller, lifetime, daemon)?;
            if auth::is_there(caller.session(), daemon).await {
                Ok((Speaker::Agent(caller), Some(session)))
            } else {
                Err(crate::error::expired())
            }
        }
    }
}

/// Ends when others have waited for this one's place for long enough.
async fn pushed_out(mut pressure: watch::Receiver<bool>) {
    if pressure.wait_for(|pressed| *pressed).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(SILENCE_DEADLINE).await;
}

/// The request that must come now; anything else is refused, and the connection closes.
async fn expect<M: TryFrom<Request>>(
    payload: Result<frames::Payload, Gone>,
    writer: &mut FrameWriter,
) -> Option<(CallId, M)> {
    let call = match payload {
        Ok(payload) => Call::decode(&payload.bytes),
        Err(Gone::Length) => {
            let text = "a frame before authentication is 1 to 4096 bytes";
            let refusal = Refusal::new(ErrorCode::TooLarge, text);
            return write_refusal(writer, None, refusal).await;
        }
        Err(Gone::Closed | Gone::Late) => return None,
    };
    match call {
        Ok(Call { id, request }) => {
            if let Ok(request) = M::try_from(request) {
                Some((id, request))
            } else {
                let text = "`hello` and `authenticate` come first, in this order";
                let refusal = Refusal::new(ErrorCode::Unauthenticated, text);
                write_refusal(writer, Some(id), refusal).await
            }
        }
        Err(bad) => write_refusal(writer, bad.id, bad.refusal).await,
    }
}

async fn answer<R: Serialize>(writer: &mut FrameWriter, id: CallId, reply: &R) -> Option<()> {
    let payload = rpc::encode_reply(Some(id), &Ok(reply)).ok()?;
    writer.write(&payload).await.ok()
}

async fn refuse<T>(
    writer: &mut FrameWriter,
    id: Option<CallId>,
    refusal: Refusal,
    daemon: &Daemon,
) -> Option<T> {
    daemon.shared.counters.refused(&refusal);
    write_refusal(writer, id, refusal).await
}

/// Writes a refusal; always `None`, for the caller to end with.
async fn write_refusal<T>(
    writer: &mut FrameWriter,
    id: Option<CallId>,
    refusal: Refusal,
) -> Option<T> {
    let payload = rpc::encode_reply::<()>(id, &Err(refusal)).ok()?;
    if writer.write(&payload).await.is_err() {
        tracing::debug!("a refusal found nobody to read it");
    }
    None
}

/// A connection that has been let in.
struct Conversation {
    reader: FrameReader,
    speaker: Speaker,
    session: Option<Session>,
    peer: Peer,
    daemon: Arc<Daemon>,
    /// Requests that are being answered.
    in_flight: JoinSet<Vec<u8>>,
}

impl Conversation {
    /// Takes requests and gives replies until either side has had enough.
    async fn run(mut self, writer: &mut FrameWriter) {
        let mut stopping = self.daemon.stopping.clone();
        loop {
            let end = Session::end_of(self.session.as_ref());
            tokio::select! {
                biased;
                Some(reply) = self.in_flight.join_next() => {
                    let Ok(reply) = reply else { return };
                    if writer.write(&reply).await.is_err() {
                        return;
                    }
                }
                () = sleep(NEWCOMER_IDLE), if self.session.is_none() && self.in_flight.is_empty() => {
                    return;
                }
                refusal = end => return self.close(writer, refusal).await,
                () = stopped(&mut stopping) => {
                    return self.close(writer, crate::error::Fault::Stopping.refusal()).await;
                }
                payload = self.reader.next(), if self.in_flight.len() < IN_FLIGHT => {
                    match payload {
                        Ok(payload) => {
                            if let Some(refusal) = self.take(payload).await {
                                return self.close(writer, refusal).await;
                            }
                        }
                        Err(Gone::Length) => {
                            let text = "a frame is 1 to 2097152 bytes";
                            let refusal = Refusal::new(ErrorCode::TooLarge, text);
                            return self.close(writer, refusal).await;
                        }
                        Err(Gone::Closed | Gone::Late) => return,
                    }
                }
            }
        }
    }

    /// Takes one request in; a refusal ends the connection.
    async fn take(&mut self, payload: frames::Payload) -> Option<Refusal> {
        let frames::Payload { bytes, charge } = payload;
        let call = match Call::decode(&bytes) {
            Ok(call) => call,
            Err(bad) => {
                self.daemon.shared.counters.refused(&bad.refusal);
                // Without an id there is nothing that the reply could answer.
                let Some(id) = bad.id else {
                    return Some(bad.refusal);
                };
                self.reply_with(id, bad.refusal);
                return None;
            }
        };
        drop(bytes);
        if let Some(session) = &mut self.session
            && let Err(refusal) = session.used(&self.daemon)
        {
            self.reply_with(call.id, refusal.clone());
            return Some(refusal);
        }
        match (call.request, &self.speaker) {
            (Request::Register(register), Speaker::Newcomer(newcomer)) => {
                let newcomer = newcomer.clone();
                self.register(call.id, register, newcomer).await;
            }
            (request, speaker) => {
                let ended = self.session.as_ref().map(Session::ended);
                let reply =
                    dispatch::dispatch(call.id, request, speaker, ended, &self.daemon).await;
                self.in_flight.spawn(async move {
                    let reply = reply.await;
                    drop(charge);
                    reply
                });
            }
        }
        None
    }

    /// Makes an agent of a newcomer; its later requests come from that agent.
    async fn register(
        &mut self,
        id: CallId,
        request: ipc_protocol::request::Register,
        newcomer: Newcomer,
    ) {
        let enrolled = dispatch::register(request, newcomer, self.peer.clone(), &self.daemon).await;
        let outcome = match enrolled {
            Ok(enrolled) => self.become_agent(enrolled),
            Err(error) => Err(error),
        };
        let reply = dispatch::encode(id, outcome, &self.daemon);
        self.in_flight.spawn(async { reply });
    }

    fn become_agent(&mut self, enrolled: Enrolled) -> Done<Registered> {
        let session = Session::new(&enrolled.caller, enrolled.lifetime, &self.daemon)?;
        self.session = Some(session);
        self.speaker = Speaker::Agent(enrolled.caller);
        Ok(enrolled.reply)
    }

    fn reply_with(&mut self, id: CallId, refusal: Refusal) {
        let reply = rpc::encode_reply::<()>(Some(id), &Err(refusal)).unwrap_or_default();
        self.in_flight.spawn(async { reply });
    }

    /// Answers what is under way, says why, and ends.
    async fn close(mut self, writer: &mut FrameWriter, why: Refusal) {
        let answers = async {
            while let Some(Ok(reply)) = self.in_flight.join_next().await {
                if writer.write(&reply).await.is_err() {
                    return None;
                }
            }
            write_refusal::<()>(writer, None, why).await
        };
        // A wait that is under way has heard of the end as well, so this takes no time.
        drop(timeout(SHUTDOWN_DEADLINE, answers).await);
    }
}
