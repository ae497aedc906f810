//! Deadlines: nothing else in this crate asks what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// A point in time that no change of the wall clock moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// The point `wait` from now.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }

    /// How long until then; nothing once it has passed.
    pub(crate) fn remaining(self) -> Option<Duration> {
        let left = self.0.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}
