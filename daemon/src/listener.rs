//! The socket: bound with its mode already set, removed only when certainly stale, and the gate
//! that decides who gets as far as a first byte.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use interprocess::os::unix::local_socket::ListenerOptionsExt;
use interprocess::os::unix::uds_local_socket;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::process;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::audit::event::{Event, Who};
use crate::caller::Peer;
use crate::connection::{self, Admission};
use crate::daemon::{Daemon, stopped};
use crate::limits::SHUTDOWN_DEADLINE;

/// How long accepting pauses when the system has no descriptor or memory left for it.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the socket cannot be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Something else is at its path.
    #[error("{0} exists and is not a socket; it has not been touched")]
    NotASocket(PathBuf),
    /// Somebody listens there, though we hold the lock of the data directory.
    #[error("another process listens at {0}")]
    InUse(PathBuf),
    /// Anything else.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

/// Binds the socket at `path`, mode 0600, where [`remove_stale`] has made room.
///
/// # Errors
/// [`BindError`].
pub(crate) fn bind(path: &Path) -> Result<StdListener, BindError> {
    let failed = |source| BindError::Io {
        path: path.to_owned(),
        source,
    };
    let name = path.to_fs_name::<GenericFilePath>().map_err(failed)?;
    let options = ListenerOptions::new()
        .name(name)
        .mode(0o600)
        .reclaim_name(false);
    let listener: uds_local_socket::Listener = options.create_sync_as().map_err(failed)?;
    Ok(StdListener::from(OwnedFd::from(listener)))
}

/// Removes a socket on which nobody listens any more. The caller holds the lock of the data
/// directory.
///
/// # Errors
/// [`BindError`]; what is in the way has not been touched unless it was a dead socket of ours.
pub(crate) fn remove_stale(path: &Path) -> Result<(), BindError> {
    let failed = |source| BindError::Io {
        path: path.to_owned(),
        source,
    };
    let facts = match std::fs::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !facts.file_type().is_socket() {
        return Err(BindError::NotASocket(path.to_owned()));
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(failed)
        }
        Ok(_) => Err(BindError::InUse(path.to_owned())),
        Err(error) => Err(failed(error)),
    }
}

/// Takes connections until told to stop, or until nobody has been here for long enough.
pub(crate) struct Listener {
    socket: UnixListener,
    daemon: Arc<Daemon>,
    strangers: Arc<Semaphore>,
    pressure: watch::Sender<bool>,
    served: JoinSet<()>,
    /// Whether the socket is ours to remove: the service manager keeps its own.
    bound: bool,
}

impl Listener {
    /// Serves `socket`.
    pub(crate) fn new(socket: StdListener, bound: bool, daemon: Arc<Daemon>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let strangers = usize::try_from(daemon.shared.limits.unauthenticated).unwrap_or(1);
        Ok(Self {
            socket: UnixListener::from_std(socket)?,
            strangers: Arc::new(Semaphore::new(strangers)),
            pressure: watch::Sender::new(false),
            served: JoinSet::new(),
            bound,
            daemon,
        })
    }

    /// Runs until the daemon is to stop; then the socket is closed and every connection has ended.
    pub(crate) async fn run(mut self) {
        let mut stopping = self.daemon.stopping.clone();
        tokio::select! {
            () = self.accept_all() => {}
            () = stopped(&mut stopping) => {}
        }
        // The door first: whoever comes now finds nobody and starts the next daemon, instead of
        // waiting in the queue of one that never looks again.
        let Self {
            socket,
            mut served,
            bound,
            daemon,
            ..
        } = self;
        if bound {
            remove(daemon.data_dir.socket());
        }
        drop(socket);
        let all = async { while served.join_next().await.is_some() {} };
        if timeout(SHUTDOWN_DEADLINE, all).await.is_err() {
            tracing::warn!("some connections did not end in time and were cut off");
        }
    }

