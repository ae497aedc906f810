//! Waiting for notices of mail.

use std::time::Duration;

use ipc_protocol::request::{Notice, NoticeReport};

use super::outage::REQUEST_WAIT;
use crate::failure::Failure;
use crate::front::Front;
use crate::stop::Stop;

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

/// Makes `request`, waiting for at most `left` and at most 15 minutes.
pub(super) fn wait_as(
    front: &mut Front,
    stop: &Stop,
    request: Notice,
    left: Duration,
) -> Result<NoticeReport, Failure> {
    let wait = left.min(REQUEST_WAIT);
    // A rest under a millisecond is waited out as one: zero would ask again and again.
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).max(1);
    let request = Notice { wait_ms, ..request };
    stop.while_waiting(front, |front| front.call_waiting(&request, wait))
}
