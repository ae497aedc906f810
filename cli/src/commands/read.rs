//! `ipc read`: one message whole.

use std::path::Path;

use ipc_protocol::private;
use ipc_protocol::request::ReadPage;
use serde_json::json;

use super::large;
use crate::args::ReadArguments;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::lines::Lines;
use crate::output::mail::{self, Shown};
use crate::output::{json, safe, times};

/// Shows the message, or saves its text.
pub(crate) fn run(context: &mut Context, arguments: &ReadArguments) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let page = large::read_whole(context, &mut front, arguments.id, arguments.offset)?;
    match &arguments.save {
        Some(path) => save(context, &page, path)?,
        None => show(context, page)?,
    }
    Ok(ExitStatus::Done)
}

fn show(context: &Context, mut page: ReadPage) -> Result<(), Failure> {
    // All of it is here, from the offset on.
    page.message.truncated = page.offset > 0;
    if context.screen.json {
        return context.screen.show(&json::line(&page)?);
    }
    page.message.truncated = false;
    let origin = page.message.provenance.as_ref().map(mail::provenance);
    let shown = Shown {
        mail: page.message,
        saved_to: None,
    };
    let mut lines = Lines::default();
    lines.add_text(&mail::render(&shown, clock::now(), context.screen.style));
    if let Some(origin) = origin {
        lines.add(format!("verified by the daemon: {}", safe::line(&origin)));
    }
    context.screen.show(&lines.into_text())
}

fn save(context: &Context, page: &ReadPage, path: &Path) -> Result<(), Failure> {
    let path = std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    private::write_file(&path, page.message.text.as_bytes())?;
    let bytes = u64::try_from(page.message.text.len()).unwrap_or(u64::MAX);
    let shown = path.display().to_string();
    let value = json!({"bytes": bytes, "message_id": page.message.id, "saved_to": shown});
    context.screen.confirm(&value, || {
        format!("saved {} to {}\n", times::bytes(bytes), safe::line(&shown))
    })
}
