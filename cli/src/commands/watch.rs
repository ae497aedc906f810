//! `ipc watch`: messages as they arrive, taken as `check` takes them.
//!
//! It holds a session of its own, and outlives a restart of the daemon: it connects again, more
//! and more slowly, until the daemon has been away too long. It does not start one: somebody may
//! have stopped it on purpose.

use std::time::Duration;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Mail;

use super::fetching::{self, Lease};
use super::pings::Pings;
use super::wanted::Wanted;
use super::{watch_exec, watch_notices};
use crate::args::{WaitTime, WatchArguments};
use crate::clock::Deadline;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::{Front, OwnFront};
use crate::output::json;
use crate::output::mail::Shown;
use crate::stop::Stop;

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
    if arguments.notices {
        return watch_notices::run(context, arguments);
    }
    if let Some(words) = &arguments.exec {
        return watch_exec::run(context, words, arguments);
    }
    context.screen.require_reader()?;
    // A signal ends it as it ends any program: what is not acknowledged comes again.
    let stop = Stop::on(&[])?;
    let mut own = OwnFront::open(context)?;
    let wanted = Wanted::new(arguments.filter.clone(), true);
    let mut pings = Pings::default();
    let patience = arguments.wait.map(WaitTime::duration);
    loop {
        let deadline = patience.map(Deadline::after);
        let Some(messages) = next(context, &mut own, &stop, &wanted, &mut pings, deadline)? else {
            return Ok(ExitStatus::TimedOut);
        };
        let shown = fetching::prepare(context, &mut own.front, messages, Lease::Taken);
        let text = text(context, &shown)?;
        fetching::print(context, &mut own.front, &shown, &text)?;
        // An acknowledgement counts after the lease too, and twice does no harm.
        let mut absence = None;
        while let Err(failure) = fetching::acknowledge(&mut own.front, &shown) {
            recover(context, &mut own, &stop, &mut absence, failure)?;
        }
    }
}

/// The next messages; nothing when the deadline passes before any came.
pub(super) fn next(
    context: &mut Context,
    own: &mut OwnFront,
    stop: &Stop,
    wanted: &Wanted,
    pings: &mut Pings,
    deadline: Option<Deadline>,
) -> Result<Option<Vec<Mail>>, Failure> {
    let mut absence = None;
    loop {
        let left = match deadline {
            None => ROUND,
            Some(deadline) => match deadline.remaining() {
                Some(left) => left.min(ROUND),
                None => return Ok(None),
            },
        };
        let fetch = |front: &mut Front| fetching::fetch_once(front, wanted, left);
        let fetched = stop.while_waiting(&mut own.front, fetch);
        match fetched.map(|found| pings.answer(context, &mut own.front, wanted, found)) {
            Ok(fetched) if fetched.messages.is_empty() => absence = None,
            Ok(fetched) => return Ok(Some(fetched.messages)),
            Err(failure) => recover(context, own, stop, &mut absence, failure)?,
        }
    }
}

/// A time without a daemon that serves us. One that takes connections and refuses every request
/// is as good as away, so only an answer ends it.
#[derive(Debug)]
pub(super) struct Absence {
    until: Deadline,
    pause: Duration,
}

/// Connects again, if `failure` is one that passes, the daemon was not away for too long, and it
/// is not over.
pub(super) fn recover(
    context: &mut Context,
    own: &mut OwnFront,
    stop: &Stop,
    absence: &mut Option<Absence>,
    mut failure: Failure,
) -> Result<(), Failure> {
    let (first, longest) = PAUSES;
    let absence = absence.get_or_insert_with(|| Absence {
        until: Deadline::after(AWAY),
        pause: first,
    });
    while passes(&failure) && absence.until.remaining().is_some() {
        if stop.pause(absence.pause) {
            break;
        }
        absence.pause = absence.pause.saturating_mul(2).min(longest);
        match own.reconnect(context) {
            Ok(()) => return Ok(()),
            Err(again) => failure = again,
        }
    }
    Err(failure)
}

/// Whether it may be over by itself: the daemon is gone, stops, or has too much to do.
pub(super) fn passes(failure: &Failure) -> bool {
    failure.status == ExitStatus::Unreachable
        || matches!(
            failure.code,
            Some(ErrorCode::Unavailable | ErrorCode::Busy | ErrorCode::RateLimited)
        )
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

#[cfg(test)]
mod tests {
    use ipc_protocol::client::ClientError;
    use ipc_protocol::error::Refusal;

    use super::*;

    #[test]
    fn a_daemon_that_stops_is_waited_for_and_a_takeover_is_the_end() {
        let refused = |code| Failure::from(Refusal::new(code, "no"));
        assert!(passes(&refused(ErrorCode::Unavailable)));
        assert!(passes(&Failure::from(ClientError::Closed)));
        for code in [ErrorCode::TakenOver, ErrorCode::Unauthenticated] {
            assert!(!passes(&refused(code)), "{code:?}");
        }
    }
}
