//! Figures, and how they are taken.

use std::fmt;
use std::time::{Duration, Instant};

/// A figure, and what is aimed at: less is better.
#[derive(Debug)]
pub(crate) struct Figure {
    what: &'static str,
    measured: f64,
    aim: f64,
}

impl Figure {
    pub(crate) const fn new(what: &'static str, measured: f64, aim: f64) -> Self {
        Self {
            what,
            measured,
            aim,
        }
    }

    /// Whether it is as good as aimed at.
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.aim
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let met = if self.is_met() { "yes" } else { "no" };
        write!(
            f,
            "{:<44} {:>12.2} {:>12.2}  {met}",
            self.what, self.measured, self.aim
        )
    }
}

/// This moment.
#[expect(
    clippy::disallowed_methods,
    reason = "measuring time is what this program is for"
)]
pub(crate) fn moment() -> Instant {
    Instant::now()
}

/// How long `work` takes.
pub(crate) fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<Duration, E> {
    let start = moment();
    work().map(|_| start.elapsed())
}

/// The middle one; zero of none.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The time that 99 of 100 do not exceed; zero of none.
pub(crate) fn percentile_99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    let at = times.len().saturating_mul(99) / 100;
    times.get(at).copied().unwrap_or_default()
}
