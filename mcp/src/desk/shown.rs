//! What the model has seen last: what an answer without an id is to.

use std::sync::PoisonError;

use ipc_protocol::id::MessageId;

use super::Desk;
use crate::failure::Failure;
use crate::render::Letter;

/// What the model has seen last.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Shown {
    /// Nothing that an agent wrote.
    #[default]
    Nothing,
    /// This, and nothing by others beside it.
    Message(MessageId),
    /// Messages of several agents at once.
    Several,
}

impl Desk {
    /// What a tool has shown: the latest message of each sender counts, for an answer without an id.
    pub(crate) fn has_shown(&self, mails: &[Letter]) {
        let written = |letter: &Letter| {
            let from = letter.mail.from.as_ref()?;
            Some((from.agent_id, letter.mail.id))
        };
        let mut written = mails.iter().filter_map(written);
        let Some(first) = written.next() else {
            return;
        };
        let last = written.try_fold(first, |before, now| (before.0 == now.0).then_some(now));
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = match last {
            Some((_, message)) => Shown::Message(message),
            None => Shown::Several,
        };
    }

    /// The message that an answer without an id is to; nothing when this server has shown none.
    pub(crate) fn last_shown(&self) -> Result<Option<MessageId>, Failure> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match *shown {
            Shown::Nothing => Ok(None),
            Shown::Message(message) => Ok(Some(message)),
            Shown::Several => Err(Failure::malformed(
                "several agents wrote what was shown last, so it is not clear which message is meant",
            )
            .hint("name its message_id")),
        }
    }
}
