//! What kinds of message hang together: what answers what, and whose it is to answer.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::message::{DeliveryState, Kind};

use super::outgoing::Outgoing;
use crate::caller::Caller;
use crate::error::Done;
use crate::store::asked;
use crate::store::context::View;
use crate::store::deliveries::Destination;
use crate::store::messages::Parent;

/// Refuses an answer of a kind that answers no such message, or one that was not sent to `caller`.
pub(super) fn check(
    mail: &Outgoing<'_>,
    destinations: &[Destination],
    caller: &Caller,
    view: &View<'_>,
) -> Done<()> {
    let Some(answers) = answers(mail.kind) else {
        return Ok(());
    };
    let Some(parent) = mail.parent.filter(|_| !mail.passes_on) else {
        return Err(unlinked(mail.kind, answers).into());
    };
    let state = asked::state(view.db, parent.seq, caller.agent())?;
    if !answers.contains(&parent.kind) || state.is_none() || parent.sender == Some(caller.agent()) {
        return Err(wrong(mail.kind, answers).into());
    }
    if mail.kind == Kind::Response {
        return Ok(());
    }
    if !goes_back(parent, destinations) {
        let text = format!(
            "`{}` goes to whoever sent what it answers",
            mail.kind.as_str()
        );
        let hint = "`ipc reply ID` finds the recipient by itself";
        return Err(Refusal::new(ErrorCode::Conflict, text).hint(hint).into());
    }
    let is_open = matches!(
        state,
        Some(DeliveryState::Stored | DeliveryState::Offered | DeliveryState::Delivered)
    );
    // An ack counts for no pair's budget, so that a ping may be answered once only.
    if mail.kind == Kind::Ack && (mail.interim || !is_open) {
        let text = "a ping has one final answer, and this one has had it or is over";
        let hint = "a ping is answered once; send a message if there is more to say";
        return Err(Refusal::new(ErrorCode::Conflict, text).hint(hint).into());
    }
    Ok(())
}

/// What a message of `kind` answers; nothing where it need not answer anything.
const fn answers(kind: Kind) -> Option<&'static [Kind]> {
    match kind {
        Kind::Response => Some(&[
            Kind::Request,
            Kind::Message,
            Kind::TaskProposal,
            Kind::Broadcast,
        ]),
        Kind::Ack => Some(&[Kind::Ping]),
        Kind::TaskAccept => Some(&[Kind::TaskProposal]),
        Kind::Message
        | Kind::Request
        | Kind::Ping
        | Kind::TaskProposal
        | Kind::Broadcast
        | Kind::System => None,
    }
}

fn goes_back(parent: &Parent, destinations: &[Destination]) -> bool {
    let back = |to: &Destination| to.agent.is_some() && to.agent == parent.sender;
    destinations.iter().any(back)
}

fn words(answers: &[Kind]) -> String {
    let words: Vec<_> = answers.iter().map(|kind| kind.as_str()).collect();
    words.join(" or ")
}

fn unlinked(kind: Kind, answers: &[Kind]) -> Refusal {
    let text = format!(
        "`{}` names the {} that it answers",
        kind.as_str(),
        words(answers)
    );
    Refusal::new(ErrorCode::Malformed, text)
        .hint("give its id as `reply_to` (`--reply-to ID`); ids are shown with every message")
}

fn wrong(kind: Kind, answers: &[Kind]) -> Refusal {
    let text = format!(
        "`{}` answers a {} that was sent to you, and this is none",
        kind.as_str(),
        words(answers)
    );
    Refusal::new(ErrorCode::Conflict, text).hint("answer with a plain message: `ipc reply ID TEXT`")
}
