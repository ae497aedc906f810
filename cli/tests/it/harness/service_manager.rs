//! What stands in for a service manager: the socket on which services tell it how they are.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Home;

/// The manager's end.
pub(crate) struct ServiceManager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl ServiceManager {
    /// One that listens in this home.
    pub(crate) fn at(home: &Home) -> Self {
        let path = home.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        // A service that dies tells nobody: better a failed test than one that waits for ever.
        let patience = Duration::from_mins(1);
        socket.set_read_timeout(Some(patience)).unwrap();
        Self { socket, path }
    }

    /// What `NOTIFY_SOCKET` is to be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it is told next, waited for.
    pub(crate) fn told(&self) -> String {
        let mut bytes = [0; 256];
        let read = self.socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..read])
            .trim_end()
            .to_owned()
    }
}
