//! What an action came to, as the payload of a reply, and the mail that travels in it.

use std::future::Future;
use std::pin::Pin;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::limits::FRAME_AFTER_AUTH;
use ipc_protocol::rpc::{self, CallId};
use serde::Serialize;

use crate::daemon::Daemon;
use crate::error::Done;
use crate::lease::Lease;

/// A reply, and the mail in it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) payload: Vec<u8>,
    /// Given back if the reply is not taken.
    pub(crate) lease: Option<Lease>,
}

/// A reply, when it is there.
pub(crate) type ReplyFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl Reply {
    /// A reply without mail.
    pub(crate) const fn plain(payload: Vec<u8>) -> Self {
        Self {
            payload,
            lease: None,
        }
    }
}

/// The payload of the reply to call `id`.
pub(crate) fn encode<T: Serialize>(id: CallId, outcome: Done<T>, daemon: &Daemon) -> Vec<u8> {
    let outcome = outcome.map_err(|error| error.told(&daemon.shared.counters));
    let payload = rpc::encode_reply(Some(id), &outcome).unwrap_or_default();
    let fits = u32::try_from(payload.len()).is_ok_and(|bytes| bytes <= FRAME_AFTER_AUTH);
    if fits {
        payload
    } else {
        rpc::encode_reply::<()>(Some(id), &Err(oversized())).unwrap_or_default()
    }
}

fn oversized() -> Refusal {
    Refusal::new(
        ErrorCode::TooLarge,
        "the reply is larger than a frame of 2 MiB",
    )
    .hint("ask for less at a time, with `limit`")
}
