//! How much may be under way at once, so that no host and no peer holds up the rest.

use ipc_protocol::error::ErrorCode;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use super::Desk;
use crate::failure::Failure;
use crate::limits::{CALLS, LISTENS, QUEUED, WAITS};

/// The turns that there are.
#[derive(Debug)]
pub(super) struct Turns {
    calls: Semaphore,
    queued: Semaphore,
    waits: Semaphore,
    listens: Semaphore,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            calls: Semaphore::new(CALLS),
            queued: Semaphore::new(QUEUED),
            waits: Semaphore::new(WAITS),
            listens: Semaphore::new(LISTENS),
        }
    }
}

/// Room for a call, and its turn.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _queued: SemaphorePermit<'a>,
    _running: SemaphorePermit<'a>,
}

impl Desk {
    /// A turn to make a call, unless the call is given up before it comes.
    pub(crate) async fn turn(&self, given_up: &CancellationToken) -> Result<Turn<'_>, Failure> {
        let queued = self.turns.queued.try_acquire().map_err(|_| busy("calls"))?;
        let running = tokio::select! {
            running = self.turns.calls.acquire() => running.map_err(|_| Failure::cancelled())?,
            () = given_up.cancelled() => return Err(Failure::cancelled()),
            () = self.closing.cancelled() => return Err(Failure::cancelled()),
        };
        if given_up.is_cancelled() {
            return Err(Failure::cancelled());
        }
        Ok(Turn {
            _queued: queued,
            _running: running,
        })
    }

    /// A turn to wait for mail in a call.
    pub(crate) fn waiting_turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.turns
            .waits
            .try_acquire()
            .map_err(|_| busy("calls that wait"))
    }

    /// A turn to be told of changes.
    pub(crate) fn listening_turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.turns
            .listens
            .try_acquire()
            .map_err(|_| busy("subscriptions"))
    }
}

fn busy(what: &str) -> Failure {
    let failure = Failure {
        code: Some(ErrorCode::Busy),
        ..Failure::local(format!("too many {what} at once"))
    };
    failure.hint("wait until one of them is answered")
}
