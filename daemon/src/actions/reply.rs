//! `reply`: answer a message, by default the last one received.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Reply, Sent};

use super::once::once;
use super::outgoing::Outgoing;
use super::parent;
use super::storing;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::{Context, View};
use crate::store::conversations;
use crate::store::messages::{Parent, Seq};

/// Stores an answer where the message that it answers was said: in its group, else for its sender.
pub(crate) fn reply(request: &Reply, caller: &Caller, context: &mut Context<'_>) -> Done<Sent> {
    let key = request.idempotency_key.as_ref();
    once(request, key, caller, context, |context| {
        store(request, caller, context)
    })
}

fn store(request: &Reply, caller: &Caller, context: &mut Context<'_>) -> Done<(Sent, Seq)> {
    let parent = parent::chosen(context, caller, request.message_id)?;
    let to = match group(&parent, request, caller, context)? {
        Some(group) => group,
        None => Recipient::Agent(other(&parent, caller)?),
    };
    let mail = Outgoing {
        to: &to,
        kind: match parent.kind {
            Kind::Request | Kind::TaskProposal => Kind::Response,
            Kind::Ping => Kind::Ack,
            Kind::Message
            | Kind::Response
            | Kind::Ack
            | Kind::TaskAccept
            | Kind::Broadcast
            | Kind::System => Kind::Message,
        },
        text: &request.text,
        data: request.data.as_ref(),
        parent: Some(&parent),
        passes_on: false,
        interim: !request.is_final,
        known_only: true,
    };
    storing::store(&mail, caller, context)
}

/// The group that the answer belongs into: the one that the message was said in.
fn group(
    parent: &Parent,
    request: &Reply,
    caller: &Caller,
    view: &View<'_>,
) -> Done<Option<Recipient>> {
    let Some(id) = parent.conversation.filter(|_| !request.private) else {
        return Ok(None);
    };
    if !conversations::is_group(view.db, id)? {
        return Ok(None);
    }
    if conversations::of_member(view.db, id, caller.agent())?.is_none() {
        return refuse(
            ErrorCode::NotFound,
            "you are no longer in the group that this was said in",
            "`ipc reply --private ID TEXT` answers its sender alone",
        );
    }
    Ok(Some(Recipient::Conversation(id)))
}

/// The agent that sent the message, if it is another one.
fn other(parent: &Parent, caller: &Caller) -> Done<AgentId> {
    match parent.sender.filter(|sender| *sender != caller.agent()) {
        Some(sender) => Ok(sender),
        None => refuse(
            ErrorCode::NotFound,
            "this message has no other agent to answer",
            "name another message: `ipc reply ID TEXT`",
        ),
    }
}