    /// Accepts until an idle daemon may leave.
    async fn accept_all(&mut self) {
        let minutes = u64::from(self.daemon.shared.limits.idle_exit_minutes);
        let patience = Duration::from_secs(minutes.saturating_mul(60));
        loop {
            let Ok(place) = Arc::clone(&self.daemon.places).acquire_owned().await else {
                return;
            };
            let idle = self.daemon.leaves_when_idle && self.served.is_empty();
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                Some(_) = self.served.join_next() => continue,
                () = sleep(patience), if idle => {
                    tracing::info!("nobody has been connected for a while: leaving");
                    return;
                }
            };
            match accepted {
                Ok((stream, _)) => self.admit(stream, place).await,
                Err(error) => {
                    // Out of descriptors or memory: what is served goes on, newcomers wait.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Writes down whose connection is closed unread.
    fn turn_away(&self, foreign: &Foreign) {
        match foreign {
            Foreign::User(uid) => {
                tracing::warn!(uid, "another user's connection was closed");
                self.daemon.shared.audit.note(Event::Denied {
                    request: "connect",
                    code: ErrorCode::Forbidden,
                    who: Who::Uid(*uid),
                });
            }
            Foreign::Unnamed(error) => {
                tracing::warn!(%error, "a peer that cannot be named was closed");
            }
        }
    }

    /// Closes foreigners before a byte is read, and finds the others a place.
    async fn admit(&mut self, stream: UnixStream, place: OwnedSemaphorePermit) {
        let peer = match examine(&stream, self.daemon.shared.gate.uid) {
            Ok(peer) => peer,
            Err(foreign) => {
                return self.turn_away(&foreign);
            }
        };
        self.daemon.shared.counters.connected();
        let stranger = if let Ok(stranger) = Arc::clone(&self.strangers).try_acquire_owned() {
            stranger
        } else {
            // This one waits here, the next ones in the backlog; the silent are pushed out.
            self.pressure.send_replace(true);
            let stranger = Arc::clone(&self.strangers).acquire_owned().await;
            self.pressure.send_replace(false);
            let Ok(stranger) = stranger else { return };
            stranger
        };
        let admission = Admission {
            peer,
            stranger,
            pressure: self.pressure.subscribe(),
        };
        let daemon = Arc::clone(&self.daemon);
        self.served.spawn(async move {
            connection::serve(stream, admission, Arc::clone(&daemon)).await;
            daemon.shared.counters.disconnected();
            drop(place);
        });
    }
}

/// Whose connection is closed unread.
#[derive(Debug)]
enum Foreign {
    /// Another user's.
    User(u32),
    /// Of somebody whom the kernel does not name.
    Unnamed(io::Error),
}

/// Who is at the other end, if it is `own_uid`.
fn examine(stream: &UnixStream, own_uid: u32) -> Result<Peer, Foreign> {
    let credentials = stream.peer_cred().map_err(Foreign::Unnamed)?;
    let uid = credentials.uid();
    if uid != own_uid {
        return Err(Foreign::User(uid));
    }
    let pid = credentials
        .pid()
        .and_then(|pid| u32::try_from(pid).ok())
        .unwrap_or(0);
    let start_ticks = process::facts(pid).map(|facts| facts.start_ticks);
    Ok(Peer {
        uid,
        pid,
        start_ticks,
        program: None,
    })
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, "the socket could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::os::unix::net::UnixStream as Blocking;

    use super::*;

    /// A connection on which something has been said already, as the daemon accepts it.
    async fn accepted() -> (UnixStream, Blocking) {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
        let path = room.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = Blocking::connect(&path).unwrap();
        client.write_all(b"hello").unwrap();
        (listener.accept().await.unwrap().0, client)
    }

    #[tokio::test]
    async fn a_connection_of_another_user_is_closed_with_its_bytes_unread() {
        let own_uid = rustix::process::geteuid().as_raw();
        let (stream, mut client) = accepted().await;
        // Whoever expects somebody else sees a foreigner in us.
        assert!(examine(&stream, own_uid.wrapping_add(1)).is_err());
        drop(stream);
        let end = client.read(&mut [0; 8]).unwrap_err();
        assert_eq!(end.kind(), ErrorKind::ConnectionReset, "closed unread");
        let (stream, _client) = accepted().await;
        let peer = examine(&stream, own_uid).unwrap();
        assert_eq!((peer.uid, peer.pid), (own_uid, std::process::id()));
    }
}
