//! A daemon in the foreground, and what the system says that it takes: memory, time, descriptors.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use ipc_daemon::systemd::ALLOCATOR;
use ipc_protocol::paths::DataDir;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use super::Home;

/// A daemon that is looked at from outside; killed if nobody stops it.
pub(crate) struct Measured {
    child: Child,
    data_dir: DataDir,
}

impl Measured {
    /// Starts the daemon of `home` and waits until it is ready.
    pub(crate) fn start(home: &Home) -> Self {
        let mut command = home.command(&["daemon", "run", "--autostarted"]);
        command.envs(ALLOCATOR);
        Self::run(home, &mut command)
    }

    /// Runs `command`, which becomes the daemon of `home`, and waits until it is ready.
    pub(crate) fn run(home: &Home, command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let data_dir = home.data_dir();
        Self { child, data_dir }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// A figure of `proc_pid_status(5)`, in KiB.
    fn status(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let figure = line.unwrap().trim_start_matches(':').trim();
        figure.trim_end_matches(" kB").parse().unwrap()
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        self.status("VmRSS")
    }

    /// The most address space that it ever had, in KiB.
    pub(crate) fn peak_kib(&self) -> u64 {
        self.status("VmPeak")
    }

    /// Processor time so far, in hundredths of a second (`proc_pid_stat(5)`, fields 14 and 15).
    pub(crate) fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let times = fields.split(' ').skip(11).take(2);
        times.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// Bytes of its files: store, journal, log.
    pub(crate) fn stored_bytes(&self) -> u64 {
        let entries = std::fs::read_dir(self.data_dir.root()).unwrap();
        let sizes = entries.map(|entry| entry.unwrap().metadata().map_or(0, |facts| facts.len()));
        sizes.sum()
    }

    /// How often `words` stand in its log.
    pub(crate) fn logged(&self, words: &str) -> usize {
        let log = std::fs::read_to_string(self.data_dir.log()).unwrap();
        log.matches(words).count()
    }

    /// Stops it where it is, until [`Self::resume`]: what comes meanwhile waits in the kernel.
    pub(crate) fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    /// Kills it as the system does when memory runs out, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        let handle = pidfd_open(self.pid(), PidfdFlags::empty()).unwrap();
        kill_process(self.pid(), Signal::KILL).unwrap();
        poll(&mut [PollFd::new(&handle, PollFlags::IN)], None).unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // One that has ended is no longer there to be killed.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}
