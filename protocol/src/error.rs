//! Error codes: what a refusal is called, and what to do about it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $number:literal;)*) => {
        /// A stable code. Clients branch on it, never on text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
            /// A code that this version does not know: some newer daemon's.
            #[serde(other)]
            Unknown,
        }

        impl ErrorCode {
            /// Every code of this version.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Unknown => "unknown",
                }
            }

            /// The number that JSON-RPC asks for beside it.
            pub const fn number(self) -> i32 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Unknown => -32_099,
                }
            }
        }
    };
}

codes! {
    /// The proof is wrong, or there is none.
    Unauthenticated = "unauthenticated", -32_001;
    /// The session is over; a resume credential or the secret makes a new one.
    Expired = "expired", -32_002;
    /// Not allowed to this caller.
    Forbidden = "forbidden", -32_003;
    /// Not a name.
    InvalidName = "invalid_name", -32_004;
    /// Another live agent has the name.
    NameInUse = "name_in_use", -32_005;
    /// The name is reserved, or held for an agent that is offline or was renamed.
    NameReserved = "name_reserved", -32_006;
    /// Nobody has the name, and the request needs somebody.
    UnknownRecipient = "unknown_recipient", -32_007;
    /// No such message in this mailbox, or no such conversation that one is in.
    NotFound = "not_found", -32_008;
    /// Over a size limit.
    TooLarge = "too_large", -32_009;
    /// Not a request as documented.
    Malformed = "malformed", -32_600;
    /// Another version of the protocol, or no such request in this one.
    UnsupportedVersion = "unsupported_version", -32_601;
    /// Too many requests; `retry_after_ms` says when there is room.
    RateLimited = "rate_limited", -32_010;
    /// The recipient's mailbox is full.
    MailboxFull = "mailbox_full", -32_011;
    /// The message has been passed on too often, or two agents answer each other without end.
    LoopDetected = "loop_detected", -32_012;
    /// The same idempotency key with other content, or a state that contradicts the request.
    Conflict = "conflict", -32_013;
    /// The recipient does not take mail from this sender.
    Blocked = "blocked", -32_014;
    /// An operator has frozen the agent, or everybody.
    Frozen = "frozen", -32_015;
    /// Another front-end took this agent over.
    TakenOver = "taken_over", -32_016;
    /// The secret is not the one that the deployment was made with.
    SecretChanged = "secret_changed", -32_017;
    /// Too many things at once; try again.
    Busy = "busy", -32_018;
    /// The daemon cannot do it now: no space, shutting down, or its disk fails.
    Unavailable = "unavailable", -32_019;
    /// A fault of the daemon's own, logged by it.
    Internal = "internal", -32_603;
}

/// The daemon's answer to a request that it will not do: the caller's doing, not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What to branch on.
    pub code: ErrorCode,
    /// One sentence for people; never holds bytes of a peer that have not been checked.
    pub message: Cow<'static, str>,
    /// What to do about it.
    pub hint: Option<Cow<'static, str>>,
    /// When waiting helps: how long, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal without a hint.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
            retry_after_ms: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the time after which to try again, in milliseconds.
    #[must_use]
    pub const fn retry_after(mut self, milliseconds: u64) -> Self {
        self.retry_after_ms = Some(milliseconds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_spelled_as_they_travel() {
        for (at, code) in ErrorCode::ALL.iter().enumerate() {
            let text = serde_json::to_value(code).unwrap();
            assert_eq!(text, code.as_str());
            let same = |other: &&ErrorCode| other.number() == code.number();
            assert_eq!(
                ErrorCode::ALL.iter().position(|c| same(&c)),
                Some(at),
                "{code:?}"
            );
        }
    }

    #[test]
    fn a_code_from_the_future_is_unknown_not_an_error() {
        assert_eq!(
            serde_json::from_str::<ErrorCode>("\"melted\"").unwrap(),
            ErrorCode::Unknown
        );
    }
}
