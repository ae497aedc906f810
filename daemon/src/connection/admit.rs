//! From a stranger to a speaker: two requests, in order and on time.

use std::time::Duration;

use ipc_protocol::auth::CredentialKind;
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Authenticate, Hello, Request};
use ipc_protocol::rpc::{self, Call, CallId};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::frames::{FrameReader, FrameWriter, Gone, Payload};
use super::session::Session;
use super::write_refusal;
use crate::audit::event::Who;
use crate::auth::{self, Proven};
use crate::caller::Peer;
use crate::daemon::Daemon;
use crate::dispatch::Speaker;
use crate::limits::{
    DERIVING_DEADLINE, HELLO_DEADLINE, PROOF_DEADLINE, REFUSAL_DELAY, SILENCE_DEADLINE,
    TOKEN_PROOF_DEADLINE,
};

/// Lets a stranger prove itself: two requests, in order and on time.
pub(super) async fn admit(
    reader: &mut FrameReader,
    writer: &mut FrameWriter,
    peer: &Peer,
    pressure: watch::Receiver<bool>,
    daemon: &Daemon,
) -> Option<(Speaker, Option<Session>)> {
    let payload = tokio::select! {
        payload = timeout(HELLO_DEADLINE, reader.next()) => payload,
        () = pushed_out(pressure.clone(), SILENCE_DEADLINE) => return None,
    };
    let (id, hello) = expect::<Hello>(payload.ok()?, writer).await?;
    let challenged = match auth::challenge(hello, peer, daemon).await {
        Ok(challenged) => challenged,
        Err(refusal) => return refuse(writer, id, refusal, ("hello", peer), daemon).await,
    };
    answer(writer, id, challenged.challenge()).await?;
    let (deadline, pushed) = match challenged.kind() {
        CredentialKind::Secret => (PROOF_DEADLINE, DERIVING_DEADLINE),
        CredentialKind::Session | CredentialKind::Resume => {
            (TOKEN_PROOF_DEADLINE, SILENCE_DEADLINE)
        }
    };
    let payload = tokio::select! {
        payload = timeout(deadline, reader.next()) => payload.ok()?,
        () = pushed_out(pressure, pushed) => return None,
    };
    let (id, proof) = expect::<Authenticate>(payload, writer).await?;
    let proving = ("authenticate", peer);
    match challenged.check(&proof, peer.clone(), daemon) {
        Ok((signed, proven)) => match enter(proven, daemon).await {
            Ok(entered) => {
                answer(writer, id, &signed).await?;
                Some(entered)
            }
            Err(refusal) => refuse(writer, id, refusal, proving, daemon).await,
        },
        Err(refusal) => {
            if refusal.code != ErrorCode::Expired {
                sleep(REFUSAL_DELAY).await;
            }
            refuse(writer, id, refusal, proving, daemon).await
        }
    }
}

/// Makes a speaker of somebody who has proved a credential.
pub(super) async fn enter(
    proven: Proven,
    daemon: &Daemon,
) -> Result<(Speaker, Option<Session>), Refusal> {
    match proven {
        Proven::Newcomer(newcomer) => Ok((Speaker::Newcomer(newcomer), None)),
        Proven::Agent { caller, lifetime } => {
            // Listen for its end first, then look again: it may have ended since `hello`.
            let session = Session::proved(&caller, lifetime, daemon)?;
            auth::check_there(caller.session(), daemon).await?;
            Ok((Speaker::Agent(caller), Some(session)))
        }
    }
}

/// Ends when others have waited for this one's place for long enough.
async fn pushed_out(mut pressure: watch::Receiver<bool>, patience: Duration) {
    if pressure.wait_for(|pressed| *pressed).await.is_err() {
        std::future::pending::<()>().await;
    }
    sleep(patience).await;
}

/// The request that must come now; anything else is refused, and the connection closes.
async fn expect<M: TryFrom<Request>>(
    payload: Result<Payload, Gone>,
    writer: &mut FrameWriter,
) -> Option<(CallId, M)> {
    let call = match payload {
        Ok(payload) => Call::decode(&payload.bytes),
        Err(Gone::Length) => {
            let text = "a frame before authentication is 1 to 4096 bytes";
            let refusal = Refusal::new(ErrorCode::TooLarge, text);
            return write_refusal(writer, None, refusal).await;
        }
        Err(Gone::Closed | Gone::Lost | Gone::Late) => return None,
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
    id: CallId,
    refusal: Refusal,
    (request, peer): (&'static str, &Peer),
    daemon: &Daemon,
) -> Option<T> {
    daemon.shared.counters.refused(&refusal);
    let who = Who::Pid(peer.pid);
    daemon.shared.audit.refused(&refusal, request, who);
    write_refusal(writer, Some(id), refusal).await
}
