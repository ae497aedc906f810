//! `ipc watch --notices`: one sentence whenever mail waits that the agent has not been told of.
//!
//! Takes nothing and prints no word of a message. Made to be left running beside an agent: it
//! waits in silence for the agent to be registered, outlives restarts of the daemon however long
//! they take (it starts none: without one no mail comes), and ends when nobody reads any more.

use std::time::Duration;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{NoticeReport, ReadsWith};
use serde::Serialize;

use super::mail_notices;
use super::outage::{Backoff, REQUEST_WAIT, is_outage};
use crate::args::WatchArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::OwnFront;
use crate::output::json;
use crate::stop::{Cause, Stop};

/// How often it is looked whether the agent has been registered.
const APPEARANCE: Duration = Duration::from_secs(2);

/// How long until a credential that was refused is tried again: wrong proofs are counted.
const REFUSED: Duration = Duration::from_mins(1);

/// Streams notices until nobody reads them, or another front-end takes the agent over.
pub(crate) fn run(
    context: &mut Context,
    arguments: &WatchArguments,
) -> Result<ExitStatus, Failure> {
    let causes: &[Cause] = match arguments.queue_codex {
        Some(_) => &[],
        None => &[Cause::OutputCloses],
    };
    let stop = Stop::on(causes)?;
    loop {
        let Some(own) = appear(context, &stop)? else {
            return Ok(ExitStatus::Done);
        };
        if stream(context, own, arguments, &stop)? == Ended::Stopped {
            return Ok(ExitStatus::Done);
        }
    }
}

/// Why a stream ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// Nobody reads it.
    Stopped,
    /// The agent is no longer registered here.
    AgentGone,
}

/// Waits until there is an agent and a daemon; nothing when it is over before.
fn appear(context: &mut Context, stop: &Stop) -> Result<Option<OwnFront>, Failure> {
    let mut backoff = Backoff::default();
    loop {
        let is_over = match OwnFront::open_running(context) {
            Ok(own) => return Ok(Some(own)),
            Err(failure) if failure.status == ExitStatus::Usage => stop.pause(APPEARANCE),
            Err(failure) if failure.is_stale_credential() => stop.pause(REFUSED),
            Err(failure) if is_outage(&failure) => backoff.pause(stop, Duration::MAX),
            Err(failure) => return Err(failure),
        };
        if is_over {
            return Ok(None);
        }
    }
}

fn stream(
    context: &mut Context,
    mut own: OwnFront,
    arguments: &WatchArguments,
    stop: &Stop,
) -> Result<Ended, Failure> {
    let mut backoff = Backoff::default();
    loop {
        let failure = match mail_notices::wait(&mut own.front, stop, REQUEST_WAIT) {
            Ok(report) => {
                backoff = Backoff::default();
                if report.is_due && tell(context, &report, arguments).is_err() {
                    return Ok(Ended::Stopped);
                }
                continue;
            }
            Err(failure) => failure,
        };
        if stop.is_over() {
            return Ok(Ended::Stopped);
        }
        if failure.code == Some(ErrorCode::TakenOver) {
            return Err(failure);
        }
        loop {
            if backoff.pause(stop, Duration::MAX) {
                return Ok(Ended::Stopped);
            }
            match own.reconnect(context) {
                Ok(()) => break,
                Err(failure) if is_outage(&failure) => {}
                Err(failure) if failure.code == Some(ErrorCode::TakenOver) => return Err(failure),
                Err(_) => return Ok(Ended::AgentGone),
            }
        }
    }
}

/// Says it where it was asked for; an error is that nobody reads it.
fn tell(
    context: &Context,
    report: &NoticeReport,
    arguments: &WatchArguments,
) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(flatten)]
        report: &'a NoticeReport,
        sentence: &'a str,
    }
    let with = if arguments.cli {
        ReadsWith::CommandLine
    } else {
        ReadsWith::Tool
    };
    let sentence = &report.sentence(with);
    if let Some(thread) = &arguments.queue_codex {
        if let Err(why) = ipc_mcp::queue(thread, sentence) {
            context.screen.note(&format!("warning: {why}"));
        }
        return Ok(());
    }
    if context.screen.json {
        return context
            .screen
            .show(&json::line(&Line { report, sentence })?);
    }
    context.screen.show(&format!("{sentence}\n"))
}
