//! The real program in a home of its own, used as a person would.

mod agent;
mod host;
mod measured;
mod running;
mod scale;
mod service_manager;
pub(crate) mod stranger;
mod window;
mod wire;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;

pub(crate) use agent::Agent;
pub(crate) use host::{Era, Host, letters, listed, text, words};
pub(crate) use measured::Measured;
pub(crate) use running::Running;
pub(crate) use scale::{report, scale};
pub(crate) use service_manager::{ServiceManager, Systemctl};
pub(crate) use window::{Event, Window, after, python};
pub(crate) use wire::{GENEROUS, Letter, Post, Round, copy, enrol, kept, letter, prove, take_all};

/// A home directory in which nothing has happened yet.
pub(crate) struct Home {
    room: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let private = std::fs::Permissions::from_mode(0o700);
        let room = tempfile::Builder::new()
            .prefix("ipc-")
            .permissions(private)
            .tempdir()
            .unwrap();
        Self { room }
    }

    pub(crate) fn path(&self) -> &Path {
        self.room.path()
    }

    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(self.path().join(".claude-ipc-data"), None).unwrap()
    }

    /// The program, with nothing in its environment but this home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", "/usr/bin:/bin");
        command.args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().unwrap())
    }

    /// Runs the program to its end with this standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Said {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Said::of(&child.wait_with_output().unwrap())
    }

    /// Runs the program, which must succeed; what it printed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// Runs the program with `--json`, which must succeed; what it printed.
    pub(crate) fn json(&self, arguments: &[&str]) -> serde_json::Value {
        let arguments = [&["--json"], arguments].concat();
        serde_json::from_str(&self.ok(&arguments)).unwrap()
    }

    /// Registers an agent; its mailbox from then on.
    pub(crate) fn register(&self, name: &str) -> Agent<'_> {
        self.ok(&["register", name]);
        Agent::called(self, name)
    }

    /// Starts the program with its output in pipes, and goes on.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(arguments))
    }

    /// Puts this `config.toml` there, before any daemon runs.
    pub(crate) fn configure(&self, text: &str) {
        drop(private::ensure_directory(self.data_dir().root()).unwrap());
        private::write_file(&self.data_dir().config(), text.as_bytes()).unwrap();
    }

    /// Every file under the data directory, sockets left out.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut left = vec![self.data_dir().root().to_owned()];
        let mut files = Vec::new();
        while let Some(directory) = left.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    left.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                }
            }
        }
        files.sort();
        files
    }

    /// The process id of the daemon that holds this home's lock.
    pub(crate) fn daemon_pid(&self) -> u32 {
        let text = std::fs::read_to_string(self.data_dir().daemon_lock()).unwrap();
        text.trim().parse().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.data_dir().daemon_lock().exists() {
            drop(self.command(&["daemon", "stop"]).output());
        }
    }
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// It must have ended with `status` and said all of `words` on standard error.
    pub(crate) fn refused(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in {self:?}");
        }
    }

    /// The `error` object that `--json` prints on standard error.
    pub(crate) fn error(&self) -> serde_json::Value {
        let said: serde_json::Value = serde_json::from_str(&self.err).unwrap();
        said["error"].clone()
    }
}

/// The program under test.
pub(crate) fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_ipc"))
}
