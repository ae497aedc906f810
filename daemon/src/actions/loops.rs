//! What ends a loop of agents that answer one another by themselves: hops for what is passed on, a
//! budget for answers of two, and of each member of a group.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::ConversationId;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::time::Timestamp;

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
    if let Some(group) = group_of_answer(mail, parent, caller, context)? {
        check_group_answers(group, caller, context)?;
        return Ok(parent.hops);
    }
    if !mail.passes_on {
        // A ping has one.
        if mail.kind != Kind::Ack {
            check_pair_answers(destinations, caller, context)?;
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
fn check_pair_answers(destinations: &[Destination], caller: &Caller, view: &View<'_>) -> Done<()> {
    let [
        Destination {
            agent: Some(other), ..
        },
    ] = destinations
    else {
        return Ok(());
    };
    let most = view.limits.pair_answers_per_10_minutes;
    let answers =
        messages::answers_between(view.db, caller.agent(), *other, counted_since(view), most)?;
    refuse_over(
        answers,
        most,
        "you two have answered each other too often in ten minutes",
    )
}

/// The group that an answer stays within; nothing for any other message.
///
/// A group talks among itself, so that its answers are not passed on to anybody: they add no hop,
/// however long the talk.
fn group_of_answer(
    mail: &Outgoing<'_>,
    parent: &Parent,
    caller: &Caller,
    view: &View<'_>,
) -> Done<Option<ConversationId>> {
    let Recipient::Conversation(id) = mail.to else {
        return Ok(None);
    };
    if mail.passes_on || parent.conversation != Some(*id) {
        return Ok(None);
    }
    Ok(match talk::entered(*id, caller, view)? {
        Sort::Direct => None,
        Sort::Group(_) => Some(*id),
    })
}

/// Counts what the caller answers in `group`. That stops agents that answer one another by
/// themselves; each has a budget of its own in each group, which nobody else can use up.
fn check_group_answers(group: ConversationId, caller: &Caller, view: &View<'_>) -> Done<()> {
    let most = view.limits.group_answers_per_10_minutes;
    let answers =
        messages::answers_within(view.db, caller.agent(), group, counted_since(view), most)?;
    refuse_over(
        answers,
        most,
        "you have answered in this group too often in ten minutes",
    )
}

/// The beginning of the time over which answers are counted now.
fn counted_since(view: &View<'_>) -> Timestamp {
    view.now.wall.plus_millis(-ANSWERS_MS)
}

fn refuse_over(answers: u32, most: u32, text: &'static str) -> Done<()> {
    if answers < most {
        return Ok(());
    }
    refuse(
        ErrorCode::LoopDetected,
        text,
        "stop answering; a new message (not a reply) is still possible if it matters",
    )
}
