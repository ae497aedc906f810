//! Mail on its way to a front-end: what never got there is given back, not kept until its lease
//! ends.
//!
//! Whoever waits may hang up at the moment in which mail comes for it. The lease is held by a value
//! that travels with the reply; wherever that is dropped (an ended connection, a write that failed,
//! a caller that has gone), the mail is free again.

use ipc_protocol::id::{AgentId, MessageId};

use crate::actions::ack;
use crate::store::writer::WeakWriter;

/// Messages that were leased for a reply which has not been taken yet.
#[derive(Debug)]
pub(crate) struct Lease {
    agent: AgentId,
    message_ids: Vec<MessageId>,
    writer: WeakWriter,
}

impl Lease {
    /// The lease on these messages of `agent`.
    pub(crate) fn on(agent: AgentId, message_ids: Vec<MessageId>, writer: &WeakWriter) -> Self {
        Self {
            agent,
            message_ids,
            writer: writer.clone(),
        }
    }

    /// The messages are with the front-end: it acknowledges them, or their lease ends.
    pub(crate) fn keep(mut self) {
        self.message_ids.clear();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (agent, message_ids) = (self.agent, std::mem::take(&mut self.message_ids));
        if !message_ids.is_empty() {
            // If this does not get through, the lease ends by itself.
            self.writer
                .try_submit(move |context| ack::give_back(&message_ids, agent, context));
        }
    }
}

/// What a reply is made of, and the mail in it.
#[derive(Debug)]
pub(crate) struct Leased<T> {
    pub(crate) reply: T,
    pub(crate) lease: Lease,
}
