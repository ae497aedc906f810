//! `reply`: answer a message, by default the last one received.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::MessageId;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Reply, Sent};

use super::send::{self, Outgoing};
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::{Context, View};
use crate::store::messages::{self, Parent};

/// Stores an answer for the sender of the message that it answers.
pub(crate) fn reply(request: &Reply, caller: &Caller, context: &mut Context<'_>) -> Done<Sent> {
    let parent = chosen(context, caller, request.message_id)?;
    let Some(sender) = parent.sender.filter(|sender| *sender != caller.agent()) else {
        return refuse(
            ErrorCode::NotFound,
            "this message has no other agent to answer",
            "name another message: `ipc reply ID TEXT`",
        );
    };
    let mail = Outgoing {
        to: &Recipient::Agent(sender),
        kind: match parent.kind {
            Kind::Request | Kind::TaskProposal => Kind::Response,
            Kind::Message
            | Kind::Response
            | Kind::Ping
            | Kind::Ack
            | Kind::TaskAccept
            | Kind::Broadcast
            | Kind::System => Kind::Message,
        },
        text: &request.text,
        data: request.data.as_ref(),
        parent: Some(&parent),
        passes_on: false,
        key: request.idempotency_key.as_ref(),
        known_only: true,
    };
    send::store(&mail, caller, context)
}

/// The message that is meant: the one named, else the last one received.
pub(crate) fn chosen(view: &View<'_>, caller: &Caller, named: Option<MessageId>) -> Done<Parent> {
    match named {
        Some(id) => visible(view, caller, id),
        None => match messages::last_received(view, caller.agent())? {
            Some(parent) => Ok(parent),
            None => refuse(
                ErrorCode::NotFound,
                "you have received no message yet",
                "`ipc check` shows what waits",
            ),
        },
    }
}

/// The message `id`, which the caller sent or received.
pub(crate) fn visible(view: &View<'_>, caller: &Caller, id: MessageId) -> Done<Parent> {
    let parent = messages::visible(view, id, caller.agent())?;
    parent.ok_or_else(|| {
        Refusal::new(
            ErrorCode::NotFound,
            "you have neither sent nor received such a message",
        )
        .hint("`ipc receipts` lists what you sent; ids are shown with every message")
        .into()
    })
}
