//! Starting the daemon for whoever needs it first.
//!
//! Fifty first commands at once wait for one another on `start.lock`; the first starts the
//! daemon, the others find it there. The secret goes over standard input, never the environment,
//! and the child runs this very program by its absolute path with a cleaned environment, so that
//! neither `PATH` nor `LD_PRELOAD` of the caller decides what becomes the daemon.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ipc_daemon::systemd::ALLOCATOR;
use ipc_protocol::client::{ConnectError, Connection, connect};
use ipc_protocol::private;
use rustix::fs::{FlockOperation, flock};

use crate::clock::Deadline;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::secret;

/// How long a daemon may take to be ready: opening a large store after a crash takes seconds.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What a daemon says once it serves.
pub(crate) const READY: &str = "ready";

/// What it says while it does something that may take long: whoever waits goes on waiting.
pub(crate) const BUSY: &str = "busy";

/// Most that a starting daemon says, in bytes.
const LONGEST_SAID: usize = 4_096;

/// Connects to the daemon, starting it if none runs.
pub(crate) fn reach(context: &Context) -> Result<Connection, Failure> {
    match try_connect(context) {
        Err(ConnectError::NotRunning(_)) => Ok(start(context)?.connection),
        other => Ok(other?),
    }
}

/// Connects to the daemon that runs.
pub(crate) fn try_connect(context: &Context) -> Result<Connection, ConnectError> {
    connect(context.data_dir.socket(), context.environment.any_pid)
}

/// A daemon that runs now.
#[derive(Debug)]
pub(crate) struct Started {
    /// A connection to it, on which nothing was said.
    pub(crate) connection: Connection,
    /// Its process id, if it was this command that started it.
    pub(crate) pid: Option<u32>,
}

/// Makes sure that a daemon runs.
pub(crate) fn start(context: &Context) -> Result<Started, Failure> {
    drop(private::ensure_directory(context.data_dir.root())?);
    let lock_path = context.data_dir.start_lock();
    let lock = private::open_lock(&lock_path)?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| Failure::local(format!("{}: {error}", lock_path.display())))?;
    // Whoever had the lock before may have started it.
    match try_connect(context) {
        Ok(connection) => {
            return Ok(Started {
                connection,
                pid: None,
            });
        }
        Err(ConnectError::NotRunning(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let (mut child, from_child) = spawn(context)?;
    let ready = hand_over_secret(context, &mut child).and_then(|()| await_ready(from_child));
    match ready {
        Ok(notes) => notes.iter().for_each(|note| context.screen.note(note)),
        Err(failure) => {
            end(&mut child);
            let log = context.data_dir.log();
            return Err(failure.hint_if_none(format!("`{}` says more", log.display())));
        }
    }
    let connection = try_connect(context)?;
    drop(lock);
    Ok(Started {
        connection,
        pid: Some(child.id()),
    })
}

fn spawn(context: &Context) -> Result<(Child, UnixStream), Failure> {
    let failed = |error| start_failed(&format!("{error}"));
    let program = own_program().map_err(failed)?;
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let environment = &context.environment;
    let kept = [
        (
            "HOME",
            environment.home.as_ref().map(|path| path.as_os_str()),
        ),
        ("TZ", environment.time_zone.as_deref()),
        ("LANG", environment.language.as_deref()),
        (
            "IPC_SOCKET",
            environment
                .socket
                .as_ref()
                .map(|_| context.data_dir.socket().as_os_str()),
        ),
        ("IPC_LOG", environment.log.as_deref()),
    ];
    // What this command was started with is its own: a pipe that the daemon held would never end.
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    let mut command = Command::new(program);
    surround(&mut command, kept)
        .arg("--data-dir")
        .arg(context.data_dir.root())
        .args(["daemon", "run", "--autostarted"])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(OwnedFd::from(theirs))
        .stderr(Stdio::null());
    // The command holds our copy of the child's end; with it gone, the child's death is an end.
    let child = command.spawn().map_err(failed)?;
    Ok((child, ours))
}

/// Leaves `command` nothing of this process's environment but what is `kept`.
fn surround<'a, const N: usize>(
    command: &'a mut Command,
    kept: [(&str, Option<&OsStr>); N],
) -> &'a mut Command {
    let kept = kept.into_iter();
    let kept = kept.filter_map(|(name, value)| Some((name, value?)));
    command.env_clear().envs(kept).envs(ALLOCATOR)
}

/// The path of this very program. After an update that replaced the file, the kernel says that the
/// old one was deleted; the new one is at the same place.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let replaced = path
        .to_str()
        .and_then(|text| text.strip_suffix(" (deleted)"));
    match replaced.map(PathBuf::from) {
        Some(replaced) if !path.exists() && replaced.is_file() => Ok(replaced),
        Some(_) | None => Ok(path),
    }
}

fn hand_over_secret(context: &Context, child: &mut Child) -> Result<(), Failure> {
    let secret = secret::find(context)?;
    let Some(mut input) = child.stdin.take() else {
        return Ok(());
    };
    let bytes = secret.as_ref().map_or(&[][..], |secret| secret.expose());
    match input.write_all(bytes) {
        // It ended before it read: what it said on the other stream tells why.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| start_failed(&error.to_string())),
    }
}

