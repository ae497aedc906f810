//! The daemon with `trace.c` preloaded: its writes, flushes and replies recorded, its calls failed
//! where a test wants it.
//!
//! The library is built by the system's C compiler and does nothing without the variables that a
//! test sets; the daemon has no part in it. It is loaded into a daemon in the foreground, since
//! one that a command starts gets a clean environment.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::trace::Trace;
use crate::harness::{Home, Running, Said};

/// The library, and what it is to do.
pub(super) struct Library {
    object: PathBuf,
    trace: PathBuf,
    records: bool,
    fault: Option<String>,
    room: Option<u64>,
}

impl Library {
    /// Records everything, and changes nothing.
    pub(super) fn new(home: &Home) -> Self {
        let object = home.path().join("trace.so");
        if !object.exists() {
            std::fs::write(&object, compiled()).unwrap();
        }
        Self {
            object,
            trace: home.path().join("trace"),
            records: true,
            fault: None,
            room: None,
        }
    }

    /// Records nothing, and makes what `fault` says happen: `trace.c` explains the words.
    pub(super) fn with_fault(home: &Home, fault: &str) -> Self {
        let fault = Some(fault.to_owned());
        Self {
            records: false,
            fault,
            ..Self::new(home)
        }
    }

    /// The same, recorded.
    pub(super) fn recording(self) -> Self {
        let records = true;
        Self { records, ..self }
    }

    /// The same, not recorded.
    pub(super) fn silent(self) -> Self {
        let records = false;
        Self { records, ..self }
    }

    /// The same, and nothing fails any more.
    pub(super) fn without_fault(self) -> Self {
        let fault = None;
        Self { fault, ..self }
    }

    /// Lets the files of the directory grow by `bytes` in all, and records nothing.
    pub(super) fn with_room(home: &Home, bytes: u64) -> Self {
        let room = Some(bytes);
        Self {
            records: false,
            room,
            ..Self::new(home)
        }
    }

    /// Loads it into the process that `command` starts, for the files in `root`.
    pub(super) fn load_into(&self, command: &mut Command, root: &Path) {
        command
            .env("LD_PRELOAD", &self.object)
            .env("IPC_TEST_ROOT", root);
        if self.records {
            command.env("IPC_TEST_TRACE", &self.trace);
        }
        if let Some(fault) = &self.fault {
            command.env("IPC_TEST_FAULT", fault);
        }
        if let Some(room) = self.room {
            command.env("IPC_TEST_ROOM", room.to_string());
        }
    }

    /// Starts `ipc daemon run` with it; what it said if it ended before it was ready.
    pub(super) fn try_start(&self, home: &Home) -> Result<Running, Said> {
        let mut command = home.command(&["daemon", "run", "--autostarted"]);
        self.load_into(&mut command, home.data_dir().root());
        let mut running = Running::start(&mut command);
        let line = running.line();
        assert!(
            !self.records || self.trace.exists(),
            "the library was not loaded: this test needs a program that is linked dynamically \
             (a static build, of musl for example, cannot be traced)"
        );
        if line == "ready\n" {
            return Ok(running);
        }
        let mut said = running.end();
        said.out.insert_str(0, &line);
        Err(said)
    }

    /// The same, and it must be ready.
    pub(super) fn start(&self, home: &Home) -> Running {
        let started = self.try_start(home);
        started.unwrap_or_else(|said| panic!("{said:?}"))
    }

    /// What has been recorded so far.
    pub(super) fn trace(&self) -> Trace {
        Trace::read(&self.trace)
    }
}

/// Whether a process ended as it does when the library kills it: by the signal, or at once and with
/// nothing run where a filter of system calls keeps signals in.
pub(super) fn was_killed(said: &Said) -> bool {
    [-1, 137].contains(&said.status)
}

/// The library, compiled once for all tests of this process.
fn compiled() -> &'static [u8] {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let room = tempfile::tempdir().unwrap();
        let library = room.path().join("trace.so");
        compile(&library);
        std::fs::read(library).unwrap()
    })
}

fn compile(library: &Path) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/trace.c");
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-pthread", "-O1", "-Wall", "-o"])
        .arg(library)
        .arg(source);
    let said = Said::of(&compiler.output().unwrap());
    assert_eq!((said.status, said.err.as_str()), (0, ""), "{said:?}");
}
