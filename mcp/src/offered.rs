//! Mail that is in a response on its way to the host: not seen yet, so not acknowledged yet.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ipc_protocol::id::MessageId;
use rmcp::model::RequestId;

/// What each call took out of the mailbox. Bounded by the calls that run at once.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<HashMap<RequestId, Vec<MessageId>>>);

impl Offered {
    /// The response to `call` will carry these messages. What an earlier call of the same id left
    /// comes back, to be returned: nobody will flush it any more.
    pub(crate) fn add(&self, call: RequestId, messages: Vec<MessageId>) -> Vec<MessageId> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.insert(call, messages).unwrap_or_default()
    }

    /// Whether `call` carries any.
    pub(crate) fn has(&self, call: &RequestId) -> bool {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.contains_key(call)
    }

    /// Takes out what `call` was to carry: it was flushed, or will never be.
    pub(crate) fn take(&self, call: &RequestId) -> Vec<MessageId> {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.remove(call).unwrap_or_default()
    }
}
