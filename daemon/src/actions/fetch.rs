//! `fetch`: take the next messages on a lease, or only look at them.

use ipc_protocol::limits::{FETCH_DEFAULT, FETCH_MESSAGES};
use ipc_protocol::message::Mail;
use ipc_protocol::request::{Fetch, Fetched};

use crate::caller::Caller;
use crate::error::Done;
use crate::limits::FETCH_TEXT_BYTES;
use crate::store::context::{Context, Effect, View};
use crate::store::{auto_checks, deliveries, mail};

/// Takes what is there, on a lease of 60 seconds. Waiting is the connection's business.
pub(crate) fn fetch(request: &Fetch, caller: &Caller, context: &mut Context<'_>) -> Done<Fetched> {
    let (found, chosen) = look(request, caller, context)?;
    // Whoever looks for one answer does not see what else waits.
    if request.answers_to.is_none() {
        auto_checks::settle(context.db, caller.agent())?;
    }
    let mut leased_until_ms = None;
    for delivery in chosen {
        leased_until_ms = Some(deliveries::lease(context, delivery)?);
    }
    let (waiting, until) = deliveries::waiting(context, caller.agent())?;
    if waiting == 0 {
        context.effects.push(Effect::Drained {
            agent: caller.agent(),
            until,
        });
    }
    Ok(Fetched {
        messages: found,
        waiting,
        leased_until_ms,
    })
}

/// Looks at what is there; nothing changes.
pub(crate) fn peek(request: &Fetch, caller: &Caller, view: &View<'_>) -> Done<Fetched> {
    let (messages, chosen) = look(request, caller, view)?;
    let (all, _) = deliveries::waiting(view, caller.agent())?;
    let shown = u64::try_from(chosen.len()).unwrap_or(u64::MAX);
    Ok(Fetched {
        messages,
        waiting: all.saturating_sub(shown),
        leased_until_ms: None,
    })
}

fn look(request: &Fetch, caller: &Caller, view: &View<'_>) -> Done<(Vec<Mail>, Vec<i64>)> {
    let limit = request
        .limit
        .unwrap_or(FETCH_DEFAULT)
        .clamp(1, FETCH_MESSAGES);
    let mut room = FETCH_TEXT_BYTES;
    let (mut found, mut chosen) = (Vec::new(), Vec::new());
    for next in deliveries::offerable(view, caller.agent(), request.answers_to, limit)? {
        let mail = mail::preview(view, next.message, caller.agent())?;
        let data = mail
            .data
            .as_ref()
            .and_then(|data| serde_json::to_string(data).ok());
        let bytes = mail
            .text
            .len()
            .saturating_add(data.map_or(0, |json| json.len()));
        match room.checked_sub(bytes) {
            Some(rest) => room = rest,
            None if found.is_empty() => room = 0,
            None => break,
        }
        found.push(mail);
        chosen.push(next.delivery);
    }
    Ok((found, chosen))
}
