//! `ipc hook … --rewake`: a hook that waits beside an idle agent and wakes it.
//!
//! The host starts one each time the agent stops; the first to get the agent's lock waits, the
//! others end at once. It ends with its time, its host or its session.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use ipc_protocol::private;
use ipc_protocol::request::ReadsWith;
use rustix::fs::{FlockOperation, flock};

use super::host::Event;
use crate::clock::Deadline;
use crate::commands::mail_notices;
use crate::commands::outage::{Backoff, is_outage};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::stop::{Cause, Stop};

/// How long an agent may take to be registered: a server enrols by itself after 10 s.
const APPEARANCE: Duration = Duration::from_secs(20);

/// How often it is looked whether it has been.
const ROUND: Duration = Duration::from_secs(1);

/// Whether a window runs us that stays open. A host without one (`claude -p`) does not end before
/// its hooks do: it would wait for mail for ever instead of giving its result.
fn is_window(context: &Context) -> bool {
    let entrypoint = &context.environment.claude_entrypoint;
    entrypoint
        .as_ref()
        .is_some_and(|entrypoint| entrypoint == "cli")
}

/// The agent beside which to wait. In a window's first seconds its server has not enrolled yet, and
/// an agent that stops before that would never be woken.
fn appear(context: &mut Context, stop: &Stop) -> Result<Front, Failure> {
    let deadline = Deadline::after(APPEARANCE);
    loop {
        let failure = match Front::open_at_once(context) {
            Ok(front) => return Ok(front),
            Err(failure) => failure,
        };
        let may_come = failure.status == ExitStatus::Usage && context.acting_as.is_none();
        if !may_come || deadline.remaining().is_none() || stop.pause(ROUND) {
            return Err(failure);
        }
    }
}

/// Waits for a notice for at most `patience`, and says it on standard error.
pub(super) fn run(
    context: &mut Context,
    event: Event,
    patience: Duration,
    with: ReadsWith,
) -> Result<ExitStatus, Failure> {
    if event != Event::Stop || !is_window(context) {
        return Ok(ExitStatus::Done);
    }
    let deadline = Deadline::after(patience);
    let stop = Stop::on(&[Cause::HostEnds])?;
    let mut front = appear(context, &stop)?;
    let mut lock = private::open_lock(&context.data_dir.agent_waker(front.agent_id))?;
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(ExitStatus::Done);
    }
    note_holder(&mut lock).map_err(|error| Failure::local(error.to_string()))?;
    let mut backoff = Backoff::default();
    while let Some(left) = deadline.remaining() {
        match mail_notices::wait(&mut front, &stop, left) {
            Ok(report) if report.is_due => {
                context.screen.tell_host(&report.sentence(with))?;
                return Ok(ExitStatus::Wake);
            }
            Ok(_) => backoff = Backoff::default(),
            // The session that all commands share may have been renewed: then the file has another.
            Err(failure) if is_outage(&failure) || failure.is_stale_credential() => {
                if backoff.pause(&stop, left) {
                    break;
                }
                match Front::open_at_once(context) {
                    Ok(again) => front = again,
                    Err(failure) if is_outage(&failure) => {}
                    Err(failure) => return Err(failure),
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(ExitStatus::Done)
}

/// Writes into the lock who holds it.
fn note_holder(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    writeln!(lock, "{}", std::process::id())
}
