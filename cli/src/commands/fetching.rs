//! Taking mail: fetch, print, and only then acknowledge.
//!
//! Whatever stops this on the way (a closed pipe, a kill, a lost connection) leaves the mail in
//! the mailbox: given back at once where we still can, else when its lease ends.

use std::time::Duration;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::limits::WAIT_MS;
use ipc_protocol::message::{Handover, Mail, WaitEnd};
use ipc_protocol::request::{Ack, Fetched, Nack};
use serde::Serialize;
use serde_json::Value;

use super::large;
use super::outage::{Backoff, is_outage};
use super::pings::Pings;
use super::wanted::Wanted;
use crate::clock::{self, Deadline};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::json;
use crate::output::mail::{Shown, render};
use crate::stop::Stop;

/// Connections that one fetch may lose: a daemon that is killed costs one or two.
const REOPENINGS: u32 = 4;

/// Fetches what is there, or waits for something to come until `wait` is over. On another
/// connection if this one is lost or the daemon stops: what was leased over it is offered again.
///
/// A daemon that is gone without a word is started again, as by any command. One that said that it
/// stops was stopped by somebody, perhaps on purpose: the next one is waited for, not started.
pub(crate) fn fetch(
    context: &mut Context,
    front: &mut Front,
    wanted: &Wanted,
    wait: Duration,
) -> Result<Fetched, Failure> {
    let deadline = Deadline::after(wait);
    let mut reopenings = REOPENINGS;
    let mut pings = Pings::default();
    loop {
        let left = deadline.remaining().unwrap_or_default();
        let fetched = fetch_once(front, wanted, left);
        match fetched.map(|fetched| pings.answer(context, front, wanted, fetched)) {
            Ok(fetched) if !fetched.messages.is_empty() => return Ok(fetched),
            Ok(fetched) if fetched.ended == Some(WaitEnd::ShuttingDown) && !wait.is_zero() => {
                if !await_next(context, front, deadline)? {
                    return Ok(fetched);
                }
            }
            Ok(fetched) if fetched.ended.is_some() => return Ok(fetched),
            Ok(fetched) if deadline.remaining().is_none() => return Ok(fetched),
            Ok(_) => {}
            Err(failure) if failure.says_stop() && !wait.is_zero() => {
                if !await_next(context, front, deadline)? {
                    return nothing_more(wanted);
                }
            }
            Err(failure) if (failure.is_lost || failure.says_stop()) && reopenings > 0 => {
                reopenings = reopenings.saturating_sub(1);
                *front = front.reopen(context)?;
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// Waits for the daemon that follows one that said that it stops; says whether there is one.
fn await_next(
    context: &mut Context,
    front: &mut Front,
    deadline: Deadline,
) -> Result<bool, Failure> {
    let stop = Stop::on(&[])?;
    let mut backoff = Backoff::default();
    context
        .screen
        .note("the daemon stopped; waiting until it runs again");
    while let Some(left) = deadline.remaining() {
        backoff.pause(&stop, left);
        match front.reopen_running(context) {
            Err(failure) if is_outage(&failure) => {}
            other => {
                *front = other?;
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// What is fetched from a daemon that stopped when no other has come in its place.
fn nothing_more(wanted: &Wanted) -> Result<Fetched, Failure> {
    if wanted.answers_to.is_some() {
        return Ok(Fetched {
            messages: Vec::new(),
            waiting: 0,
            leased_until_ms: None,
            ended: Some(WaitEnd::ShuttingDown),
        });
    }
    let text = "the daemon stopped, and none runs in its place";
    Err(Failure::new(ExitStatus::Unreachable, text).hint("`ipc daemon start`"))
}

/// One request that waits for at most `left`, and at most as long as one request may.
pub(crate) fn fetch_once(
    front: &mut Front,
    wanted: &Wanted,
    left: Duration,
) -> Result<Fetched, Failure> {
    let wait_ms = u32::try_from(left.as_millis())
        .unwrap_or(WAIT_MS)
        .min(WAIT_MS);
    let mut call = |pings| {
        if wait_ms == 0 {
            return front.call(&wanted.request(wait_ms, pings));
        }
        front.call_waiting(
            &wanted.request(wait_ms, pings),
            Duration::from_millis(u64::from(wait_ms)),
        )
    };
    match call(wanted.pings) {
        // An older daemon, to which a ping is a message as any other.
        Err(failure) if wanted.pings && failure.code == Some(ErrorCode::Malformed) => call(false),
        other => other,
    }
}

/// Whether what is fetched was leased, and must be acknowledged or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lease {
    /// It was.
    Taken,
    /// It was only looked at.
    None,
}

/// Gives the whole of large messages a file. A file that cannot be written is said, and no reason
/// to keep the mail back: `ipc read` still has it.
pub(crate) fn prepare(
    context: &mut Context,
    front: &mut Front,
    messages: Vec<Mail>,
    lease: Lease,
) -> Vec<Shown> {
    let prepare = |mail: Mail| {
        let mut saved_to = None;
        if mail.truncated && lease == Lease::Taken {
            match large::save(context, front, &mail) {
                Ok(path) => saved_to = Some(path),
                Err(failure) => context.screen.note(&format!(
                    "warning: {} is not saved: {}",
                    mail.id, failure.message
                )),
            }
        }
        Shown { mail, saved_to }
    };
    messages.into_iter().map(prepare).collect()
}

/// The messages for people.
pub(crate) fn people(context: &Context, messages: &[Shown]) -> String {
    let now = clock::now();
    messages
        .iter()
        .map(|shown| render(shown, now, context.screen.style))
        .collect()
}

/// A message as JSON: as the protocol has it, and `saved_to`.
pub(crate) fn message_json(shown: &Shown) -> Result<Value, Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        mail: &'a Mail,
        #[serde(skip_serializing_if = "Option::is_none")]
        saved_to: Option<String>,
    }
    let saved_to = shown
        .saved_to
        .as_ref()
        .map(|path| path.display().to_string());
    json::with_times(&Line {
        mail: &shown.mail,
        saved_to,
    })
}

/// Writes `text`, then acknowledges the messages in it, once more if the connection is lost.
pub(crate) fn hand_over(
    context: &mut Context,
    front: &mut Front,
    messages: &[Shown],
    text: &str,
) -> Result<(), Failure> {
    print(context, front, messages, text)?;
    match acknowledge(front, messages) {
        Err(failure) if failure.is_lost => {
            *front = front.reopen(context)?;
            acknowledge(front, messages)
        }
        other => other,
    }
}

/// Writes `text`. If standard output does not take all of it, all messages in it are given back:
/// nobody knows how much was read at the other end of a pipe, and a message shown twice says that
/// it is (`redelivered`), while one lost says nothing.
pub(crate) fn print(
    context: &Context,
    front: &mut Front,
    messages: &[Shown],
    text: &str,
) -> Result<(), Failure> {
    let Err(failure) = context.screen.show(text) else {
        return Ok(());
    };
    if !messages.is_empty() {
        // The lease ends by itself if this does not get through.
        drop(front.call(&Nack {
            message_ids: ids(messages),
        }));
    }
    Err(failure.hint("the mail stays new: `ipc check`"))
}

/// Marks messages delivered.
pub(crate) fn acknowledge(front: &mut Front, messages: &[Shown]) -> Result<(), Failure> {
    if !messages.is_empty() {
        front.call(&Ack {
            message_ids: ids(messages),
            handover: Handover::Cli,
        })?;
    }
    Ok(())
}

fn ids(messages: &[Shown]) -> Vec<MessageId> {
    messages.iter().map(|shown| shown.mail.id).collect()
}
