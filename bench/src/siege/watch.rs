//! The daemon, looked at from outside once a second: memory and descriptors.

use std::error::Error;
use std::fmt;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::agents::Stage;
use crate::figures::moment;
use crate::usage::resident_mib;

/// What is seen of one daemon.
#[derive(Debug)]
pub(super) struct Watch {
    pid: u32,
    /// The most resident memory of each round, in MiB.
    rounds: Vec<f64>,
    most_mib: f64,
    /// Descriptors at the end of each time without the hostile one.
    at_rest: Vec<f64>,
    most_descriptors: f64,
}

impl Watch {
    pub(super) const fn over(pid: u32) -> Self {
        Self {
            pid,
            rounds: Vec::new(),
            most_mib: 0.0,
            at_rest: Vec::new(),
            most_descriptors: 0.0,
        }
    }

    /// Looks for so long; an error as soon as something has happened to an agent.
    pub(super) fn during(
        &mut self,
        long: Duration,
        besieged: bool,
        stage: &Stage,
    ) -> Result<(), Box<dyn Error>> {
        let begun = moment();
        let mut descriptors = 0.0;
        while begun.elapsed() < long {
            thread::sleep(Duration::from_secs(1).min(long));
            self.most_mib = self.most_mib.max(resident_mib(self.pid)?);
            descriptors = self.descriptors()?;
            self.most_descriptors = self.most_descriptors.max(descriptors);
            if stage.errors.load(Ordering::SeqCst) > 0 {
                return Err("an agent was refused or lost its connection".into());
            }
        }
        if !besieged {
            self.at_rest.push(descriptors);
        }
        Ok(())
    }

    pub(super) fn end_round(&mut self) {
        self.rounds.push(self.most_mib);
        self.most_mib = 0.0;
    }

    pub(super) fn most_mib(&self) -> f64 {
        self.rounds.iter().copied().fold(0.0, f64::max)
    }

    /// The middle one of the last third of the rounds' mosts, over that of the first third: what
    /// one round took for a moment, because the disk was busy, is no growth.
    pub(super) fn growth_mib(&self) -> f64 {
        let third = self.rounds.len().div_ceil(3);
        let last = self.rounds.len().saturating_sub(third);
        let first = self.rounds.get(..third).unwrap_or_default();
        middle(self.rounds.get(last..).unwrap_or_default()) - middle(first)
    }

    /// Descriptors without the hostile one at the end, over those at the beginning.
    pub(super) fn descriptors_left(&self) -> f64 {
        over_first(&self.at_rest)
    }

    /// How many are open. A process that nobody may look into still says their number as the size
    /// of the directory, from Linux 6.2 on (`proc_pid_fd(5)`).
    fn descriptors(&self) -> Result<f64, Box<dyn Error>> {
        let path = format!("/proc/{}/fd", self.pid);
        let number = match std::fs::read_dir(&path) {
            Ok(entries) => entries.count(),
            Err(_) => usize::try_from(std::fs::metadata(&path)?.len())?,
        };
        Ok(f64::from(u32::try_from(number)?))
    }
}

/// The median; of two in the middle, the lower.
fn middle(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = values.len().saturating_sub(1) / 2;
    values.get(at).copied().unwrap_or_default()
}

fn over_first(values: &[f64]) -> f64 {
    let (first, last) = (values.first().copied(), values.last().copied());
    last.unwrap_or_default() - first.unwrap_or_default()
}

impl fmt::Display for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "resident MiB of each round:")?;
        for round in &self.rounds {
            write!(f, " {round:.1}")?;
        }
        write!(f, "\ndescriptors at rest:")?;
        for number in &self.at_rest {
            write!(f, " {number}")?;
        }
        write!(f, ", at most {}", self.most_descriptors)
    }
}
