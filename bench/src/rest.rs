//! Many connected agents that do nothing: what they cost the processor and the disk.

use std::error::Error;
use std::thread::sleep;
use std::time::Duration;

use crate::daemon::Daemon;
use crate::figures::Figure;

/// Agents that are connected: most of the places that there are.
const AGENTS: usize = 500;

/// How long they rest.
const REST: Duration = Duration::from_secs(10);

/// Clock ticks in a second, as `proc_pid_stat(5)` counts them on Linux.
const TICKS: f64 = 100.0;

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
    let before = used(daemon.pid())?;
    sleep(REST);
    let after = used(daemon.pid())?;
    drop(agents);
    daemon.stop()?;
    let seconds = (after.0 - before.0) / TICKS;
    Ok([
        Figure::new(
            "500 agents at rest, % of a core",
            100.0 * seconds / REST.as_secs_f64(),
            1.0,
        ),
        Figure::new(
            "500 agents at rest, KiB written",
            (after.1 - before.1) / 1_024.0,
            0.0,
        ),
    ])
}

/// Clock ticks that the process has run, and bytes that it has written.
pub(crate) fn used(pid: u32) -> Result<(f64, f64), Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no fields")?;
    // `utime` and `stime` are fields 14 and 15; the state, after the name, is field 3.
    let ticks: Result<Vec<f64>, _> = fields.split(' ').skip(11).take(2).map(str::parse).collect();
    let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
    let written = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    Ok((
        ticks?.iter().sum(),
        written.ok_or("no write_bytes")?.parse()?,
    ))
}
