//! `ipc watch --exec`: a program for each message, one at a time and in order.
//!
//! What always holds: a message is delivered only once its program has ended with status 0, and is
//! given back otherwise; one that fails again and again ends the watch, so that nothing behind it
//! overtakes it and nothing spins; a program that is not there is refused before any mail is taken.

mod program;

use std::ffi::OsString;
use std::time::Duration;

use ipc_protocol::id::MessageId;
use ipc_protocol::message::Mail;
use ipc_protocol::request::Nack;

use super::fetching;
use super::large;
use super::mail_stream::MailStream;
use super::wanted::Wanted;
use crate::args::{WaitTime, WatchArguments};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::json;
use crate::output::mail::Shown;
use crate::stop::{Cause, Stop};
use program::{Outcome, Program};

/// First and longest pause before a message that failed is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));

/// Runs the program of `words` for each message, until a signal, the time of `--wait` or a program that
/// keeps failing ends it.
pub(super) fn run(
    context: &mut Context,
    words: &[OsString],
    arguments: &WatchArguments,
) -> Result<ExitStatus, Failure> {
    let program = Program::find(words, &context.environment)?;
    let stop = Stop::on(&[Cause::Signal])?;
    // One at a time: whatever waits its turn is not leased meanwhile.
    let wanted = Wanted {
        limit: Some(1),
        ..Wanted::new(arguments.filter.clone(), true)
    };
    let mut work = Work {
        program,
        mail: MailStream::open(context, stop, wanted)?,
        attempts: arguments.attempts,
        failed: None,
    };
    match work.stream(context, arguments.wait.map(WaitTime::duration)) {
        Err(_) if work.mail.stop.is_over() => Ok(ExitStatus::Done),
        other => other,
    }
}

struct Work {
    program: Program,
    mail: MailStream,
    /// How often a message may fail in a row.
    attempts: u32,
    failed: Option<Failing>,
}

/// A message that its program did not take.
struct Failing {
    id: MessageId,
    times: u32,
    pause: Duration,
}

impl Work {
    fn stream(
        &mut self,
        context: &mut Context,
        patience: Option<Duration>,
    ) -> Result<ExitStatus, Failure> {
        loop {
            let Some(messages) = self.mail.next(context, patience)? else {
                return Ok(ExitStatus::TimedOut);
            };
            for mail in messages {
                self.hand_over(context, mail)?;
            }
        }
    }

    /// Runs the program for `mail`, and says to the daemon how that ended.
    fn hand_over(&mut self, context: &mut Context, mail: Mail) -> Result<(), Failure> {
        let id = mail.id;
        let mail = match self.whole(context, mail) {
            Ok(mail) => mail,
            Err(failure) => {
                self.mail.recover(context, failure)?;
                return self.give_back(context, id);
            }
        };
        let shown = Shown {
            mail,
            saved_to: None,
        };
        match self.run(context, &shown)? {
            Outcome::Done => {
                self.failed = None;
                let shown = [shown];
                self.mail
                    .settle(context, |front| fetching::acknowledge(front, &shown))
            }
            Outcome::Failed(why) => {
                self.give_back(context, id)?;
                self.fail(context, id, &why)
            }
            Outcome::Stopped => self.give_back(context, id),
        }
    }

    /// Runs the program with the message on its standard input.
    fn run(&self, context: &Context, shown: &Shown) -> Result<Outcome, Failure> {
        let input = if context.screen.json {
            json::line(&fetching::message_json(shown)?)?
        } else {
            match &shown.mail.event {
                Some(event) => event.sentence(),
                None => shown.mail.text.clone(),
            }
        };
        let name = &self.mail.own.front.name;
        let ran = self
            .program
            .run(context, name, &shown.mail, &input, &self.mail.stop);
        // What this side could not do is no more the message's fault than the program's.
        ran.or_else(|failure| Ok(Outcome::Failed(failure.message)))
    }

    /// The message with all of its text and data.
    fn whole(&mut self, context: &mut Context, mail: Mail) -> Result<Mail, Failure> {
        let is_whole = !(mail.truncated || mail.data_omitted && context.screen.json);
        if is_whole {
            return Ok(mail);
        }
        let whole = large::read_whole(context, &mut self.mail.own.front, mail.id, 0)?.message;
        Ok(Mail {
            text: whole.text,
            data: whole.data,
            truncated: false,
            data_omitted: whole.data_omitted,
            ..mail
        })
    }

    fn give_back(&mut self, context: &mut Context, id: MessageId) -> Result<(), Failure> {
        let request = Nack {
            message_ids: vec![id],
        };
        let tell = |front: &mut Front| front.call(&request).map(|_| ());
        self.mail.settle(context, tell)
    }

    /// Counts a failure of `id`: waits before the next attempt, or ends it all.
    fn fail(&mut self, context: &Context, id: MessageId, why: &str) -> Result<(), Failure> {
        let before = self.failed.take().filter(|failing| failing.id == id);
        let (times, pause) = before.map_or((0, PAUSES.0), |failing| {
            (failing.times, failing.pause.saturating_mul(2).min(PAUSES.1))
        });
        let times = times.saturating_add(1);
        let what = format!("{} did not take {id}: {why}", self.program);
        if times >= self.attempts {
            let what = format!("{what}; given up after attempt {times}");
            return Err(Failure::local(what)
                .hint("mend the program; the mail stays new, with all that came after it"));
        }
        context
            .screen
            .note(&format!("warning: {what}; it comes again"));
        self.failed = Some(Failing { id, times, pause });
        self.mail.stop.pause(pause);
        Ok(())
    }
}
