//! `ipc admin freeze`, `thaw`, `readers`: to stop an agent, and to see whom it has reached.

use ipc_protocol::message::DeliveryState;
use ipc_protocol::moment::Moment;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{
    AdminFreeze, AdminReaders, AdminThaw, FrozenReport, Reader, ReadersPage,
};
use ipc_protocol::time::Timestamp;

use crate::args::{FreezeArguments, ReadersArguments, ThawArguments};
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::enrol::prove_secret;
use crate::output::lines::Lines;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Freezes an agent or everybody; without either, shows who is frozen.
pub(crate) fn freeze(
    context: &mut Context,
    arguments: FreezeArguments,
) -> Result<ExitStatus, Failure> {
    let agent = arguments
        .agent
        .or_else(|| arguments.all.then_some(Recipient::All));
    let asks = agent.is_none();
    let report = prove_secret(context)?.call(&AdminFreeze { agent })?;
    let said = || {
        let mut lines = Lines::default();
        match (asks, report.changed) {
            (true, _) => {}
            (false, true) => lines.add("frozen: everything but `whoami` and `status` is refused"),
            (false, false) => lines.add("nothing changed: that was frozen already"),
        }
        lines.add_text(&frozen(&report, clock::now(), context.screen.style));
        lines.into_text()
    };
    show(context, &report, asks, said)
}

/// Lets an agent or everybody go on.
pub(crate) fn thaw(context: &mut Context, arguments: ThawArguments) -> Result<ExitStatus, Failure> {
    let agent = arguments.agent.unwrap_or(Recipient::All);
    let report = prove_secret(context)?.call(&AdminThaw { agent })?;
    let said = || {
        let mut lines = Lines::default();
        lines.add(if report.changed {
            "thawed"
        } else {
            "nothing changed: that was not frozen"
        });
        lines.add_text(&frozen(&report, clock::now(), context.screen.style));
        lines.into_text()
    };
    show(context, &report, false, said)
}

fn show(
    context: &Context,
    report: &FrozenReport,
    asks: bool,
    said: impl FnOnce() -> String,
) -> Result<ExitStatus, Failure> {
    if asks {
        context.screen.result(report, said)?;
    } else {
        context.screen.confirm(report, said)?;
    }
    Ok(ExitStatus::Done)
}

fn frozen(report: &FrozenReport, now: Timestamp, style: Style) -> String {
    let mut lines = Lines::default();
    if report.everybody {
        lines.add("everybody is frozen, and nobody comes in: `ipc admin thaw --all`");
    }
    if report.agents.is_empty() {
        lines.add("no agent is frozen by name");
        return lines.into_text();
    }
    let mut table = Table::new(["frozen", "since", "id"]);
    for row in &report.agents {
        let (name, since) = (row.name.to_string(), times::relative(row.since_ms, now));
        table.push([name, since, row.agent_id.to_string()]);
    }
    lines.add_text(&table.render(style));
    lines.into_text()
}

/// Shows who read what an agent wrote.
pub(crate) fn readers(
    context: &mut Context,
    arguments: ReadersArguments,
) -> Result<ExitStatus, Failure> {
    let now = clock::now();
    let request = AdminReaders {
        sent_by: arguments.agent,
        since_ms: since(arguments.since, now)?,
        before: arguments.before,
        limit: arguments.limit,
    };
    let page = prove_secret(context)?.call(&request)?;
    let style = context.screen.style;
    context.screen.result(&page, || people(&page, now, style))?;
    Ok(ExitStatus::Done)
}

/// The time that `point` names; a message's id names none here.
pub(super) fn since(point: Option<Moment>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    match point {
        None => Ok(None),
        Some(point) => point.time(now).map(Some).ok_or_else(|| {
            Failure::usage("this takes a time, not a message")
                .hint("for example --since 2h, or --since 2026-11-21T09:30:00Z")
        }),
    }
}

fn people(page: &ReadersPage, now: Timestamp, style: Style) -> String {
    let mut lines = Lines::default();
    let name = page
        .name
        .as_ref()
        .map_or("an agent that has ended", |name| name.as_str());
    lines.add(format!("written by {name} ({})", page.agent_id));
    if page.messages.is_empty() {
        lines.add("nothing that is kept");
        return lines.into_text();
    }
    let mut table = Table::new(["message", "sent", "kind", "to", "state", "read", "by", "id"]);
    for message in &page.messages {
        for reader in &message.recipients {
            table.push([
                message.message_id.to_string(),
                times::relative(message.sent_ms, now),
                message.kind.as_str().to_owned(),
                reader.to.to_string(),
                reader.state.as_str().to_owned(),
                read_at(reader, now),
                reader.handover.map_or("", |by| by.as_str()).to_owned(),
                reader
                    .agent_id
                    .map_or_else(String::new, |id| id.to_string()),
            ]);
        }
    }
    lines.add_text(&table.render(style));
    if let Some(before) = page.next_before {
        lines.add(format!("older: the same with --before {before}"));
    }
    lines.into_text()
}

/// When it was read, as far as the daemon knows: handed out is as good as read.
fn read_at(reader: &Reader, now: Timestamp) -> String {
    let when = |at: Option<Timestamp>| at.map(|at| times::relative(at, now)).unwrap_or_default();
    match reader.state {
        DeliveryState::Stored => "no".to_owned(),
        DeliveryState::Offered => format!("handed out {}", when(reader.offered_ms)),
        DeliveryState::Delivered | DeliveryState::Answered => when(reader.delivered_ms),
        DeliveryState::Expired | DeliveryState::Refused if reader.offers == 0 => "never".to_owned(),
        DeliveryState::Expired | DeliveryState::Refused => {
            format!("handed out {}", when(reader.offered_ms))
        }
    }
}
