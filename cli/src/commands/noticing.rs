//! Waiting for notices of mail, and for a daemon that is away.

use std::time::Duration;

use ipc_protocol::request::{Notice, NoticeReport};

use crate::failure::Failure;
use crate::front::Front;
use crate::stop::Stop;

/// Longest time that one request waits: short of what a daemon would take for a dead client.
pub(super) const ROUND: Duration = Duration::from_mins(15);

/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Asks for the right to tell the agent, and waits for it for at most `left`.
pub(super) fn wait(
    front: &mut Front,
    stop: &Stop,
    left: Duration,
) -> Result<NoticeReport, Failure> {
    let request = Notice {
        tell: true,
        ..Notice::default()
    };
    wait_as(front, stop, request, left)
}

/// Makes `request`, waiting for at most `left` and at most a round.
pub(super) fn wait_as(
    front: &mut Front,
    stop: &Stop,
    request: Notice,
    left: Duration,
) -> Result<NoticeReport, Failure> {
    let round = left.min(ROUND);
    // A rest under a millisecond is waited out as one: zero would ask again and again.
    let wait_ms = u32::try_from(round.as_millis()).unwrap_or(u32::MAX).max(1);
    let request = Notice { wait_ms, ..request };
    stop.while_waiting(front, |front| front.call_waiting(&request, round))
}

/// A time without a daemon that serves us: attempts to reach it come more and more slowly.
#[derive(Debug)]
pub(super) struct Absence {
    pause: Duration,
}

impl Default for Absence {
    fn default() -> Self {
        Self { pause: PAUSES.0 }
    }
}

impl Absence {
    /// Waits before another attempt, at most `left`; says whether it is all over instead.
    pub(super) fn pause(&mut self, stop: &Stop, left: Duration) -> bool {
        let pause = self.pause.min(left);
        self.pause = self.pause.saturating_mul(2).min(PAUSES.1);
        stop.pause(pause)
    }
}
