//! `boundaries`: whose mail the caller's agent takes; and the one place where that is enforced.
//!
//! Rules are for agents, not for names: a blocked agent stays blocked under another name, and
//! whoever has its old one is not. The daemon's own notices pass every boundary. The rules of all
//! this, and why: [`docs/decisions/0025`].
//!
//! [`docs/decisions/0025`]: ../../../docs/decisions/0025-boundaries.md

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::{BoundaryRule, EndReason};
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{Boundaries, BoundariesReport};

use super::destinations::nobody_here;
use super::outgoing::Outgoing;
use super::sender;
use crate::audit::event::Event;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::limits::RULES_PER_AGENT;
use crate::store::boundaries;
use crate::store::context::{Context, Effect, View};
use crate::store::deliveries::{Destination, Handling};
use crate::store::names::{self, Holder};

/// Does what the request says, and tells how it stands then.
pub(crate) fn boundaries(
    request: &Boundaries,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<BoundariesReport> {
    let owner = caller.agent();
    sender::of(context, owner)?;
    let (mut released, mut refused) = (0, 0);
    if let Some((peer, rule)) = chosen(request)? {
        let peer = known(peer, context)?;
        check(owner, peer, rule, context)?;
        boundaries::set(context, owner, peer, rule)?;
        context.effects.push(Effect::Audited(Event::BoundarySet {
            agent: owner,
            peer,
            rule,
        }));
        match rule {
            BoundaryRule::Allow => {
                released = boundaries::release(context, owner, Some(peer), true)?;
            }
            BoundaryRule::Mute => {
                released = boundaries::release(context, owner, Some(peer), false)?;
            }
            BoundaryRule::Block => {
                refused = boundaries::end_held(context, owner, Some(peer), EndReason::Blocked)?;
            }
            BoundaryRule::None => {}
        }
    }
    if let Some(on) = request.allow_only {
        boundaries::allow_only(context, owner, on)?;
        context
            .effects
            .push(Effect::Audited(Event::AllowOnlySet { agent: owner, on }));
        if !on {
            // Nothing is held where nobody holds.
            let rest = boundaries::release(context, owner, None, true)?;
            released = released.saturating_add(rest);
        }
    }
    let mut report = report(owner, context)?;
    (report.released, report.refused) = (released, refused);
    Ok(report)
}

/// How it stands; nothing changes.
pub(crate) fn look(
    request: &Boundaries,
    caller: &Caller,
    view: &View<'_>,
) -> Done<BoundariesReport> {
    sender::of(view, caller.agent())?;
    chosen(request)?;
    report(caller.agent(), view)
}

fn report(owner: AgentId, view: &View<'_>) -> Done<BoundariesReport> {
    Ok(BoundariesReport {
        allow_only: boundaries::allows_only(view.db, owner)?,
        rules: boundaries::rules(view.db, owner)?,
        held: boundaries::held(view.db, owner)?,
        released: 0,
        refused: 0,
    })
}

/// The agent and the rule that the request is about, if any.
fn chosen(request: &Boundaries) -> Done<Option<(&Recipient, BoundaryRule)>> {
    match (&request.peer, request.rule) {
        (None, None) => Ok(None),
        (Some(peer), Some(rule)) => Ok(Some((peer, rule))),
        (Some(_), None) | (None, Some(_)) => refuse(
            ErrorCode::Malformed,
            "`peer` and `rule` go together",
            "for example: `ipc block NAME`",
        ),
    }
}

/// The agent that is meant: a rule is for somebody, never for a name that anybody may have later.
fn known(peer: &Recipient, view: &View<'_>) -> Done<AgentId> {
    let found = match peer {
        Recipient::Name(name) => match names::holder(view, name)? {
            Holder::Agent(agent) | Holder::Alias { agent, .. } => Some(agent),
            Holder::Nobody => None,
        },
        Recipient::Agent(agent) => names::current(view.db, *agent)?.map(|_| *agent),
        Recipient::All | Recipient::Conversation(_) => {
            return refuse(
                ErrorCode::Malformed,
                "a rule is for one agent",
                "`ipc allow --only on` holds mail of everybody who is not allowed",
            );
        }
    };
    found.ok_or_else(|| {
        let refusal = Refusal::new(ErrorCode::UnknownRecipient, "no such agent");
        refusal
            .hint("`ipc list` and `ipc boundaries` show agents, by name and by id")
            .into()
    })
}

fn check(owner: AgentId, peer: AgentId, rule: BoundaryRule, view: &View<'_>) -> Done<()> {
    if owner == peer {
        return refuse(
            ErrorCode::Conflict,
            "this is you",
            "a rule is for another agent",
        );
    }
    let is_new = boundaries::rule(view.db, owner, peer)? == BoundaryRule::None;
    let adds = is_new && rule != BoundaryRule::None;
    if adds && boundaries::number(view.db, owner)? >= RULES_PER_AGENT {
        return refuse(
            ErrorCode::TooLarge,
            "this agent has as many rules as one may have",
            "`ipc boundaries` lists them; `--remove` takes one back",
        );
    }
    Ok(())
}

/// What the recipients of `mail` from `sender` have said of it: those who block the sender are left
/// out, those who do not know it have it held, those who muted it are not rung for. When nobody is
/// left, the sender is told: that it is blocked, or of a broadcast what is told when nobody is there.
pub(crate) fn admit(
    mail: &Outgoing<'_>,
    destinations: Vec<Destination>,
    sender: AgentId,
    view: &View<'_>,
) -> Done<Vec<Destination>> {
    let answered = mail.parent.filter(|_| !mail.passes_on);
    let answered = answered.and_then(|parent| parent.sender);
    let mut blocked: Option<Name> = None;
    let mut admitted = Vec::with_capacity(destinations.len());
    for mut to in destinations {
        let owner = to.agent.filter(|owner| *owner != sender);
        let handling = owner.map_or(Ok(Some(Handling::Rings)), |owner| {
            handling(owner, sender, answered == Some(owner), view)
        })?;
        if let Some(handling) = handling {
            to.handling = handling;
            admitted.push(to);
        } else {
            blocked.get_or_insert(to.name);
        }
    }
    match blocked {
        Some(_) if admitted.is_empty() && *mail.to == Recipient::All => Err(nobody_here().into()),
        Some(name) if admitted.is_empty() => {
            let text = format!("`{name}` takes no mail from you");
            let hint = "only its owner can change that; nothing was stored";
            Err(Refusal::new(ErrorCode::Blocked, text).hint(hint).into())
        }
        Some(_) | None => Ok(admitted),
    }
}

/// How a message of `sender` comes to `owner`; nothing if it does not. An answer to a message of
/// the owner's own is no first contact, and wakes whoever waits for it.
fn handling(
    owner: AgentId,
    sender: AgentId,
    answers_owner: bool,
    view: &View<'_>,
) -> rusqlite::Result<Option<Handling>> {
    let is_stranger = || boundaries::allows_only(view.db, owner);
    Ok(match boundaries::rule(view.db, owner, sender)? {
        BoundaryRule::Block => None,
        BoundaryRule::Mute if !answers_owner => Some(Handling::Quiet),
        BoundaryRule::None if !answers_owner && is_stranger()? => Some(Handling::Held),
        BoundaryRule::Mute | BoundaryRule::Allow | BoundaryRule::None => Some(Handling::Rings),
    })
}

/// Whether `by` may bring `owner`, called `name`, into a group: whose mail would be refused or held
/// may not, since a group is another way to it.
pub(super) fn check_invitation(
    owner: AgentId,
    name: &Name,
    by: AgentId,
    view: &View<'_>,
) -> Done<()> {
    if owner == by {
        return Ok(());
    }
    match handling(owner, by, false, view)? {
        Some(Handling::Rings | Handling::Quiet) => Ok(()),
        Some(Handling::Held) | None => {
            let text = format!("`{name}` cannot be brought into a group by you");
            let hint = "only its owner can change that; nothing was changed";
            Err(Refusal::new(ErrorCode::Blocked, text).hint(hint).into())
        }
    }
}

/// Keeps the boundaries of `owner`, who is about to get the mail that waits for `name`.
pub(crate) fn apply_to_waiting(context: &mut Context<'_>, name: &Name, owner: AgentId) -> Done<()> {
    for sender in boundaries::senders_to(context.db, name)? {
        match handling(owner, sender, false, context)? {
            Some(Handling::Rings | Handling::Quiet) => {}
            Some(Handling::Held) => boundaries::hold(context.db, name, owner, sender)?,
            None => {
                boundaries::end_unclaimed(context, name, sender, EndReason::Blocked)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
