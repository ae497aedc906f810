//! The words of messages: each an enumeration with one spelling, on the wire and in the store.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The text is none of the words that may stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of the known words")]
pub struct UnknownWord;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its spelling on the wire and in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().find(|word| word.as_str() == text).copied().ok_or(UnknownWord)
            }
        }
    };
}

words! {
    /// What a message is meant as.
    #[derive(Default)]
    Kind {
        /// Plain mail.
        #[default]
        Message = "message",
        /// Asks for an answer.
        Request = "request",
        /// Answers a request.
        Response = "response",
        /// Asks the recipient's front-end whether it is there.
        Ping = "ping",
        /// Answers a ping.
        Ack = "ack",
        /// Proposes a piece of work.
        TaskProposal = "task_proposal",
        /// Takes a proposed piece of work on.
        TaskAccept = "task_accept",
        /// Went to everybody; made by the daemon.
        Broadcast = "broadcast",
        /// Comes from the daemon itself.
        System = "system",
    }
}

words! {
    /// When an agent is told that mail waits.
    #[derive(Default)]
    AutoCheckMode {
        /// Once for what has come, until it fetches.
        #[default]
        Arrival = "arrival",
        /// So too, and again every few minutes while mail waits.
        Every = "every",
        /// Never.
        Off = "off",
    }
}

impl Kind {
    /// Whether an agent may choose it: broadcasts and system messages are the daemon's to make.
    pub const fn is_for_agents(self) -> bool {
        match self {
            Self::Message
            | Self::Request
            | Self::Response
            | Self::Ping
            | Self::Ack
            | Self::TaskProposal
            | Self::TaskAccept => true,
            Self::Broadcast | Self::System => false,
        }
    }
}

words! {
    /// How far a message has come on its way to one recipient.
    DeliveryState {
        /// On disk.
        Stored = "stored",
        /// Given to a front-end that has not confirmed it.
        Offered = "offered",
        /// Handed over, says the front-end.
        Delivered = "delivered",
        /// A reply to it exists.
        Answered = "answered",
        /// Ended: nobody took it in its time.
        Expired = "expired",
        /// Ended: it will not be delivered.
        Refused = "refused",
    }
}

words! {
    /// Why a delivery ended without being delivered.
    EndReason {
        /// It was kept as long as the configuration says.
        TooOld = "too_old",
        /// The recipient gave its name up.
        RecipientLeft = "recipient_left",
        /// The recipient was offline so long that its name became free.
        RecipientForgotten = "recipient_forgotten",
        /// This member of a group had no room for it; the others got it.
        MailboxFull = "mailbox_full",
    }
}

words! {
    /// Why whoever asked waits for no more answers.
    WaitEnd {
        /// Everybody who was asked has answered finally.
        Answered = "answered",
        /// The time is over.
        TimedOut = "timed_out",
        /// The daemon stops. The message is stored; an answer will be in the mailbox.
        ShuttingDown = "shutting_down",
        /// Whoever has not answered has gone: gave its name up, or ended while it was waited for.
        RecipientGone = "recipient_gone",
    }
}

words! {
    /// Which kind of front-end handed a message over: the evidence behind "delivered".
    Handover {
        /// The command line: standard output took the bytes.
        Cli = "cli",
        /// An MCP server: the response was flushed to its host.
        Mcp = "mcp",
        /// A hook of an agent's host.
        Hook = "hook",
        /// The Python shim.
        Shim = "shim",
        /// The old port: its reply was written, and not lost as far as the system says.
        OldPort = "old_port",
        /// The Python server that came before: it was read there.
        Imported = "imported",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_spelled_alike_on_the_wire_and_in_the_store() {
        let words = [
            Kind::ALL
                .iter()
                .map(|w| (serde_json::to_value(w).unwrap(), w.as_str()))
                .collect(),
            DeliveryState::ALL
                .iter()
                .map(|w| (serde_json::to_value(w).unwrap(), w.as_str()))
                .collect(),
            EndReason::ALL
                .iter()
                .map(|w| (serde_json::to_value(w).unwrap(), w.as_str()))
                .collect(),
            WaitEnd::ALL
                .iter()
                .map(|w| (serde_json::to_value(w).unwrap(), w.as_str()))
                .collect(),
            Handover::ALL
                .iter()
                .map(|w| (serde_json::to_value(w).unwrap(), w.as_str()))
                .collect::<Vec<_>>(),
        ];
        for (on_the_wire, in_the_store) in words.concat() {
            assert_eq!(on_the_wire, in_the_store);
        }
        assert_eq!("molten".parse::<Kind>(), Err(UnknownWord));
    }
}
