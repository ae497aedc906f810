//! `ipc watch`: messages as they arrive, taken as `check` takes them.

use super::fetching::{self, Lease};
use super::mail_stream::MailStream;
use super::wanted::Wanted;
use super::{watch_exec, watch_notices};
use crate::args::{WaitTime, WatchArguments};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::json;
use crate::output::mail::Shown;
use crate::stop::Stop;

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
    let wanted = Wanted::new(arguments.filter.clone(), true);
    let mut mail = MailStream::open(context, stop, wanted)?;
    let patience = arguments.wait.map(WaitTime::duration);
    loop {
        let Some(messages) = mail.next(context, patience)? else {
            return Ok(ExitStatus::TimedOut);
        };
        let front = &mut mail.own.front;
        let shown = fetching::prepare(context, front, messages, Lease::Taken);
        let text = text(context, &shown)?;
        fetching::print(context, front, &shown, &text)?;
        mail.settle(context, |front| fetching::acknowledge(front, &shown))?;
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
