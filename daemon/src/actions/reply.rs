//! `reply`: answer a message, by default the last one received.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Reply, Sent};

use super::once::once;
use super::outgoing::{self, Outgoing};
use super::parent;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::Context;
use crate::store::messages::Seq;

/// Stores an answer for the sender of the message that it answers.
pub(crate) fn reply(request: &Reply, caller: &Caller, context: &mut Context<'_>) -> Done<Sent> {
    let key = request.idempotency_key.as_ref();
    once(request, key, caller, context, |context| {
        store(request, caller, context)
    })
}

fn store(request: &Reply, caller: &Caller, context: &mut Context<'_>) -> Done<(Sent, Seq)> {
    let parent = parent::chosen(context, caller, request.message_id)?;
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
    outgoing::store(&mail, caller, context)
}
