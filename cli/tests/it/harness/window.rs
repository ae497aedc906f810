//! A terminal window: a session with a process that leads it, for as long as the window is open.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use serde_json::{Value, json};

use super::{Home, Said, program};

const SCRIPT: &str = include_str!("window.py");

/// A window in which commands are typed one after the other.
pub(crate) struct Window {
    environment: BTreeMap<String, String>,
    keyboard: Option<ChildStdin>,
    screen: BufReader<ChildStdout>,
    leader: OwnedFd,
    pid: Pid,
    /// The command typed last.
    typed: String,
}

/// What happens in a window.
pub(crate) enum Event {
    /// The command wrote this line to its standard output.
    Out(String),
    /// The command wrote this line to its standard error.
    Err(String),
    /// The command ended with this status.
    Ended(i32),
}

impl Window {
    /// Opens a window at this home, with further variables set in it.
    pub(crate) fn open(home: &Home, variables: &[(&str, &str)]) -> Self {
        let mut command = python(SCRIPT);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let keyboard = child.stdin.take();
        let mut screen = BufReader::new(child.stdout.take().unwrap());
        child.wait().unwrap();
        let pid: i32 = read_line(&mut screen).trim().parse().unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        let leader = pidfd_open(pid, PidfdFlags::empty()).unwrap();
        let own = [
            ("HOME", home.path().to_str().unwrap()),
            ("PATH", "/usr/bin:/bin"),
        ];
        let all = own.iter().chain(variables);
        let environment = all.map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Self {
            environment: environment.collect(),
            keyboard,
            screen,
            leader,
            pid,
            typed: String::new(),
        }
    }

    /// Types a command of the program, and waits until it is done.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Said {
        let program = program().to_str().unwrap().to_owned();
        let mut words = vec![program.as_str()];
        words.extend(arguments);
        self.run_program(&words)
    }

    /// Types any command, and waits until it is done.
    pub(crate) fn run_program(&mut self, words: &[&str]) -> Said {
        self.begin(words);
        let (mut out, mut err) = (String::new(), String::new());
        loop {
            match self.event() {
                Event::Out(line) => out.push_str(&line),
                Event::Err(line) => err.push_str(&line),
                Event::Ended(status) => return Said { status, out, err },
            }
        }
    }

    /// Types any command, and goes on.
    pub(crate) fn begin(&mut self, words: &[&str]) {
        self.typed = words.join(" ");
        self.type_in(&json!({"command": words, "environment": self.environment}));
    }

    /// Interrupts the command that runs, as Ctrl-C does.
    pub(crate) fn interrupt(&mut self) {
        self.type_in(&json!("interrupt"));
    }

    /// What happens next in the window, waited for.
    pub(crate) fn event(&mut self) -> Event {
        self.await_screen();
        let said: Value = serde_json::from_str(&read_line(&mut self.screen)).unwrap();
        let line = |name: &str| said[name].as_str().map(str::to_owned);
        let ended = || Event::Ended(i32::try_from(said["status"].as_i64().unwrap()).unwrap());
        let out = line("out").map(Event::Out);
        out.or_else(|| line("err").map(Event::Err))
            .unwrap_or_else(ended)
    }

    fn type_in(&mut self, typed: &Value) {
        let keyboard = self.keyboard.as_mut().unwrap();
        writeln!(keyboard, "{typed}").unwrap();
    }

    /// Better a failed test than one that waits for ever.
    fn await_screen(&self) {
        let patience = Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        };
        if self.screen.buffer().is_empty() {
            let mut there = [PollFd::new(self.screen.get_ref(), PollFlags::IN)];
            let ready = retry_on_intr(|| poll(&mut there, Some(&patience))).unwrap();
            assert_eq!(ready, 1, "nothing happens for a minute: {}", self.typed);
        }
    }

    /// Types a command that must succeed; what it printed.
    pub(crate) fn ok(&mut self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.status, 0, "{arguments:?}: {said:?}");
        said.out
    }

    /// Closes the window: its processes end, as those of a session leader do.
    pub(crate) fn close(mut self) {
        self.keyboard = None;
        self.await_end();
    }

    /// Kills the window's leader and whatever else belongs to its group.
    pub(crate) fn kill(self) {
        kill_process_group(self.pid, Signal::KILL).unwrap();
        self.await_end();
    }

    fn await_end(&self) {
        let mut ended = [PollFd::new(&self.leader, PollFlags::IN)];
        retry_on_intr(|| poll(&mut ended, None)).unwrap();
    }
}

/// A Python program.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg("-c").arg(script);
    command
}

/// The program at this home, started by a Python that first does `preamble` in the very process
/// that becomes it.
pub(crate) fn after(preamble: &str, home: &Home, arguments: &[&str]) -> Command {
    let script = format!(
        "import os, sys\n{preamble}\nos.execve(sys.argv[1], sys.argv[1:], dict(os.environ))"
    );
    let mut command = python(&script);
    command.arg(program()).args(arguments);
    command
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    command
}

fn read_line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line
}
