//! Opening a host: where, as which program, with what around it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde_json::{Value, json};

use super::super::{Home, program};
use super::Host;

const SCRIPT: &str = include_str!("window.py");

/// Which lifecycle the host speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// `initialize` with this revision.
    Legacy(&'static str),
    /// Everything in the `_meta` of each request.
    Modern,
}

/// A host that is not open yet.
pub(crate) struct Opening<'a> {
    home: &'a Home,
    folder: &'a str,
    program: &'a str,
    arguments: Vec<&'a str>,
    variables: Vec<(&'a str, &'a str)>,
    era: Era,
}

impl Home {
    /// A host in the project's folder `folder` under this home.
    pub(crate) fn host<'a>(&'a self, folder: &'a str) -> Opening<'a> {
        Opening {
            home: self,
            folder,
            program: "claude",
            arguments: Vec::new(),
            variables: Vec::new(),
            era: Era::Legacy("2025-06-18"),
        }
    }
}

impl<'a> Opening<'a> {
    /// The program that the host is.
    pub(crate) fn program(mut self, name: &'a str) -> Self {
        self.program = name;
        self
    }

    /// A further variable in the environment of the server.
    pub(crate) fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.variables.push((name, value));
        self
    }

    /// A further argument of `ipc mcp`.
    pub(crate) fn argument(mut self, argument: &'a str) -> Self {
        self.arguments.push(argument);
        self
    }

    pub(crate) fn era(mut self, era: Era) -> Self {
        self.era = era;
        self
    }

    /// Starts the server, and has it know who we are.
    pub(crate) fn start(self) -> Host {
        let mut host = self.start_in_silence();
        if let Era::Legacy(version) = host.era {
            host.introduce(version);
        }
        host
    }

    /// Starts the server and says nothing.
    pub(crate) fn start_in_silence(self) -> Host {
        let home = self.home.path();
        let script = home.join(self.program);
        std::fs::write(&script, SCRIPT).unwrap();
        let folder = home.join(self.folder);
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("python3");
        command
            .arg(&script)
            .arg(program())
            .arg("mcp")
            .args(self.arguments)
            .env_clear()
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin")
            .envs(self.variables)
            .current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // To wait for a child would close it.
        let input = child.stdin.take();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        child.wait().unwrap();
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        let mut pids = line.split_whitespace().map(|pid| pid.parse().unwrap());
        let mut next = || Pid::from_raw(pids.next().unwrap()).unwrap();
        let (window, server) = (next(), next());
        Host {
            input,
            output: child.stdout.take().unwrap(),
            errors,
            window: pidfd_open(window, PidfdFlags::empty()).unwrap(),
            server,
            era: self.era,
            came: Vec::new(),
            scanned: 0,
            asked: 0,
            aside: VecDeque::new(),
        }
    }
}

impl Host {
    /// Opens a session of the older revisions.
    pub(crate) fn introduce(&mut self, version: &str) -> Value {
        let introduction = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "test-host", "version": "1"},
        });
        let known = self.result("initialize", introduction);
        assert_eq!(known["protocolVersion"], version);
        self.notify("notifications/initialized", json!({}));
        known
    }
}
