//! The process that stands for the agent in whose name this one acts.

use ipc_protocol::client::{HostRecord, UnknownHost, find_host};
use ipc_protocol::process;
use ipc_protocol::request::HostProcess;

/// The host process of this one: what the daemon is told of it, and what is kept of it.
pub(crate) fn own_host(unknown: UnknownHost) -> Option<(HostProcess, HostRecord)> {
    find_host(std::process::id(), unknown).map(|(process, facts)| {
        let record = HostRecord {
            pid: facts.pid,
            start_ticks: facts.start_ticks,
        };
        (process, record)
    })
}

/// Which process stands for an agent that comes back, if another one did so far. One that still runs
/// goes on standing for it: acting for an agent from elsewhere does not move it there.
pub(super) fn host_now(
    unknown: UnknownHost,
    kept: Option<HostRecord>,
) -> (Option<HostProcess>, Option<HostRecord>) {
    let found = own_host(unknown);
    match (kept, found) {
        (Some(kept), Some((_, found))) if kept != found && is_running(kept) => (None, Some(kept)),
        (_, Some((process, record))) => (Some(process), Some(record)),
        (kept, None) => (None, kept),
    }
}

/// Whether that very process still runs, not a later one with its id.
pub(super) fn is_running(host: HostRecord) -> bool {
    process::is_running(host.pid, host.start_ticks)
}
