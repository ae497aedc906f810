//! What ends a loop of agents that answer one another by themselves: hops for what is passed on, a
//! budget for answers of two, and of each member of a group.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;

use super::outgoing::Outgoing;
use super::talk;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::asked;
use crate::store::context::{Context, View};
use crate::store::conversations::Sort;
use crate::store::deliveries::Destination;
use crate::store::messages::{self, Parent};

/// Answers are counted over this time, in milliseconds: ten minutes.
const ANSWERS_MS: i64 = 600_000;

/// How often the message has been passed on to a third agent, this time counted.
pub(super) fn hops(
    mail: &Outgoing<'_>,
    destinations: &[Destination],
    caller: &Caller,
    context: &Context<'_>,
) -> Done<u32> {
    let Some(parent) = mail.parent else {
        return Ok(0);
    };
    if let Some(hops) = hops_within(mail, caller, context)? {
        return Ok(hops);
    }
    if !mail.passes_on {
        // A ping has one.
        if mail.kind != Kind::Ack {
            check_answers(destinations, caller, context)?;
        }
        if stays(parent, destinations, caller, context)? {
            return Ok(parent.hops);
        }
    }
    let hops = parent.hops.saturating_add(1);
    if hops > context.limits.hops {
        return refuse(
            ErrorCode::LoopDetected,
            "this message has been passed on too often",
            "stop passing it on; if it still matters, write a new message",
        );
    }
    Ok(hops)
}

/// Whether an answer to `parent` stays among those who have the parent: back to its sender, or one's
/// own message taken further with those whom it went to.
fn stays(
    parent: &Parent,
    destinations: &[Destination],
    caller: &Caller,
    view: &View<'_>,
) -> Done<bool> {
    let own = parent.sender == Some(caller.agent());
    for to in destinations {
        let Some(agent) = to.agent else {
            return Ok(false);
        };
        let back = parent.sender == Some(agent);
        let had_it = own && asked::state(view.db, parent.seq, agent)?.is_some();
        if !back && !had_it {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Counts what two agents answer each other, whatever it answers and whoever wrote that; what goes
/// to several has a rate of its own.
fn check_answers(destinations: &[Destination], caller: &Caller, context: &Context<'_>) -> Done<()> {
    let [
        Destination {
            agent: Some(other), ..
        },
    ] = destinations
    else {
        return Ok(());
    };
    let most = context.limits.pair_answers_per_10_minutes;
    let since = context.now.wall.plus_millis(-ANSWERS_MS);
    let answers = messages::answers_between(context.db, caller.agent(), *other, since, most)?;
    if answers >= most {
        return refuse(
            ErrorCode::LoopDetected,
            "you two have answered each other too often in ten minutes",
            "stop answering; a new message (not a reply) is still possible if it matters",
        );
    }
    Ok(())
}

/// The hops of an answer that stays within its group; nothing for any other message.
///
/// A group talks among itself, so that its answers are not passed on to anybody: they add no hop,
/// however long the talk. What stops agents that answer one another by themselves is a budget, for
/// each of them and each group: nobody can use up another's.
fn hops_within(mail: &Outgoing<'_>, caller: &Caller, view: &View<'_>) -> Done<Option<u32>> {
    let (Recipient::Conversation(id), Some(parent)) = (mail.to, mail.parent) else {
        return Ok(None);
    };
    if mail.passes_on || parent.conversation != Some(*id) {
        return Ok(None);
    }
    match talk::entered(*id, caller, view)? {
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
