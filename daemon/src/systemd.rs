//! The service manager: the units, the socket that it hands over, and telling it how things are.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::Path;

use ipc_protocol::paths::DataDir;

/// The service's unit; [`units`] fills it in.
const SERVICE: &str = include_str!("../systemd/ipc.service");

/// The socket's unit; [`units`] fills it in.
const SOCKET: &str = include_str!("../systemd/ipc.socket");

/// File names and contents of the user units for the program at `program` and this data
/// directory. `None` when a path holds what a unit cannot: a line break, a quote, a backslash, or
/// what is not UTF-8.
pub fn units(program: &Path, data_dir: &DataDir) -> Option<[(&'static str, String); 2]> {
    let program = unit_path(program)?;
    let root = unit_path(data_dir.root())?;
    let socket = unit_path(data_dir.socket())?;
    let fill = |unit: &str| {
        unit.replace("@PROGRAM@", &program)
            .replace("@DATA_DIR@", &root)
            .replace("@SOCKET@", &socket)
    };
    Some([("ipc.service", fill(SERVICE)), ("ipc.socket", fill(SOCKET))])
}

/// A path as it may stand in a unit (`systemd.unit(5)`: `%` begins a specifier; `systemd.exec(5)`:
/// `$` begins a variable).
fn unit_path(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let unsafe_in_units = |c: char| c.is_control() || matches!(c, '"' | '\'' | '\\' | '$');
    (!text.contains(unsafe_in_units)).then(|| text.replace('%', "%%"))
}

/// The socket that the service manager bound for this very process, if it did (`sd_listen_fds(3)`:
/// the ids in the environment must be this process's).
///
/// # Errors
/// What was handed over is no listening Unix socket, or more than one.
pub fn inherited_socket() -> io::Result<Option<UnixListener>> {
    let mut handed_over = listenfd::ListenFd::from_env();
    match handed_over.len() {
        0 => Ok(None),
        1 => handed_over.take_unix_listener(0),
        _ => Err(io::Error::other(
            "the service manager handed over more than one socket",
        )),
    }
}

/// Tells the service manager, if there is one, that requests are served.
///
/// # Errors
/// Its socket could not be written to.
pub fn notify_ready() -> io::Result<()> {
    sd_notify::notify(&[sd_notify::NotifyState::Ready])
}

/// Tells the service manager, if there is one, that the daemon is stopping.
///
/// # Errors
/// Its socket could not be written to.
pub fn notify_stopping() -> io::Result<()> {
    sd_notify::notify(&[sd_notify::NotifyState::Stopping])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_name_this_program_and_this_directory() {
        let data_dir = DataDir::new("/home/a b/50%".into(), None).unwrap();
        let [(_, service), (_, socket)] = units(Path::new("/opt/ipc"), &data_dir).unwrap();
        assert!(
            service.contains("ExecStart=\"/opt/ipc\" --data-dir \"/home/a b/50%%\" daemon run")
        );
        assert!(socket.contains("ListenStream=/home/a b/50%%/ipc.sock"));
        assert!(
            !service.contains('@') || service.contains("=@system-service"),
            "{service}"
        );
        assert!(!socket.contains('@'), "{socket}");
    }

    #[test]
    fn a_path_cannot_add_lines_to_a_unit() {
        for root in ["/a\nExecStart=/bin/sh", "/a\"b", "/a\\b", "/$HOME"] {
            let data_dir = DataDir::new(root.into(), None).unwrap();
            assert!(
                units(Path::new("/opt/ipc"), &data_dir).is_none(),
                "{root:?}"
            );
        }
    }
}
