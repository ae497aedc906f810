//! Whether there is room for one more message in the mailboxes that it goes to.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::EndReason;
use ipc_protocol::name::{Name, Recipient};

use crate::error::{Done, refuse};
use crate::store::boundaries as held;
use crate::store::context::{Context, View};
use crate::store::deliveries::{self, Destination, Handling};

/// Whether there is room for one more message everywhere. Without it nobody gets anything, but in a
/// conversation, which one member that reads nothing must not silence: there the others get it.
pub(super) fn check_room(
    to: &Recipient,
    destinations: &mut [Destination],
    sender: AgentId,
    context: &Context<'_>,
) -> Done<()> {
    let is_talk = matches!(to, Recipient::Conversation(_));
    for to in &mut *destinations {
        if has_room(to, sender, context)? {
            check_unclaimed(to, sender, context)?;
        } else if is_talk {
            to.left_out = Some(EndReason::MailboxFull);
        } else {
            return Err(full(&to.name).into());
        }
    }
    match destinations.first() {
        Some(first) if destinations.iter().all(|to| to.left_out.is_some()) => {
            Err(full(&first.name).into())
        }
        Some(_) | None => Ok(()),
    }
}

fn full(name: &Name) -> Refusal {
    let text = format!("the mailbox of `{name}` has no room for more from you");
    let hint = "wait until its owner has read some; nothing was stored";
    Refusal::new(ErrorCode::MailboxFull, text).hint(hint)
}

fn has_room(to: &Destination, sender: AgentId, view: &View<'_>) -> Done<bool> {
    let (all, own) = match to.agent {
        Some(agent) if to.handling == Handling::Held => held::waiting(view.db, agent, sender)?,
        Some(agent) => deliveries::waiting_for(view.db, agent, sender)?,
        None => deliveries::waiting_for_name(view.db, &to.name, sender)?,
    };
    Ok(all < view.limits.mailbox_unread && own < view.limits.mailbox_unread_per_sender)
}

/// Mail of one sender waits for so many names that nobody has, and for no more.
fn check_unclaimed(to: &Destination, sender: AgentId, view: &View<'_>) -> Done<()> {
    if to.agent.is_some() {
        return Ok(());
    }
    let others = deliveries::other_unclaimed_names(view.db, &to.name, sender)?;
    if others < view.limits.unclaimed_names_per_sender {
        return Ok(());
    }
    refuse(
        ErrorCode::MailboxFull,
        "your mail waits for too many names that nobody has",
        "`ipc list` shows who is there; wait until one of those names is claimed",
    )
}
