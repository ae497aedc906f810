//! What is asked of the mailbox, whichever command asks.

use ipc_protocol::id::MessageId;
use ipc_protocol::message::Kind;
use ipc_protocol::request::Fetch;

use crate::args::FilterArguments;

/// How `fetch` is asked, but for the wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// At most so many.
    pub(crate) limit: Option<u32>,
    /// Only look.
    pub(crate) peek: bool,
    /// Only answers to this message.
    pub(crate) answers_to: Option<MessageId>,
    /// Only of this agent, only of this kind.
    pub(crate) filter: FilterArguments,
    /// And pings, which are answered here and not shown.
    pub(crate) pings: bool,
}

impl Wanted {
    /// What `filter` lets through; who waits for it answers pings meanwhile.
    pub(crate) fn new(filter: FilterArguments, waits: bool) -> Self {
        Self {
            pings: waits && filter.kind != Some(Kind::Ping),
            filter,
            ..Self::default()
        }
    }

    /// The request that waits for at most `wait_ms` milliseconds, for pings too or not.
    pub(super) fn request(&self, wait_ms: u32, pings: bool) -> Fetch {
        Fetch {
            limit: self.limit,
            wait_ms,
            peek: self.peek,
            answers_to: self.answers_to,
            sent_by: self.filter.from.clone(),
            conversation: self.filter.conversation,
            kind: self.filter.kind,
            pings,
        }
    }
}
