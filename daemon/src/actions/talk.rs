//! Where a message is said: the conversation that it is part of, and what holds within a group.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::ConversationId;
use ipc_protocol::name::Recipient;

use super::outgoing::{ANSWERS_MS, Outgoing};
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::{Context, View};
use crate::store::conversations::{self, Sort};
use crate::store::deliveries::Destination;
use crate::store::messages;

/// What the conversation is, if the caller is in it. Whether there is one that it is not in is not
/// told.
pub(super) fn entered(id: ConversationId, caller: &Caller, view: &View<'_>) -> Done<Sort> {
    let sort = conversations::of_member(view.db, id, caller.agent())?;
    sort.ok_or_else(|| {
        Refusal::new(ErrorCode::NotFound, "you are in no such conversation")
            .hint("`ipc conversation list` shows those that you are in")
            .into()
    })
}

/// Everybody else who is in a conversation of the caller's.
pub(super) fn others(
    id: ConversationId,
    caller: &Caller,
    view: &View<'_>,
) -> Done<Vec<Destination>> {
    entered(id, caller, view)?;
    let members = conversations::members(view.db, id)?;
    let others: Vec<_> = members
        .into_iter()
        .filter(|(agent, _)| *agent != caller.agent())
        .map(|(agent, name)| Destination {
            agent: Some(agent),
            name,
            via_alias: None,
            left_out: None,
        })
        .collect();
    if others.is_empty() {
        return refuse(
            ErrorCode::UnknownRecipient,
            "nobody else is in this conversation any more",
            "`ipc conversation add` brings others into a group",
        );
    }
    Ok(others)
}

/// The conversation that a message for `to` is part of; between two agents it is made when there
/// is none.
pub(super) fn place(
    to: &Recipient,
    destinations: &[Destination],
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<Option<ConversationId>> {
    let other = match (to, destinations) {
        (Recipient::Conversation(id), _) => return Ok(Some(*id)),
        (Recipient::Name(_) | Recipient::Agent(_), [one]) => one.agent,
        (Recipient::Name(_) | Recipient::Agent(_) | Recipient::All, _) => None,
    };
    match other.filter(|other| *other != caller.agent()) {
        Some(other) => Ok(Some(conversations::direct(
            context.view.db,
            context.rng,
            caller.agent(),
            other,
        )?)),
        None => Ok(None),
    }
}

/// The hops of an answer that stays within its group; nothing for any other message.
///
/// A group talks among itself, so that its answers are not passed on to anybody: they add no hop,
/// however long the talk. What stops agents that answer one another by themselves is a budget, for
/// each of them and each group: nobody can use up another's.
pub(super) fn hops_within(
    mail: &Outgoing<'_>,
    caller: &Caller,
    view: &View<'_>,
) -> Done<Option<u32>> {
    let (Recipient::Conversation(id), Some(parent)) = (mail.to, mail.parent) else {
        return Ok(None);
    };
    if mail.passes_on || parent.conversation != Some(*id) {
        return Ok(None);
    }
    match entered(*id, caller, view)? {
        Sort::Direct => return Ok(None),
        Sort::Group(_) => {}
    }
    let most = view.limits.group_answers_per_10_minutes;
    let since = view.now.wall.plus_millis(-ANSWERS_MS);
    let answers = messages::answers_within(view.db, caller.agent(), *id, since, most)?;
    if answers >= most {
        return refuse(
            ErrorCode::LoopDetected,
            "you have answered in this group too often in ten minutes",
            "stop answering; a new message (not a reply) is still possible if it matters",
        );
    }
    Ok(Some(parent.hops))
}
