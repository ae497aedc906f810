//! A handle on another process: the seam between Linux, where a pidfd cannot come to mean another
//! process, and the rest, where only the id is known.

use std::io;
use std::time::Duration;

use rustix::process::Pid;

fn pid(id: u32) -> io::Result<Pid> {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
}

#[cfg(target_os = "linux")]
pub(super) use linux::Process;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Process;

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::OwnedFd;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

    use super::{Duration, io, pid};
    use crate::clock::Deadline;

    /// A process.
    #[derive(Debug)]
    pub(in super::super) struct Process(OwnedFd);

    impl Process {
        /// The process with this id; nothing when there is none.
        pub(in super::super) fn open(id: u32) -> io::Result<Option<Self>> {
            match pidfd_open(pid(id)?, PidfdFlags::empty()) {
                Ok(fd) => Ok(Some(Self(fd))),
                Err(Errno::SRCH) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }

        /// Sends SIGTERM. A process that has ended needs none.
        pub(in super::super) fn ask_to_end(&self) -> io::Result<()> {
            match pidfd_send_signal(&self.0, Signal::TERM) {
                Ok(()) | Err(Errno::SRCH) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }

        /// Waits for the end; says whether it came within `wait`.
        pub(in super::super) fn await_end(&self, wait: Duration) -> io::Result<bool> {
            let deadline = Deadline::after(wait);
            while let Some(left) = deadline.remaining() {
                let left = Timespec::try_from(left).map_err(io::Error::other)?;
                let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
                match poll(&mut fds, Some(&left)) {
                    Ok(0) | Err(Errno::INTR) => {}
                    Ok(_) => return Ok(true),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(false)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, kill_process, test_kill_process};

    use super::{Duration, io, pid};
    use crate::clock::Deadline;

    /// How often the process is looked for.
    const ROUND: Duration = Duration::from_millis(20);

    /// A process.
    #[derive(Debug)]
    pub(in super::super) struct Process(Pid);

    impl Process {
        /// The process with this id; nothing when there is none.
        pub(in super::super) fn open(id: u32) -> io::Result<Option<Self>> {
            let process = Self(pid(id)?);
            Ok((!process.has_ended()?).then_some(process))
        }

        /// Sends SIGTERM. A process that has ended needs none.
        pub(in super::super) fn ask_to_end(&self) -> io::Result<()> {
            match kill_process(self.0, Signal::TERM) {
                Ok(()) | Err(Errno::SRCH) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }

        /// Waits for the end; says whether it came within `wait`.
        pub(in super::super) fn await_end(&self, wait: Duration) -> io::Result<bool> {
            let deadline = Deadline::after(wait);
            while deadline.remaining().is_some() {
                if self.has_ended()? {
                    return Ok(true);
                }
                std::thread::sleep(ROUND);
            }
            self.has_ended()
        }

        fn has_ended(&self) -> io::Result<bool> {
            match test_kill_process(self.0) {
                Ok(()) => Ok(false),
                Err(Errno::SRCH) => Ok(true),
                Err(error) => Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_asked_to_end_and_waited_for() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let process = Process::open(child.id()).unwrap().unwrap();
        assert!(!process.await_end(Duration::from_millis(1)).unwrap());
        process.ask_to_end().unwrap();
        assert!(process.await_end(Duration::from_secs(20)).unwrap());
        child.wait().unwrap();
    }

    #[test]
    fn what_is_no_process_id_is_refused() {
        assert!(Process::open(0).is_err());
        assert!(Process::open(u32::MAX).is_err());
    }
}
