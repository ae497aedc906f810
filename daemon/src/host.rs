//! The process that stands for an agent; `hosts.rs` watches for its end.

use ipc_protocol::process;

/// A host process, told from every later process that gets its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct HostProcess {
    pub(crate) pid: u32,
    /// When it started, in clock ticks after boot.
    pub(crate) start_ticks: u64,
}

impl HostProcess {
    /// Whether it still runs.
    pub(crate) fn is_running(self) -> bool {
        process::is_running(self.pid, self.start_ticks)
    }
}
