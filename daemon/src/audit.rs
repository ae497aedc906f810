//! The audit log: what was done and what was refused, in a chain that cannot be changed unseen.
//!
//! `audit/` in the data directory holds lines of JSON, one record each: metadata only, never a body,
//! a token or a secret, and never a byte outside printable ASCII, whatever a peer chose. Each line is
//! sealed with a key that is then made into the next one and wiped, on disk too: who gets in later
//! cannot write an earlier line again. `chain` is the arithmetic, `state` the file with the present
//! key, `log` the two together, over a crash; `keeper` is the one thread that writes; `meter` bounds
//! what a flood can write; `owed` is what a crash must not swallow; `verify`, `anchor` and `reading` are for `ipc admin audit`, and work
//! whether a daemon runs or not.
//!
//! What always holds: nobody waits for a flush of this log; what is not written because there is too
//! much of it is counted, and the count is written. Who can do what to it: [`docs/decisions/0028`].
//!
//! [`docs/decisions/0028`]: ../../docs/decisions/0028-a-log-sealed-forward.md

pub mod anchor;
mod chain;
pub(crate) mod event;
mod files;
mod finding;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod keeper;
mod log;
mod meter;
pub(crate) mod owed;
pub mod reading;
mod state;
#[cfg(test)]
mod tests;
pub mod verify;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::thread::JoinHandle;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use rand::rngs::StdRng;

use crate::clock::Clock;
use crate::deployment::DaemonLock;
use crate::limits::AUDIT_QUEUE;
use crate::store::past::Past;
use event::{Event, Who};
use log::Log;
pub use log::LogError;
use meter::Meter;
use owed::Outcome;

/// Something that happened, and when.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
}

/// Where records are handed in.
#[derive(Debug)]
pub(crate) struct Audit {
    /// Boxed, because the queue takes room for as many as it may hold from the start.
    queue: SyncSender<Box<Entry>>,
    /// Dropped with this, which cuts the keeper's rest short.
    _open: Sender<()>,
    meter: Arc<Meter>,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

/// The keeper's end of it.
#[derive(Debug)]
pub(crate) struct Inbox {
    queue: Receiver<Box<Entry>>,
    closing: Receiver<()>,
    meter: Arc<Meter>,
    lost: Arc<AtomicU64>,
    clock: Arc<dyn Clock>,
}

/// Both ends of the queue.
pub(crate) fn queue(clock: Arc<dyn Clock>) -> (Audit, Inbox) {
    let (send, receive) = mpsc::sync_channel(AUDIT_QUEUE);
    let (open, closing) = mpsc::channel();
    let (meter, lost) = (Arc::<Meter>::default(), Arc::<AtomicU64>::default());
    let inbox = Inbox {
        queue: receive,
        closing,
        meter: Arc::clone(&meter),
        lost: Arc::clone(&lost),
        clock: Arc::clone(&clock),
    };
    let audit = Audit {
        queue: send,
        _open: open,
        meter,
        lost,
        clock,
    };
    (audit, inbox)
}

/// Opens the log and starts the thread that writes it. It ends when the [`Audit`] is gone.
pub(crate) fn start(
    data_dir: &DataDir,
    past: Past,
    clock: &Arc<dyn Clock>,
    rng: &mut StdRng,
    _lock: &DaemonLock,
) -> Result<(Audit, JoinHandle<()>), LogError> {
    let mut log = Log::open(&data_dir.audit(), past, clock.now().wall, rng)?;
    owed::settle(data_dir, &mut log, Outcome::Unknown)?;
    let (audit, inbox) = queue(Arc::clone(clock));
    let thread = keeper::start(log, inbox);
    let thread = thread.map_err(|source| LogError::io(&data_dir.audit(), source))?;
    Ok((audit, thread))
}

impl Audit {
    /// Notes that `event` happened. Never waits: what finds no room is counted as lost, and the count
    /// is written once there is room.
    pub(crate) fn note(&self, event: Event) {
        let now = self.clock.now();
        if self.meter.admits(&event, now.boot_ms) {
            self.hand_in(Entry {
                at: now.wall,
                event,
            });
        }
    }

    /// Notes that `who` was refused `request`, if such a refusal is of interest: the first of its kind
    /// in a minute as it comes, the others as a number.
    pub(crate) fn refused(&self, refusal: &Refusal, request: &'static str, who: Who) {
        if is_denial(refusal.code) {
            self.note(Event::Denied {
                request,
                code: refusal.code,
                who,
            });
        }
    }

    fn hand_in(&self, entry: Entry) {
        match self.queue.try_send(Box::new(entry)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Notes what has just been done with the store as a whole, while no daemon runs: that it was replaced by
/// a backup, or that something came over. It was written down before; where this fails, the next start
/// notes it.
///
/// # Errors
/// [`LogError`]; nothing was noted yet.
pub fn note_done(
    data_dir: &DataDir,
    now: Timestamp,
    rng: &mut StdRng,
    _lock: &DaemonLock,
) -> Result<(), LogError> {
    let mut log = Log::open(&data_dir.audit(), Past::of_closed(data_dir), now, rng)?;
    owed::settle(data_dir, &mut log, Outcome::Done)
}

/// Whether a refusal with `code` is somebody kept from something, rather than a mistake or a state of
/// the daemon's.
const fn is_denial(code: ErrorCode) -> bool {
    match code {
        ErrorCode::Unauthenticated
        | ErrorCode::Expired
        | ErrorCode::Forbidden
        | ErrorCode::NameInUse
        | ErrorCode::NameReserved
        | ErrorCode::RateLimited
        | ErrorCode::LoopDetected
        | ErrorCode::Blocked
        | ErrorCode::Frozen
        | ErrorCode::SecretChanged => true,
        ErrorCode::InvalidName
        | ErrorCode::UnknownRecipient
        | ErrorCode::NotFound
        | ErrorCode::TooLarge
        | ErrorCode::Malformed
        | ErrorCode::UnsupportedVersion
        | ErrorCode::MailboxFull
        | ErrorCode::TakenOver
        | ErrorCode::Conflict
        | ErrorCode::Busy
        | ErrorCode::Unavailable
        | ErrorCode::Internal
        | ErrorCode::Unknown => false,
    }
}
