//! Many connected agents that do nothing: what they cost the processor and the disk.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::figures::Figure;
use crate::usage::Usage;

/// Agents that are connected: most of the places that there are.
const AGENTS: usize = 500;

/// How long they rest.
const REST: Duration = Duration::from_secs(10);

/// What a daemon uses while they rest.
///
/// They come back to a daemon that was started anew: what their registration left to be written
/// (the audit log is some half a second behind) is no part of their rest.
pub(crate) fn figures() -> Result<[Figure; 2], Box<dyn Error>> {
    let mut daemon = Daemon::start()?;
    let mut sessions = Vec::new();
    for number in 0..AGENTS {
        let (_, registered) = daemon.enrol(&format!("resting-{number}"))?;
        sessions.push(registered.session);
    }
    daemon.restart()?;
    let mut agents = Vec::new();
    for session in sessions {
        agents.push(daemon.log_in(session)?);
    }
    let before = Usage::of(daemon.pid())?;
    sleep(REST);
    let after = Usage::of(daemon.pid())?;
    drop(agents);
    daemon.stop()?;
    let seconds = after.processor_since(&before).as_secs_f64();
    Ok([
        Figure::new(
            "500 agents at rest, % of a core",
            100.0 * seconds / REST.as_secs_f64(),
            1.0,
        ),
        Figure::new(
            "500 agents at rest, KiB written",
            after.written_kib_since(&before),
            0.0,
        ),
    ])
}
