//! `fetch`: take the next messages on a lease, or only look at them.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::limits::{FETCH_DEFAULT, FETCH_MESSAGES};
use ipc_protocol::message::{Kind, Mail};
use ipc_protocol::name::{Name, Peer};
use ipc_protocol::request::{Fetch, Fetched};
use ipc_protocol::time::Timestamp;

use super::{awaited, talk};
use crate::caller::Caller;
use crate::error::Done;
use crate::limits::FETCH_TEXT_BYTES;
use crate::store::context::{Context, Effect, View};
use crate::store::names::{self, Holder};
use crate::store::offering::{self, Waiting};
use crate::store::{auto_checks, deliveries, mail};
use crate::wanted::Wanted;

/// What one look came to.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) fetched: Fetched,
    /// When something may be had that is leased now.
    pub(crate) again: Option<Timestamp>,
    /// Who was asked, has not answered, and is there.
    pub(crate) there: Vec<AgentId>,
}

/// What `request` asks for.
pub(crate) fn wanted(request: &Fetch, caller: &Caller, view: &View<'_>) -> Done<Wanted> {
    if let Some(id) = request.conversation {
        talk::entered(id, caller, view)?;
    }
    let sent_by = match &request.sent_by {
        None => None,
        Some(Peer::Agent(id)) => Some(*id),
        Some(Peer::Name(name)) => match names::holder(view, name)? {
            Holder::Agent(agent) | Holder::Alias { agent, .. } => Some(agent),
            Holder::Nobody => {
                let near = names::nearest(view.db, name)?;
                return Err(nobody(name, near.as_ref()).into());
            }
        },
    };
    Ok(Wanted::of(request, sent_by))
}

fn nobody(name: &Name, near: Option<&Name>) -> Refusal {
    let text = format!("nobody has the name `{name}`, so that nothing comes from it");
    let hint = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`ipc list` shows who is there; without a sender, mail of anybody comes".to_owned(),
    };
    Refusal::new(ErrorCode::UnknownRecipient, text).hint(hint)
}

/// Takes what is there, on a lease of 60 seconds. Waiting is the connection's business.
#[cfg(test)]
pub(crate) fn fetch(request: &Fetch, caller: &Caller, context: &mut Context<'_>) -> Done<Fetched> {
    let wanted = wanted(request, caller, context)?;
    take(request, &wanted, &[], caller, context).map(|taken| taken.fetched)
}

/// Takes what is there, on a lease of 60 seconds. `were_there` have been asked and have not answered
/// yet: those of them who have gone since will not.
pub(crate) fn take(
    request: &Fetch,
    wanted: &Wanted,
    were_there: &[AgentId],
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<Taken> {
    let (messages, chosen) = look(request, wanted, caller, context)?;
    // Whoever looks for some of the mail does not see what else waits.
    if wanted.takes_all() {
        auto_checks::settle(context.db, caller.agent())?;
    }
    let mut leased_until_ms = None;
    for delivery in chosen {
        leased_until_ms = Some(deliveries::lease(context, delivery)?);
    }
    let (waiting, mut again) = deliveries::waiting(context, caller.agent())?;
    if waiting == 0 {
        context.effects.push(Effect::Drained {
            agent: caller.agent(),
            until: again,
        });
    }
    if !wanted.takes_all() || wanted.pings {
        again = offering::lease_end(context, caller.agent(), wanted)?;
    }
    let silent = awaited::silent(wanted, were_there, caller, context)?;
    Ok(Taken {
        fetched: Fetched {
            messages,
            waiting,
            leased_until_ms,
            ended: silent.ended,
        },
        again,
        there: silent.there,
    })
}

/// Looks at what is there; nothing changes.
pub(crate) fn peek(request: &Fetch, caller: &Caller, view: &View<'_>) -> Done<Fetched> {
    let wanted = wanted(request, caller, view)?;
    let (messages, chosen) = look(request, &wanted, caller, view)?;
    let (all, _) = deliveries::waiting(view, caller.agent())?;
    let pings = messages.iter().filter(|mail| mail.kind == Kind::Ping);
    let shown = chosen.len().saturating_sub(pings.count());
    let shown = u64::try_from(shown).unwrap_or(u64::MAX);
    Ok(Fetched {
        messages,
        waiting: all.saturating_sub(shown),
        leased_until_ms: None,
        ended: None,
    })
}

fn look(
    request: &Fetch,
    wanted: &Wanted,
    caller: &Caller,
    view: &View<'_>,
) -> Done<(Vec<Mail>, Vec<i64>)> {
    let limit = request
        .limit
        .unwrap_or(FETCH_DEFAULT)
        .clamp(1, FETCH_MESSAGES);
    let most = usize::try_from(view.limits.preview_bytes).unwrap_or(usize::MAX);
    let mut room = FETCH_TEXT_BYTES;
    let (mut found, mut chosen) = (Vec::new(), Vec::new());
    for Waiting { delivery, message } in offering::offerable(view, caller.agent(), wanted, limit)? {
        let preview = mail::preview(view, message, caller.agent(), most)?;
        match room.checked_sub(preview.bytes) {
            Some(rest) => room = rest,
            None if found.is_empty() => room = 0,
            None => break,
        }
        found.push(preview.mail);
        chosen.push(delivery);
    }
    Ok((found, chosen))
}
