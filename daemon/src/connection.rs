//! One connection, from the first byte to the last.
//!
//! Requests may be sent ahead; replies carry the id and come as they are ready. What always holds:
//! requests that change something enter the writer in the order in which they came; nothing a peer
//! does (silence, floods, never reading) costs more than its own connection.

mod admit;
mod conversation;
pub(crate) mod frames;
#[cfg(test)]
mod races;
mod session;

use std::sync::Arc;

use ipc_protocol::error::Refusal;
use ipc_protocol::rpc::{self, CallId};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::caller::Peer;
use crate::daemon::{Daemon, stopped};
use conversation::Conversation;
use frames::FrameWriter;

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
        admitted = admit::admit(&mut reader, &mut writer, &peer, pressure, &daemon) => admitted,
        // A stranger has nothing under way that a stop would wait for.
        () = stopped(&mut stopping) => None,
    };
    if let Some((speaker, session)) = admitted {
        drop(stranger);
        Conversation::new(reader, speaker, session, peer, daemon)
            .run(&mut writer)
            .await;
    }
    writer.finish().await;
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
