//! A daemon that is away while somebody waits for long: what passes by itself, and attempts to reach
//! it that come more and more slowly.

use std::time::Duration;

use ipc_protocol::error::ErrorCode;

use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::stop::Stop;

/// Longest time that one request waits: short of what a daemon would take for a dead client.
pub(super) const REQUEST_WAIT: Duration = Duration::from_mins(15);

/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Whether the failure may pass by itself: the daemon is gone, stops, or has too much to do.
pub(super) fn is_outage(failure: &Failure) -> bool {
    failure.status == ExitStatus::Unreachable
        || matches!(
            failure.code,
            Some(ErrorCode::Unavailable | ErrorCode::Busy | ErrorCode::RateLimited)
        )
}

/// A time without a daemon that serves us. One that takes connections and refuses every request
/// is as good as away, so only an answer ends it.
#[derive(Debug)]
pub(super) struct Backoff {
    pause: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { pause: PAUSES.0 }
    }
}

impl Backoff {
    /// Waits before another attempt, at most `left`; says whether it is all over instead.
    pub(super) fn pause(&mut self, stop: &Stop, left: Duration) -> bool {
        let pause = self.pause.min(left);
        self.pause = self.pause.saturating_mul(2).min(PAUSES.1);
        stop.pause(pause)
    }
}

#[cfg(test)]
mod tests {
    use ipc_protocol::client::ClientError;
    use ipc_protocol::error::Refusal;

    use super::*;

    #[test]
    fn a_daemon_that_stops_is_waited_for_and_a_takeover_is_the_end() {
        let refused = |code| Failure::from(Refusal::new(code, "no"));
        assert!(is_outage(&refused(ErrorCode::Unavailable)));
        assert!(is_outage(&Failure::from(ClientError::Closed)));
        for code in [ErrorCode::TakenOver, ErrorCode::Unauthenticated] {
            assert!(!is_outage(&refused(code)), "{code:?}");
        }
    }
}
