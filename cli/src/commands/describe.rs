//! `ipc set-status` and `ipc set-summary`: what the agent says of itself.

use ipc_protocol::profile::{Capabilities, InvalidProfile, StatusText, SummaryText};
use ipc_protocol::request::{Describe, Described};

use crate::args::{ProfileArguments, SetStatusArguments, SetSummaryArguments};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::table;
use crate::place;

/// Says how the agent is.
pub(crate) fn set_status(
    context: &mut Context,
    arguments: &SetStatusArguments,
) -> Result<ExitStatus, Failure> {
    let status = arguments.text.join(" ").parse().map_err(no_text)?;
    say(
        context,
        &Describe {
            status: Some(status),
            ..Describe::default()
        },
    )
}

/// Says what the agent works on.
pub(crate) fn set_summary(
    context: &mut Context,
    arguments: &SetSummaryArguments,
) -> Result<ExitStatus, Failure> {
    let summary = if arguments.auto {
        let here = context.project();
        let here = here.ok_or_else(|| Failure::local("the working directory is gone"))?;
        place::summary(&here)
    } else {
        arguments.text.join(" ").parse().map_err(no_text)?
    };
    say(
        context,
        &Describe {
            summary: Some(summary),
            ..Describe::default()
        },
    )
}

/// What a registration with these arguments says.
pub(crate) fn with_name(arguments: &ProfileArguments) -> Result<Describe, Failure> {
    let words = arguments.capabilities.clone();
    let capabilities = Capabilities::try_from(words).map_err(no_text)?;
    Ok(Describe {
        summary: arguments.summary.clone(),
        capabilities: Some(capabilities).filter(|words| !words.is_empty()),
        ..Describe::default()
    })
}

fn no_text(error: InvalidProfile) -> Failure {
    Failure::usage(error.to_string())
}

fn say(context: &mut Context, describe: &Describe) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let described = front.call_again(context, describe)?;
    context.screen.confirm(&described, || people(&described))?;
    Ok(ExitStatus::Done)
}

fn people(described: &Described) -> String {
    let text = |text: Option<&str>| text.unwrap_or("–").to_owned();
    let mut rows = vec![
        ("name", described.name.to_string()),
        (
            "status",
            text(described.status.as_ref().map(StatusText::as_str)),
        ),
        (
            "summary",
            text(described.summary.as_ref().map(SummaryText::as_str)),
        ),
    ];
    if !described.capabilities.is_empty() {
        rows.push(("can", described.capabilities.join(", ")));
    }
    table::facts(&rows)
}
