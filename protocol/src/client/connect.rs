//! Connecting to the daemon's socket, and looking at who listens before saying a word.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::local_socket::traits::StreamCommon as _;
use interprocess::os::unix::uds_local_socket;
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};

use super::PATIENCE;
use crate::auth::SeenPeers;

/// How long connecting may take: a daemon that is stopped leaves its backlog full.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A connected stream and what the kernel says of both ends.
#[derive(Debug)]
pub struct Connection {
    /// The stream, with timeouts set.
    pub stream: UnixStream,
    /// Both ends.
    pub seen: SeenPeers,
    /// How long an answer that waits for nothing may take.
    pub patience: Duration,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens there.
    #[error("no daemon listens at {0}")]
    NotRunning(PathBuf),
    /// Something listens but takes no connection.
    #[error("the daemon at {path} does not take connections (waited {} s); it is stopped or overloaded", .waited.as_secs())]
    Hung {
        /// Where.
        path: PathBuf,
        /// How long.
        waited: Duration,
    },
    /// This process may not use Unix sockets: an agent's sandbox forbids it.
    #[error("this shell may not open Unix sockets: a sandbox forbids it")]
    Sandboxed,
    /// Permission to the socket's path is denied.
    #[error("permission to {0} is denied")]
    Denied(PathBuf),
    /// Another user listens there.
    #[error(
        "the process that listens at {path} belongs to user {uid}, not to you; nothing was sent to it"
    )]
    ForeignServer {
        /// Where.
        path: PathBuf,
        /// Whose process it is.
        uid: u32,
    },
    /// Anything else.
    #[error("connecting to {path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

/// Connects to the socket at `path` and checks that this very user listens there.
///
/// With `any_pid` the daemon may see another process id than this process does (containers).
///
/// # Errors
/// [`ConnectError`]; nothing has been sent.
pub fn connect(path: &Path, any_pid: bool) -> Result<Connection, ConnectError> {
    let patience = Patience {
        connecting: CONNECT_PATIENCE,
        answering: PATIENCE,
    };
    connect_with(path, any_pid, patience)
}

/// The same for somebody in a hurry: connecting, and each answer, may take `patience` at most.
///
/// # Errors
/// As [`connect`].
pub fn connect_within(
    path: &Path,
    any_pid: bool,
    patience: Duration,
) -> Result<Connection, ConnectError> {
    let patience = Patience {
        connecting: patience,
        answering: patience,
    };
    connect_with(path, any_pid, patience)
}

/// How long the other side may take.
#[derive(Clone, Copy)]
struct Patience {
    connecting: Duration,
    answering: Duration,
}

fn connect_with(
    path: &Path,
    any_pid: bool,
    patience: Patience,
) -> Result<Connection, ConnectError> {
    let at = || path.to_owned();
    let socket = open_socket(patience).map_err(|error| match error {
        Errno::PERM | Errno::ACCESS | Errno::AFNOSUPPORT => ConnectError::Sandboxed,
        other => ConnectError::Io {
            path: at(),
            source: other.into(),
        },
    })?;
    let address = SocketAddrUnix::new(path).map_err(|error| ConnectError::Io {
        path: at(),
        source: error.into(),
    })?;
    rustix::net::connect(&socket, &address).map_err(|error| match error {
        Errno::NOENT | Errno::CONNREFUSED | Errno::NOTSOCK => ConnectError::NotRunning(at()),
        Errno::AGAIN | Errno::TIMEDOUT => ConnectError::Hung {
            path: at(),
            waited: patience.connecting,
        },
        Errno::PERM => ConnectError::Sandboxed,
        Errno::ACCESS => ConnectError::Denied(at()),
        other => ConnectError::Io {
            path: at(),
            source: other.into(),
        },
    })?;
    let own_uid = rustix::process::geteuid().as_raw();
    examine(socket, path, own_uid, any_pid, patience)
}

fn open_socket(patience: Patience) -> Result<OwnedFd, Errno> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::ioctl_fioclex(&socket)?;
    set_socket_timeout(&socket, Timeout::Send, Some(patience.connecting))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(patience.answering))?;
    Ok(socket)
}

/// Looks at who listens: `own_uid`, or nobody to talk to.
fn examine(
    socket: OwnedFd,
    path: &Path,
    own_uid: u32,
    any_pid: bool,
    patience: Patience,
) -> Result<Connection, ConnectError> {
    let failed = |source| ConnectError::Io {
        path: path.to_owned(),
        source,
    };
    let stream = uds_local_socket::Stream::from(socket);
    let peer = stream.peer_creds().map_err(failed)?;
    let unknown = || io::Error::other("the system does not say who listens");
    let server_uid = peer.euid().ok_or_else(unknown).map_err(failed)?;
    if server_uid != own_uid {
        return Err(ConnectError::ForeignServer {
            path: path.to_owned(),
            uid: server_uid,
        });
    }
    Ok(Connection {
        stream: UnixStream::from(OwnedFd::from(stream)),
        seen: SeenPeers {
            client_uid: own_uid,
            client_pid: (!any_pid).then(std::process::id),
            server_uid,
        },
        patience: patience.answering,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_listener_of_another_user_is_left_without_a_byte() {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
        let path = room.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let own_uid = rustix::process::geteuid().as_raw();
        let patience = Patience {
            connecting: CONNECT_PATIENCE,
            answering: PATIENCE,
        };
        let connect = || OwnedFd::from(UnixStream::connect(&path).unwrap());
        // Whoever expects somebody else sees a foreigner in us.
        let foreign = examine(connect(), &path, own_uid.wrapping_add(1), false, patience);
        let Err(ConnectError::ForeignServer { uid, .. }) = foreign else {
            panic!("{foreign:?}");
        };
        assert_eq!(uid, own_uid);
        let (mut heard, _) = listener.accept().unwrap();
        assert_eq!(
            heard.read(&mut [0; 8]).unwrap(),
            0,
            "closed, and nothing said"
        );
        assert!(examine(connect(), &path, own_uid, false, patience).is_ok());
    }
}
