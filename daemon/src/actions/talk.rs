//! Where a message is said: the conversation that it is part of, and who else is in it.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::ConversationId;
use ipc_protocol::name::Recipient;

use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::{Context, View};
use crate::store::conversations::{self, Sort};
use crate::store::deliveries::{Destination, Handling};

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
        .map(|(agent, name)| Destination::new(Some(agent), name))
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
pub(super) fn conversation_of(
    to: &Recipient,
    destinations: &[Destination],
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<Option<ConversationId>> {
    let other = match (to, destinations) {
        (Recipient::Conversation(id), _) => return Ok(Some(*id)),
        // What is held has its conversation when it is let in.
        (Recipient::Name(_) | Recipient::Agent(_), [one]) if one.handling != Handling::Held => {
            one.agent
        }
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
