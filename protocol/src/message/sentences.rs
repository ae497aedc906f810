//! What the daemon reports, in words for people and models. The names in it have been checked.

use super::{EndReason, SystemEvent};
use crate::name::Name;

impl SystemEvent {
    /// The event as one sentence: lower case, no full stop.
    pub fn sentence(&self) -> String {
        match self {
            Self::Renamed { old, new } => {
                format!("{old} is called {new} now; mail to {old} is forwarded for 2 hours")
            }
            Self::Expired { message_id, to } => {
                format!("your message {message_id} to {to} expired: nobody took it in its time")
            }
            Self::Refused {
                message_id,
                to,
                reason,
            } => {
                let why = reason.in_words();
                format!("your message {message_id} to {to} will not be delivered: {why}")
            }
            Self::MembersAdded {
                conversation_id,
                names,
                by,
            } => {
                let names: Vec<_> = names.iter().map(Name::as_str).collect();
                let names = names.join(", ");
                format!("{by} brought {names} into the group {conversation_id}")
            }
            Self::MemberLeft {
                conversation_id,
                name,
            } => format!("{name} is no longer in the group {conversation_id}"),
            Self::NameReclaimed { name } => format!(
                "{name} was claimed anew with the shared secret; it need not be whom you knew"
            ),
        }
    }
}

impl EndReason {
    /// The reason in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::TooOld => "too old",
            Self::RecipientLeft => "the recipient gave its name up",
            Self::MailboxFull => "no room in the mailbox",
            Self::RecipientForgotten => "the recipient was offline too long",
        }
    }
}
