//! Who gets as far as a connection to the old port.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{State, connection};
use crate::daemon::{Daemon, stopped};
use crate::limits::SHUTDOWN_DEADLINE;

/// How long accepting pauses when the system has no descriptor or memory left for it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `socket` once the secret has been compared, until the daemon stops; then every
/// connection has ended. Whoever comes earlier waits in the kernel's backlog.
pub(crate) async fn serve(daemon: Arc<Daemon>, socket: StdListener) {
    let mut stopping = daemon.stopping.clone();
    if !is_opened(&daemon).await {
        return;
    }
    let socket = match TcpListener::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return tracing::error!(%error, "the old port cannot be served"),
    };
    let mut served = JoinSet::new();
    tokio::select! {
        () = accept_all(&socket, &mut served, &daemon) => {}
        () = stopped(&mut stopping) => {}
    }
    drop(socket);
    let all = async { while served.join_next().await.is_some() {} };
    if timeout(SHUTDOWN_DEADLINE, all).await.is_err() {
        tracing::warn!("some connections to the old port did not end in time and were cut off");
    }
}

async fn is_opened(daemon: &Daemon) -> bool {
    let mut state = daemon.old_port.state.subscribe();
    let mut stopping = daemon.stopping.clone();
    tokio::select! {
        state = state.wait_for(|state| !matches!(state, State::Starting(_))) => {
            state.is_ok_and(|state| matches!(*state, State::Open(..)))
        }
        () = stopped(&mut stopping) => false,
    }
}

async fn accept_all(socket: &TcpListener, served: &mut JoinSet<()>, daemon: &Arc<Daemon>) {
    loop {
        while served.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&daemon.old_port.places).acquire_owned().await else {
            return;
        };
        match socket.accept().await {
            Ok((stream, client)) => {
                let daemon = Arc::clone(daemon);
                served.spawn(async move {
                    connection::serve(stream, client, daemon).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of descriptors or memory: what is served goes on, newcomers wait.
                tracing::warn!(%error, "a connection to the old port could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
