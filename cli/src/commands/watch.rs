//! `ipc watch`: messages as they arrive, taken as `check` takes them.
//!
//! It holds a session of its own, and outlives a restart of the daemon: it connects again, more
//! and more slowly, until the daemon has been away too long. It does not start one: somebody may
//! have stopped it on purpose.

use std::time::Duration;

use super::fetching::{self, Lease, Wanted};
use crate::args::{WaitTime, WatchArguments};
use crate::clock::Deadline;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::OwnFront;
use crate::output::json;
use crate::output::mail::Shown;

/// Longest time that one request waits: short of what a daemon would take for a dead client.
const ROUND: Duration = Duration::from_mins(15);

/// How long a daemon may be away before the watch gives up.
const AWAY: Duration = Duration::from_mins(10);

/// First and longest pause between two attempts to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Streams until nothing comes for as long as asked, or for ever.
pub(crate) fn run(
    context: &mut Context,
    arguments: &WatchArguments,
) -> Result<ExitStatus, Failure> {
    let mut own = OwnFront::open(context)?;
    let patience = arguments.wait.map(WaitTime::duration);
    loop {
        let deadline = patience.map(Deadline::after);
        let Some(shown) = next(context, &mut own, deadline)? else {
            return Ok(ExitStatus::TimedOut);
        };
        let text = text(context, &shown)?;
        fetching::print(context, &mut own.front, &shown, &text)?;
        // An acknowledgement counts after the lease too, and twice does no harm.
        while let Err(failure) = fetching::acknowledge(&mut own.front, &shown) {
            recover(context, &mut own, failure)?;
        }
    }
}

/// The next messages; nothing when the deadline passes before any came.
fn next(
    context: &mut Context,
    own: &mut OwnFront,
    deadline: Option<Deadline>,
) -> Result<Option<Vec<Shown>>, Failure> {
    loop {
        let left = match deadline {
            None => ROUND,
            Some(deadline) => match deadline.remaining() {
                Some(left) => left.min(ROUND),
                None => return Ok(None),
            },
        };
        match fetching::fetch_once(&mut own.front, Wanted::default(), left) {
            Ok(fetched) if fetched.messages.is_empty() => {}
            Ok(fetched) => {
                let messages = fetched.messages;
                return Ok(Some(fetching::prepare(
                    context,
                    &mut own.front,
                    messages,
                    Lease::Taken,
                )));
            }
            Err(failure) => recover(context, own, failure)?,
        }
    }
}

/// Connects again after a lost connection; any other failure is final.
fn recover(context: &mut Context, own: &mut OwnFront, failure: Failure) -> Result<(), Failure> {
    if !failure.is_lost {
        return Err(failure);
    }
    let deadline = Deadline::after(AWAY);
    let (mut pause, longest) = PAUSES;
    loop {
        match own.reconnect(context) {
            Ok(()) => return Ok(()),
            Err(failure) if failure.status != ExitStatus::Unreachable => return Err(failure),
            Err(failure) if deadline.remaining().is_none() => return Err(failure),
            Err(_) => std::thread::sleep(pause),
        }
        pause = pause.saturating_mul(2).min(longest);
    }
}

fn text(context: &Context, shown: &[Shown]) -> Result<String, Failure> {
    if !context.screen.json {
        return Ok(fetching::people(context, shown));
    }
    shown
        .iter()
        .map(|shown| json::line(&fetching::message_json(shown)?))
        .collect()
}
