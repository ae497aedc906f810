//! `ipc check`: new mail, printed and then marked delivered.

use std::time::Duration;

use ipc_protocol::request::Fetched;
use serde_json::{Value, json};

use super::fetching::{self, Lease};
use super::wanted::Wanted;
use crate::args::{CheckArguments, WaitTime};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::json;
use crate::output::lines::Lines;
use crate::output::mail::Shown;

/// Prints what is new.
pub(crate) fn run(
    context: &mut Context,
    arguments: &CheckArguments,
) -> Result<ExitStatus, Failure> {
    context.screen.require_reader()?;
    let mut front = Front::open(context)?;
    let wanted = Wanted {
        limit: arguments.limit,
        peek: arguments.peek,
        ..Wanted::new(arguments.filter.clone(), arguments.wait.is_some())
    };
    let wait = arguments.wait.map_or(Duration::ZERO, WaitTime::duration);
    let mut fetched = fetching::fetch(context, &mut front, &wanted, wait)?;
    let lease = if arguments.peek {
        Lease::None
    } else {
        Lease::Taken
    };
    let messages = std::mem::take(&mut fetched.messages);
    let shown = fetching::prepare(context, &mut front, messages, lease);
    let text = text(context, &fetched, &shown)?;
    let owed = match lease {
        Lease::Taken => shown.as_slice(),
        Lease::None => &[],
    };
    fetching::hand_over(context, &mut front, owed, &text)?;
    Ok(
        match (shown.is_empty(), arguments.wait, arguments.exit_code) {
            (false, _, _) | (true, None, false) => ExitStatus::Done,
            (true, Some(_), _) => ExitStatus::TimedOut,
            (true, None, true) => ExitStatus::NothingToReport,
        },
    )
}

pub(super) fn text(
    context: &Context,
    fetched: &Fetched,
    shown: &[Shown],
) -> Result<String, Failure> {
    if context.screen.json {
        let messages = shown.iter().map(fetching::message_json);
        let messages = messages.collect::<Result<Vec<Value>, Failure>>()?;
        return json::line(&json!({
            "leased_until_ms": fetched.leased_until_ms,
            "messages": messages,
            "waiting": fetched.waiting,
        }));
    }
    let mut lines = Lines::default();
    lines.add_text(&fetching::people(context, shown));
    match (shown.is_empty(), fetched.waiting) {
        (true, _) => lines.add("no new mail"),
        (false, 0) => {}
        (false, n) => lines.add(format!("{n} more: `ipc check`")),
    }
    Ok(lines.into_text())
}
