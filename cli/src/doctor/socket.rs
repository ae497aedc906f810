//! The socket's path: whether it fits an address, and what is at it.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

use ipc_protocol::paths::{DataDir, SocketPathTooLong};

use super::Installation;
use super::finding::{Finding, as_root, word};

const CHECK: &str = "socket";

pub(super) fn check(
    installation: &Installation,
    data_dir: &Result<DataDir, SocketPathTooLong>,
) -> Vec<Finding> {
    let data_dir = match data_dir {
        Ok(data_dir) => data_dir,
        Err(error) => {
            let fix = format!("export IPC_SOCKET={}", word(&short(installation)));
            return vec![Finding::problem(CHECK, error.to_string()).fix(fix)];
        }
    };
    let path = data_dir.socket();
    let Ok(facts) = std::fs::symlink_metadata(path) else {
        return Vec::new();
    };
    let (shown, typed) = (path.display(), word(path));
    let own = rustix::process::geteuid().as_raw();
    let mode = facts.mode() & 0o7_777;
    vec![if !facts.file_type().is_socket() {
        let what = format!("{shown} is no socket, so the daemon cannot listen there");
        Finding::problem(CHECK, what).fix(format!("mv {typed} {typed}.old"))
    } else if facts.uid() != own {
        let what = format!("{shown} belongs to user {}, not to you", facts.uid());
        Finding::problem(CHECK, what).fix(format!("{}rm {typed}", as_root()))
    } else if mode & 0o077 != 0 {
        let what = format!("{shown} has mode {mode:04o}; others can reach it");
        Finding::problem(CHECK, what).fix(format!("chmod 600 {typed}"))
    } else {
        Finding::good(CHECK, format!("{shown} is yours alone"))
    }]
}

/// A path that fits: where a login has one, in its own directory for sockets.
fn short(installation: &Installation) -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    let of_login = PathBuf::from(format!("/run/user/{uid}"));
    let home = installation.environment.home.clone();
    if of_login.is_dir() {
        return of_login.join("ipc.sock");
    }
    match home.map(|home| home.join(".ipc.sock")) {
        Some(path) if path.as_os_str().len() < 100 => path,
        Some(_) | None => PathBuf::from(format!("/tmp/ipc-{uid}.sock")),
    }
}
