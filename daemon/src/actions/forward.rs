//! `forward`: pass a message on, whole, by default the last one received.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Forward, Sent};

use super::once::once;
use super::outgoing::Outgoing;
use super::parent;
use super::storing;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::Context;
use crate::store::messages::{self, Seq};

/// Stores a copy of the message for somebody else, one hop further.
pub(crate) fn forward(request: &Forward, caller: &Caller, context: &mut Context<'_>) -> Done<Sent> {
    let key = request.idempotency_key.as_ref();
    once(request, key, caller, context, |context| {
        store(request, caller, context)
    })
}

fn store(request: &Forward, caller: &Caller, context: &mut Context<'_>) -> Done<(Sent, Seq)> {
    let parent = parent::chosen(context, caller, request.message_id)?;
    if parent.kind == Kind::System {
        return refuse(
            ErrorCode::Forbidden,
            "notices of the daemon are not passed on",
            "say in your own words what it reports",
        );
    }
    let (text, data) = messages::body(context.db, parent.seq)?;
    let mail = Outgoing {
        to: &request.to,
        kind: if request.to == Recipient::All {
            Kind::Broadcast
        } else {
            Kind::Message
        },
        text: &text,
        data: data.as_ref(),
        parent: Some(&parent),
        passes_on: true,
        interim: false,
        known_only: false,
    };
    storing::store(&mail, caller, context)
}