/// Waits until the child is a daemon; what it wants to be passed on to whoever started it.
fn await_ready(from_child: UnixStream) -> Result<Vec<String>, Failure> {
    let said = read_until_ready(from_child)?;
    let mut notes = Vec::new();
    for line in said.lines() {
        match line.split_once(": ") {
            None if line == READY => return Ok(notes),
            None if line == BUSY => {}
            Some(("note", note)) => notes.push(note.to_owned()),
            Some(("failed", said)) => {
                return Err(match said.split_once('\t') {
                    Some((reason, hint)) => start_failed(reason).hint(hint),
                    None => start_failed(said),
                });
            }
            Some(_) | None => break,
        }
    }
    Err(start_failed("it ended without saying why"))
}

/// What a daemon that starts wants the command that started it to pass on: one line.
pub(crate) fn note_line(note: &str) -> String {
    format!("note: {}", note.replace('\n', " "))
}

/// What a daemon that cannot start says to the command that started it: one line, read whole.
pub(crate) fn failed_line(failure: &Failure) -> String {
    let on_one_line = |text: &str| text.replace(['\n', '\t'], " ");
    let reason = on_one_line(&failure.message);
    match &failure.hint {
        Some(hint) => format!("failed: {reason}\t{}", on_one_line(hint)),
        None => format!("failed: {reason}"),
    }
}

/// What the child says, up to and with the line that it is ready; all of it if that does not come.
fn read_until_ready(mut stream: UnixStream) -> Result<String, Failure> {
    let failed = |error: std::io::Error| start_failed(&error.to_string());
    let mut deadline = Deadline::after(START_PATIENCE);
    let is_ready = |said: &[u8]| {
        said.split(|byte| *byte == b'\n')
            .any(|line| line == READY.as_bytes())
    };
    let mut line = Vec::new();
    let mut chunk = [0; 512];
    while !(line.ends_with(b"\n") && is_ready(&line)) && line.len() < LONGEST_SAID {
        let Some(left) = deadline.remaining() else {
            return Err(too_slow());
        };
        stream.set_read_timeout(Some(left)).map_err(failed)?;
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => {
                line.extend_from_slice(chunk.get(..read).unwrap_or_default());
                deadline = Deadline::after(START_PATIENCE);
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(too_slow()),
                _ => return Err(failed(error)),
            },
        }
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

fn too_slow() -> Failure {
    start_failed(&format!(
        "it was not ready within {} s",
        START_PATIENCE.as_secs()
    ))
}

fn start_failed(reason: &str) -> Failure {
    Failure::new(
        ExitStatus::Unreachable,
        format!("the daemon could not be started: {reason}"),
    )
}

/// Ends a child that did not become a daemon; one that has ended already is only reaped.
fn end(child: &mut Child) {
    if child.kill().is_ok() {
        drop(child.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_saying(words: &[u8]) -> Result<Vec<String>, Failure> {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(words).unwrap();
        drop(theirs);
        await_ready(ours)
    }

    #[test]
    fn the_daemon_has_of_the_environment_what_is_kept_and_nothing_else() {
        let mut command = Command::new("/usr/bin/env");
        let kept = [("HOME", Some(OsStr::new("/h"))), ("TZ", None)];
        let output = surround(&mut command, kept).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<_> = said.lines().collect();
        lines.sort_unstable();
        let expected = [
            "HOME=/h",
            "MALLOC_ARENA_MAX=1",
            "MALLOC_MMAP_THRESHOLD_=65536",
            "MALLOC_TRIM_THRESHOLD_=131072",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn only_ready_is_ready() {
        assert_eq!(after_saying(b"ready\n").unwrap(), [""; 0]);
        let said = b"busy\nnote: one\nbusy\nready\n";
        assert_eq!(after_saying(said).unwrap(), ["one"]);
        for words in [
            &b""[..],
            b"ready?\n",
            b"fail",
            b"failed: \n",
            b"\n",
            b"note: ready\n",
            b"busy\n",
        ] {
            assert!(after_saying(words).is_err(), "{words:?}");
        }
    }

    #[test]
    fn the_reason_of_a_daemon_that_fails_is_passed_on() {
        let failure = after_saying(b"failed: the store is not ours: /x\n").unwrap_err();
        assert!(
            failure.message.ends_with("the store is not ours: /x"),
            "{failure:?}"
        );
        assert_eq!(failure.status, ExitStatus::Unreachable);
        assert_eq!(failure.hint, None);
    }

    #[test]
    fn the_hint_of_a_daemon_that_fails_is_passed_on() {
        let said = Failure::local("two\nlines").hint("a\ttab");
        let line = format!("{}\n", failed_line(&said));
        let failure = after_saying(line.as_bytes()).unwrap_err();
        assert!(failure.message.ends_with("two lines"), "{failure:?}");
        assert_eq!(failure.hint.unwrap(), "a tab");
    }
}
