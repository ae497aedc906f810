//! What a process uses, as `/proc` counts it.

use std::error::Error;
use std::time::Duration;

/// Clock ticks in a second, as `proc_pid_stat(5)` counts them on Linux.
const TICKS: f64 = 100.0;

/// What a process has used since it began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    ticks: f64,
    written_bytes: f64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self, Box<dyn Error>> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, fields) = stat.rsplit_once(") ").ok_or("no fields")?;
        // `utime` and `stime` are fields 14 and 15; the state, after the name, is field 3.
        let ticks: Result<Vec<f64>, _> =
            fields.split(' ').skip(11).take(2).map(str::parse).collect();
        let io = std::fs::read_to_string(format!("/proc/{pid}/io"))?;
        let written = io
            .lines()
            .find_map(|line| line.strip_prefix("write_bytes: "));
        Ok(Self {
            ticks: ticks?.iter().sum(),
            written_bytes: written.ok_or("no write_bytes")?.parse()?,
        })
    }

    /// Time on a processor since `earlier`.
    pub(crate) fn processor_since(&self, earlier: &Self) -> Duration {
        Duration::from_secs_f64((self.ticks - earlier.ticks) / TICKS)
    }

    /// What was written to the disk since `earlier`, in KiB.
    pub(crate) fn written_kib_since(&self, earlier: &Self) -> f64 {
        (self.written_bytes - earlier.written_bytes) / 1_024.0
    }
}

/// Resident memory of a process, in MiB (`proc_pid_status(5)`, `VmRSS`).
pub(crate) fn resident_mib(pid: u32) -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: f64 = line
        .and_then(|l| l.trim().strip_suffix(" kB"))
        .ok_or("no VmRSS")?
        .parse()?;
    Ok(kib / 1_024.0)
}
