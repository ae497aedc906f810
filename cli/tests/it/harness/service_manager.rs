//! What stands in for a service manager: the socket on which services tell it how they are, and
//! the program that people and `ipc` ask.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Home, python};

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

    /// What it has been told and nobody has read, line by line.
    pub(crate) fn told_so_far(&self) -> String {
        self.socket.set_nonblocking(true).unwrap();
        let mut lines = Vec::new();
        let mut bytes = [0; 256];
        while let Ok(read) = self.socket.recv(&mut bytes) {
            let said = String::from_utf8_lossy(&bytes[..read]);
            lines.push(said.trim_end().to_owned());
        }
        self.socket.set_nonblocking(false).unwrap();
        lines.join("\n")
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

const SYSTEMCTL: &str = include_str!("systemctl.py");

/// A `systemctl` that starts the service as its unit says, notes how it was called, and ends the
/// service with the test.
pub(crate) struct Systemctl {
    directory: PathBuf,
}

impl Systemctl {
    /// One in a directory of its own in this home.
    pub(crate) fn at(home: &Home) -> Self {
        let directory = home.path().join("bin");
        std::fs::create_dir_all(directory.join("state")).unwrap();
        // It runs with a `PATH` on which there may be no Python.
        let found = python("import sys; print(sys.executable)")
            .output()
            .unwrap();
        let interpreter = String::from_utf8(found.stdout).unwrap();
        let script = format!("#!{}\n{SYSTEMCTL}", interpreter.trim());
        let path = directory.join("systemctl");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(directory.join("state/calls"), "").unwrap();
        Self { directory }
    }

    /// A `PATH` on which it comes first.
    pub(crate) fn search_path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.directory.display())
    }

    /// What is to become of the service in the strict unit: a status, or `mute`.
    pub(crate) fn strict_comes_to(&self, fate: &str) {
        std::fs::write(self.directory.join("state/strict"), fate).unwrap();
    }

    /// The service's process, 0 if there is none.
    pub(crate) fn service(&self) -> u32 {
        let pid = std::fs::read_to_string(self.directory.join("state/pid"));
        pid.map_or(0, |pid| pid.trim().parse().unwrap())
    }

    /// The calls since this was asked last, those that only look left out.
    pub(crate) fn changes(&self) -> Vec<String> {
        let calls = self.directory.join("state/calls");
        let called = std::fs::read_to_string(&calls).unwrap();
        std::fs::write(calls, "").unwrap();
        let looks = |line: &&str| line.contains("is-active") || line.contains(" show --value");
        let lines = called.lines().filter(|line| !looks(line));
        lines.map(str::to_owned).collect()
    }
}

impl Drop for Systemctl {
    fn drop(&mut self) {
        let home = self.directory.parent().unwrap();
        let mut stop = Command::new(self.directory.join("systemctl"));
        stop.args(["--user", "stop", "ipc.service"]);
        // A test that fails goes on failing; its own words are worth more than these.
        drop(stop.env("HOME", home).stdin(Stdio::null()).status());
    }
}
