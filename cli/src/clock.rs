//! The wall clock and deadlines: nothing else in this crate asks what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ipc_protocol::time::Timestamp;

/// Now, by the wall clock.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let milliseconds = since.ok().and_then(|d| i64::try_from(d.as_millis()).ok());
    Timestamp::from_millis(milliseconds.unwrap_or(0))
}

/// A point in time that no change of the wall clock moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// Nothing when it lies beyond what the system can count: it never passes.
    at: Option<Instant>,
}

impl Deadline {
    /// The point `wait` from now.
    pub(crate) fn after(wait: Duration) -> Self {
        Self {
            at: monotonic().checked_add(wait),
        }
    }

    /// How long until then; nothing once it has passed.
    pub(crate) fn remaining(self) -> Option<Duration> {
        let left = self.at.map_or(Duration::MAX, |at| {
            at.saturating_duration_since(monotonic())
        });
        (!left.is_zero()).then_some(left)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the clock"
)]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_or_never_does() {
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), None);
        assert!(
            Deadline::after(Duration::from_mins(1))
                .remaining()
                .is_some()
        );
        assert!(Deadline::after(Duration::MAX).remaining().is_some());
    }
}
