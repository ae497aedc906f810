//! `ipc auto-check run`: checks every few minutes, for agents whose host tells them nothing.
//!
//! Between two checks it holds a request that the daemon answers when the agent is told in another
//! way: so `ipc auto-check stop` ends it at once. It outlives restarts of the daemon, and says
//! once that it is away and once that it is back.

use std::time::Duration;

use ipc_protocol::id::MessageId;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{AutoCheck, AutoCheckAction, Notice};
use rand::RngExt;

use super::check;
use super::fetching::{self, Lease};
use super::mail_notices;
use super::outage::{Backoff, is_outage};
use super::wanted::Wanted;
use crate::args::{LoopArguments, WaitTime};
use crate::clock::Deadline;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::OwnFront;
use crate::output::mail::Shown;
use crate::stop::{Cause, Stop};

/// How often, where nobody said: often enough for a colleague, seldom enough for a model.
const EVERY: Duration = Duration::from_mins(5);

/// Shortest pause between two checks: what is shorter is for tests, and a second is quick enough.
const SHORTEST: Duration = Duration::from_millis(100);

/// Checks until it is told to end.
pub(crate) fn run(context: &mut Context, arguments: &LoopArguments) -> Result<ExitStatus, Failure> {
    context.screen.require_reader()?;
    let stop = Stop::on(&[Cause::Signal])?;
    let own = OwnFront::open(context)?;
    let mut round = Round {
        own,
        stop,
        every: arguments.every.map(WaitTime::duration),
        owed: Vec::new(),
    };
    let (mut backoff, mut is_away) = (Backoff::default(), false);
    loop {
        match round.turn(context) {
            Ok(Next::Again) => {
                backoff = Backoff::default();
                if std::mem::take(&mut is_away) {
                    context.screen.note("the daemon is back");
                }
            }
            Ok(Next::Stopped) => {
                context
                    .screen
                    .note("auto-check is stopped; `ipc auto-check start` lets it run again");
                return Ok(ExitStatus::Done);
            }
            Err(_) if round.stop.is_over() => return Ok(ExitStatus::Done),
            Err(failure) if is_outage(&failure) || failure.is_stale_credential() => {
                // A session that is over is replaced without a word.
                if is_outage(&failure) && !std::mem::replace(&mut is_away, true) {
                    let text = format!("{}; trying again until it is back", failure.message);
                    context.screen.note(&text);
                }
                if !round.reconnect(context, &mut backoff)? {
                    return Ok(ExitStatus::Done);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
}

/// What comes after one turn.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Another one.
    Again,
    /// Nothing: somebody stopped it.
    Stopped,
}

struct Round {
    own: OwnFront,
    stop: Stop,
    /// How often, where the command line says so.
    every: Option<Duration>,
    /// What was printed and is not acknowledged yet.
    owed: Vec<Shown>,
}

impl Round {
    /// Takes and prints what has come, then waits until the next turn.
    fn turn(&mut self, context: &mut Context) -> Result<Next, Failure> {
        // An acknowledgement counts after the lease too, and twice does no harm.
        fetching::acknowledge(&mut self.own.front, &self.owed)?;
        self.owed.clear();
        let status = AutoCheck {
            action: AutoCheckAction::Status,
            minutes: None,
        };
        let status = self.own.front.call(&status)?;
        if status.mode == AutoCheckMode::Off {
            return Ok(Next::Stopped);
        }
        self.take(context)?;
        let chosen = status.minutes.map(|m| Duration::from_mins(u64::from(m)));
        let every = self.every.or(chosen).unwrap_or(EVERY).max(SHORTEST);
        // Many that were started together do not come together for ever.
        let pause = every.mul_f64(context.random.random_range(0.9..1.1));
        self.rest(Deadline::after(pause), status.mode)
    }

    /// Takes what is there, all of it, and prints it.
    fn take(&mut self, context: &mut Context) -> Result<(), Failure> {
        loop {
            let front = &mut self.own.front;
            let mut fetched = fetching::fetch_once(front, &Wanted::default(), Duration::ZERO)?;
            if fetched.messages.is_empty() {
                return Ok(());
            }
            let messages = std::mem::take(&mut fetched.messages);
            let shown = fetching::prepare(context, front, messages, Lease::Taken);
            let text = check::text(context, &fetched, &shown)?;
            fetching::print(context, front, &shown, &text)?;
            self.owed = shown;
            fetching::acknowledge(front, &self.owed)?;
            self.owed.clear();
            if fetched.waiting == 0 {
                return Ok(());
            }
        }
    }

    /// Waits until `deadline`, or until the agent is told in another way than `mode`.
    fn rest(&mut self, deadline: Deadline, mode: AutoCheckMode) -> Result<Next, Failure> {
        // Mail that comes meanwhile ends the request, and not the rest.
        let mut newer_than: Option<MessageId> = None;
        while let Some(left) = deadline.remaining() {
            let request = Notice {
                newer_than,
                known_mode: Some(mode),
                ..Notice::default()
            };
            let report = mail_notices::wait_as(&mut self.own.front, &self.stop, request, left)?;
            if report.mode != mode {
                // The next turn looks what it is now.
                return Ok(Next::Again);
            }
            newer_than = report.newest;
        }
        Ok(Next::Again)
    }

    /// Tries until the daemon takes us again; says whether it goes on.
    fn reconnect(&mut self, context: &mut Context, backoff: &mut Backoff) -> Result<bool, Failure> {
        loop {
            if backoff.pause(&self.stop, Duration::MAX) {
                return Ok(false);
            }
            match self.own.reconnect(context) {
                Ok(()) => return Ok(true),
                Err(failure) if is_outage(&failure) => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}
