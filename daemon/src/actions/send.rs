//! `send`: store one message for one recipient, or for all.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Send, Sent};

use super::once::once;
use super::outgoing::Outgoing;
use super::parent;
use super::storing;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::Context;
use crate::store::messages::Seq;

/// Stores a message.
pub(crate) fn send(request: &Send, caller: &Caller, context: &mut Context<'_>) -> Done<Sent> {
    let key = request.idempotency_key.as_ref();
    once(request, key, caller, context, |context| {
        store(request, caller, context)
    })
}

fn store(request: &Send, caller: &Caller, context: &mut Context<'_>) -> Done<(Sent, Seq)> {
    if !request.kind.is_for_agents() {
        return refuse(
            ErrorCode::Malformed,
            "agents do not send messages of this kind",
            "send to `all` to reach everybody; only the daemon sends system notices",
        );
    }
    let parent = match request.reply_to {
        None => None,
        Some(id) => Some(parent::visible(context, caller, id)?),
    };
    let broadcast = request.to == Recipient::All;
    let mail = Outgoing {
        to: &request.to,
        kind: if broadcast {
            Kind::Broadcast
        } else {
            request.kind
        },
        text: &request.text,
        data: request.data.as_ref(),
        parent: parent.as_ref(),
        passes_on: false,
        interim: false,
        // A ping asks who is there now.
        known_only: request.known_only || request.kind == Kind::Ping,
    };
    storing::store(&mail, caller, context)
}
