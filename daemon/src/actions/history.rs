//! `history`: past mail, sent and received, a page at a time.

#[cfg(test)]
mod scan;
#[cfg(test)]
mod tests;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::{ConversationId, MessageId};
use ipc_protocol::limits::{FETCH_DEFAULT, FETCH_MESSAGES, HISTORY_PREVIEW_BYTES};
use ipc_protocol::name::Peer;
use ipc_protocol::request::{Direction, History, HistoryEntry, HistoryPage};

use super::{receipts, talk};
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::limits::{FETCH_TEXT_BYTES, HISTORY_READ_BYTES, RECEIPT_BYTES};
use crate::store::context::View;
use crate::store::history::{self, Filter, Found, With};
use crate::store::messages::Seq;
use crate::store::names::Holder;
use crate::store::{deliveries, mail, names, search};

/// Looks past mail up; changes nothing.
pub(crate) fn history(request: &History, caller: &Caller, view: &View<'_>) -> Done<HistoryPage> {
    let filter = filter(request, caller, view)?;
    let limit = request.limit.unwrap_or(FETCH_DEFAULT);
    let limit = usize::try_from(limit.clamp(1, FETCH_MESSAGES)).unwrap_or(usize::MAX);
    // One more than is shown says whether there is a next page.
    let found = history::find(view, &filter, limit.saturating_add(1))?;
    let mut entries = Vec::new();
    let (mut room, mut to_read) = (FETCH_TEXT_BYTES, HISTORY_READ_BYTES);
    for found in found.iter().take(limit) {
        if to_read == 0 {
            break;
        }
        let (entry, bytes) = entry(view, caller, *found)?;
        match room.checked_sub(bytes) {
            Some(rest) => room = rest,
            None if entries.is_empty() => room = 0,
            None => break,
        }
        to_read = to_read.saturating_sub(entry.message.bytes);
        entries.push(entry);
    }
    let last = entries.last().filter(|_| entries.len() < found.len());
    let next_before = last.map(|entry| entry.message.id);
    entries.reverse();
    if let (Some(id), true) = (request.conversation, entries.is_empty()) {
        check_conversation(id, caller, view)?;
    }
    let (waiting, _) = deliveries::waiting(view, caller.agent())?;
    Ok(HistoryPage {
        entries,
        next_before,
        waiting,
    })
}

/// Whoever never was in a conversation does not hear whether there is such a one. Who has left keeps
/// what was said before.
fn check_conversation(id: ConversationId, caller: &Caller, view: &View<'_>) -> Done<()> {
    let anything = History {
        conversation: Some(id),
        ..History::default()
    };
    let found = history::find(view, &filter(&anything, caller, view)?, 1)?;
    if found.is_empty() {
        talk::entered(id, caller, view)?;
    }
    Ok(())
}

fn filter(request: &History, caller: &Caller, view: &View<'_>) -> Done<Filter> {
    let position = |id: Option<MessageId>| id.map(|id| position(view, caller, id)).transpose();
    Ok(Filter {
        agent: caller.agent(),
        with: with(request.with.as_ref(), view)?,
        conversation: request.conversation,
        words: request.search.as_ref().map(search::expression),
        kind: request.kind,
        before: position(request.before)?,
        after: position(request.after)?,
        before_time: request.before_ms,
        after_time: request.after_ms,
    })
}

fn with(peer: Option<&Peer>, view: &View<'_>) -> Done<With> {
    Ok(match peer {
        None => With::Anybody,
        Some(Peer::Agent(agent)) => With::Agent(*agent),
        Some(Peer::Name(name)) => match names::holder(view, name)? {
            Holder::Agent(agent) | Holder::Alias { agent, .. } => With::Agent(agent),
            Holder::Nobody => With::Called(name.clone()),
        },
    })
}

/// Where message `id` stands, if the caller may know.
fn position(view: &View<'_>, caller: &Caller, id: MessageId) -> Done<Seq> {
    match crate::store::messages::visible(view, id, caller.agent())? {
        Some(message) => Ok(message.seq),
        None => refuse(
            ErrorCode::NotFound,
            "the message to begin or end at is none of yours, or is deleted",
            "name a time instead: `ipc history --before 2d`",
        ),
    }
}

/// An entry, and what it takes of a page, in bytes.
fn entry(view: &View<'_>, caller: &Caller, found: Found) -> Done<(HistoryEntry, usize)> {
    let most = usize::try_from(view.limits.preview_bytes).unwrap_or(usize::MAX);
    let preview = mail::preview(
        view,
        found.seq,
        caller.agent(),
        most.min(HISTORY_PREVIEW_BYTES),
    )?;
    let direction = found.direction();
    let of = match direction {
        Direction::Sent => None,
        Direction::Received => Some(caller.agent()),
    };
    let deliveries = receipts::deliveries(view, found.seq.0, of)?;
    let receipts = deliveries.len().saturating_mul(RECEIPT_BYTES);
    let entry = HistoryEntry {
        direction,
        message: preview.mail,
        deliveries,
    };
    Ok((entry, preview.bytes.saturating_add(receipts)))
}
