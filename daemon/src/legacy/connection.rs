//! One connection to the old port: one request, one reply, and whether the reply was taken.

use std::net::SocketAddr;
use std::sync::Arc;

use ipc_protocol::error::ErrorCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reading::{self, Gone};
use super::requests::{self, Answer};
use super::{owner, wire};
use crate::audit::event::{Event, Who};
use crate::daemon::{Daemon, stopped};
use crate::limits::{OLD_PORT_DEADLINE, OLD_PORT_FAREWELL, OLD_PORT_REQUEST};

/// Serves the connection that `client` opened.
pub(super) async fn serve(mut stream: TcpStream, client: SocketAddr, daemon: Arc<Daemon>) {
    if !is_ours(&stream, client, &daemon).await {
        daemon.shared.audit.note(Event::Denied {
            request: "connect",
            code: ErrorCode::Forbidden,
            who: Who::OldPort(true),
        });
        if daemon.old_port.usage.closed_unread() {
            tracing::warn!(
                "a connection to the old port that is not this user's was closed unread"
            );
        }
        return;
    }
    let mut stopping = daemon.stopping.clone();
    let read = tokio::select! {
        read = reading::request(&mut stream, &daemon.old_port.places) => read,
        () = stopped(&mut stopping) => return,
    };
    let Answer { outcome, lent } = match read {
        Ok(fields) => requests::answer(fields, &daemon).await,
        Err(Gone::Broken(refused)) => refused.into(),
        Err(Gone::Silent) => return,
    };
    let was_taken = hand_over(&mut stream, &wire::encode(&outcome)).await;
    if let Some(lent) = lent {
        lent.settle(was_taken, &daemon).await;
    }
}

/// Whether a process of this user is at the other end.
async fn is_ours(stream: &TcpStream, client: SocketAddr, daemon: &Daemon) -> bool {
    let Ok(server) = stream.local_addr() else {
        return false;
    };
    // The kernel's list may be long.
    let owner = tokio::task::spawn_blocking(move || owner::of(client, server)).await;
    owner.is_ok_and(|uid| uid == Some(daemon.shared.gate.uid))
}

/// Writes the reply and says whether it was taken, as far as the system knows: a client that goes
/// without reading it resets the connection, any other hangs up.
async fn hand_over(stream: &mut TcpStream, payload: &[u8]) -> bool {
    let write = async {
        stream.write_all(payload).await?;
        stream.shutdown().await
    };
    if !matches!(timeout(OLD_PORT_DEADLINE, write).await, Ok(Ok(()))) {
        return false;
    }
    let mut rest = [0; 1_024];
    let mut farewell = stream.take(u64::try_from(OLD_PORT_REQUEST).unwrap_or(0));
    let hung_up = async {
        loop {
            match farewell.read(&mut rest).await {
                Ok(0) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    };
    // Whoever keeps the connection open has not let the reply go.
    timeout(OLD_PORT_FAREWELL, hung_up).await.unwrap_or(true)
}
