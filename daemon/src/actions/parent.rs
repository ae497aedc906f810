//! The message that a reply answers or a forward passes on.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::MessageId;

use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::View;
use crate::store::messages::{self, Parent};

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
