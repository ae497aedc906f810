//! Which mail somebody waits for: what a fetch asks for, against what a message is on the outside.

use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::message::Kind;
use ipc_protocol::request::Fetch;

/// What a fetch asks for; the default is all that is for people and models to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Only answers to this message.
    pub(crate) answers_to: Option<MessageId>,
    /// Only messages of this agent.
    pub(crate) sent_by: Option<AgentId>,
    /// Only messages said in this conversation.
    pub(crate) conversation: Option<ConversationId>,
    /// Only messages of this kind.
    pub(crate) kind: Option<Kind>,
    /// And pings of anybody.
    pub(crate) pings: bool,
}

/// What a message is on the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Who sent it; nobody for notices of the daemon.
    pub(crate) sender: Option<AgentId>,
    /// The conversation that it was said in.
    pub(crate) conversation: Option<ConversationId>,
    /// What it is meant as.
    pub(crate) kind: Kind,
    /// The message that it answers.
    pub(crate) reply_to: Option<MessageId>,
}

impl Wanted {
    /// What `request` asks for, where its sender means the agent `sent_by`.
    pub(crate) const fn of(request: &Fetch, sent_by: Option<AgentId>) -> Self {
        Self {
            answers_to: request.answers_to,
            sent_by,
            conversation: request.conversation,
            kind: request.kind,
            pings: request.pings,
        }
    }

    /// Whether it takes whatever comes, so that nobody need be told of that.
    pub(crate) const fn takes_all(&self) -> bool {
        self.answers_to.is_none()
            && self.sent_by.is_none()
            && self.conversation.is_none()
            && self.kind.is_none()
    }

    /// Whether pings are asked for, of anybody or of some.
    pub(crate) fn has_pings(&self) -> bool {
        self.pings || self.kind == Some(Kind::Ping)
    }

    /// Whether a message with this outside is asked for.
    pub(crate) fn matches(&self, envelope: &Envelope) -> bool {
        if self.pings && envelope.kind == Kind::Ping {
            return true;
        }
        let answers = self.answers_to.is_none() || self.answers_to == envelope.reply_to;
        let sent_by = self.sent_by.is_none() || self.sent_by == envelope.sender;
        let said_in = self.conversation.is_none() || self.conversation == envelope.conversation;
        let kind = match self.kind {
            Some(kind) => kind == envelope.kind,
            None => envelope.kind != Kind::Ping,
        };
        answers && sent_by && said_in && kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Option<AgentId> = Some(AgentId::from_row(1));
    const BOB: Option<AgentId> = Some(AgentId::from_row(2));
    const QUESTION: Option<MessageId> = Some(MessageId::from_row(3));

    fn envelope(sender: Option<AgentId>, kind: Kind, reply_to: Option<MessageId>) -> Envelope {
        Envelope {
            sender,
            conversation: None,
            kind,
            reply_to,
        }
    }

    #[test]
    fn what_is_asked_for_must_all_be_so() {
        let wanted = Wanted {
            answers_to: QUESTION,
            sent_by: ALICE,
            conversation: None,
            kind: Some(Kind::Response),
            pings: false,
        };
        assert!(wanted.matches(&envelope(ALICE, Kind::Response, QUESTION)));
        for other in [
            envelope(BOB, Kind::Response, QUESTION),
            envelope(ALICE, Kind::Message, QUESTION),
            envelope(ALICE, Kind::Response, None),
            envelope(None, Kind::System, None),
        ] {
            assert!(!wanted.matches(&other), "{other:?}");
        }
    }

    #[test]
    fn a_conversation_is_told_from_another_and_from_none() {
        let id = Some(ConversationId::from_row(4));
        let wanted = Wanted {
            conversation: id,
            ..Wanted::default()
        };
        let said_in = |conversation| Envelope {
            conversation,
            ..envelope(ALICE, Kind::Message, None)
        };
        assert!(!wanted.takes_all() && wanted.matches(&said_in(id)));
        for other in [None, Some(ConversationId::from_row(5))] {
            assert!(!wanted.matches(&said_in(other)), "{other:?}");
        }
    }

    #[test]
    fn pings_come_only_to_whoever_asks_for_them() {
        let ping = envelope(BOB, Kind::Ping, None);
        let all = Wanted::default();
        assert!(all.takes_all() && !all.matches(&ping));
        assert!(all.matches(&envelope(BOB, Kind::Ack, None)));
        let only = |sent_by, kind, pings| Wanted {
            sent_by,
            kind,
            pings,
            ..all
        };
        assert!(only(None, Some(Kind::Ping), false).matches(&ping));
        assert!(only(ALICE, None, true).matches(&ping));
        assert!(!only(ALICE, Some(Kind::Ping), false).matches(&ping));
    }
}
