//! Whom a message is for: from what was typed to agents, or to a name that nobody has yet.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::name::{Name, Recipient};

use super::outgoing::Outgoing;
use super::{list, talk};
use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::store::context::Context;
use crate::store::deliveries::Destination;
use crate::store::names::{self, Holder};

/// Everybody to whom `mail` goes, before anybody's boundaries are asked.
pub(super) fn destinations(
    mail: &Outgoing<'_>,
    caller: &Caller,
    context: &Context<'_>,
) -> Done<Vec<Destination>> {
    match mail.to {
        Recipient::All => everybody(caller, context),
        Recipient::Conversation(id) => talk::others(*id, caller, context),
        Recipient::Name(name) => Ok(vec![by_name(mail, name, context)?]),
        Recipient::Agent(id) => match names::current(context.db, *id)? {
            Some(name) => Ok(vec![Destination::new(Some(*id), name)]),
            None => refuse(
                ErrorCode::UnknownRecipient,
                "no agent has this id",
                "`ipc list` shows who is there",
            ),
        },
    }
}

fn by_name(mail: &Outgoing<'_>, name: &Name, context: &Context<'_>) -> Done<Destination> {
    let current = |id: AgentId| -> Done<Name> {
        Ok(names::current(context.db, id)?.ok_or(Fault::Inconsistent("an agent, no name"))?)
    };
    match names::holder(context, name)? {
        Holder::Agent(id) => Ok(Destination::new(Some(id), current(id)?)),
        Holder::Alias { agent, .. } => Ok(Destination {
            via_alias: Some(name.clone()),
            ..Destination::new(Some(agent), current(agent)?)
        }),
        Holder::Nobody if mail.known_only => {
            let hint = match names::nearest(context.db, name)? {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`ipc list` shows who is there".to_owned(),
            };
            let text = format!("nobody has the name `{name}`");
            Err(Refusal::new(ErrorCode::UnknownRecipient, text)
                .hint(hint)
                .into())
        }
        Holder::Nobody => Ok(Destination::new(None, name.clone())),
    }
}

fn everybody(caller: &Caller, context: &Context<'_>) -> Done<Vec<Destination>> {
    let others = list::recent(context, Some(caller.agent()))?;
    let most = context.limits.broadcast_recipients;
    if others.is_empty() {
        return Err(nobody_here().into());
    }
    if u32::try_from(others.len()).map_or(true, |number| number > most) {
        let text = format!("a broadcast reaches at most {most} agents, and more are here");
        let hint = "send to those whom it concerns; nobody was sent anything";
        return Err(Refusal::new(ErrorCode::TooLarge, text).hint(hint).into());
    }
    let to = |(agent, name)| Destination::new(Some(agent), name);
    Ok(others.into_iter().map(to).collect())
}

/// What is told when a broadcast would reach nobody.
pub(super) fn nobody_here() -> Refusal {
    let text = "nobody else has been here in the last 24 hours";
    Refusal::new(ErrorCode::UnknownRecipient, text).hint("`ipc list` shows who is there")
}
