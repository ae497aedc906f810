//! `ipc history`: past mail, sent and received.

use ipc_protocol::message::DeliveryState;
use ipc_protocol::moment::Moment;
use ipc_protocol::request::{Direction, History, HistoryEntry, HistoryPage};
use ipc_protocol::time::Timestamp;

use super::receipts;
use crate::args::HistoryArguments;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::lines::Lines;
use crate::output::mail::{self, Shown};
use crate::output::style::Style;

/// Recipients of one message that its head names.
const NAMED: usize = 3;

/// Shows a page.
pub(crate) fn run(
    context: &mut Context,
    arguments: &HistoryArguments,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    show(context, &mut front, arguments)
}

/// Shows a page of the agent that `front` acts for.
pub(super) fn show(
    context: &mut Context,
    front: &mut Front,
    arguments: &HistoryArguments,
) -> Result<ExitStatus, Failure> {
    let request = request(arguments, clock::now());
    let page = front.call_again(context, &request)?;
    context.screen.result(&page, || {
        let (now, style) = (clock::now(), context.screen.style);
        people(&page, arguments, now, style)
    })?;
    Ok(ExitStatus::Done)
}

fn request(arguments: &HistoryArguments, now: Timestamp) -> History {
    let (before, after) = (arguments.before, arguments.after);
    History {
        with: arguments.with.clone(),
        conversation: arguments.conversation,
        search: arguments.search.clone(),
        kind: arguments.kind,
        before: before.and_then(Moment::message),
        after: after.and_then(Moment::message),
        before_ms: before.and_then(|point| point.time(now)),
        after_ms: after.and_then(|point| point.time(now)),
        limit: arguments.limit,
    }
}

fn people(
    page: &HistoryPage,
    arguments: &HistoryArguments,
    now: Timestamp,
    style: Style,
) -> String {
    let mut lines = Lines::default();
    for entry in &page.entries {
        let shown = Shown {
            mail: entry.message.clone(),
            saved_to: None,
        };
        let below = below(entry, arguments.receipts, now);
        lines.add_text(&mail::render_past(&shown, &who(entry), &below, now, style));
    }
    if page.entries.is_empty() {
        lines.add("no past mail of this kind");
    }
    if let Some(before) = page.next_before {
        lines.add(format!("older: the same with --before {before}"));
    }
    match page.waiting {
        0 => {}
        1 => lines.add("1 new message is not in it: `ipc check`"),
        n => lines.add(format!("{n} new messages are not in it: `ipc check`")),
    }
    lines.into_text()
}

/// Who wrote, and of one's own messages to whom. No agent can be called `you`-with-an-arrow: names
/// have neither blanks nor signs.
fn who(entry: &HistoryEntry) -> String {
    match (entry.direction, &entry.message.from) {
        (Direction::Received, Some(sender)) => sender.name.to_string(),
        (Direction::Received, None) => "system".to_owned(),
        (Direction::Sent, _) => format!("you → {}", recipients(entry)),
    }
}

fn recipients(entry: &HistoryEntry) -> String {
    let names = entry.deliveries.iter().map(|delivery| delivery.to.as_str());
    let names: Vec<_> = names.take(NAMED).collect();
    match entry.deliveries.len().saturating_sub(names.len()) {
        _ if names.is_empty() => "nobody".to_owned(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// How the message stands, where that is not plain from its being here.
fn below(entry: &HistoryEntry, with_receipts: bool, now: Timestamp) -> Vec<String> {
    let all = entry.deliveries.len();
    let is = |wanted: DeliveryState| entry.deliveries.iter().filter(move |d| d.state == wanted);
    match (entry.direction, entry.deliveries.as_slice()) {
        (Direction::Received, _) if is(DeliveryState::Answered).count() > 0 => {
            vec!["(answered)".to_owned()]
        }
        (Direction::Received, _) => Vec::new(),
        (Direction::Sent, deliveries) if with_receipts => deliveries
            .iter()
            .map(|delivery| {
                let evidence = receipts::evidence(delivery, now);
                let state = delivery.state.as_str();
                let facts = if evidence.is_empty() {
                    state
                } else {
                    &evidence
                };
                format!("({}: {facts})", delivery.to)
            })
            .collect(),
        (Direction::Sent, [one]) => vec![format!("({})", one.state.as_str())],
        (Direction::Sent, _) => {
            let reached = is(DeliveryState::Delivered).count();
            let reached = reached.saturating_add(is(DeliveryState::Answered).count());
            vec![format!("(delivered to {reached} of {all})")]
        }
    }
}
