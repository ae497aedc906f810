//! Plain language: from a phrase such as `tell bob: the build is green` to what it asks for.
//!
//! A table of forms ([`table`], in the notation of [`pattern`]) and nothing else: no model, no
//! network, no state. To understand another phrase, add a line to the table.
//!
//! What always holds:
//!
//! - A text is a part of the phrase, byte for byte, without the spaces around it.
//! - Doubt does nothing: a phrase that has no form, that has forms of several meanings, or in whose
//!   places something else stands than a name, a text or a number of minutes is a [`Doubt`].
//! - Words that set a text off (`that`, `saying`, `asking`, `to`, a colon) do not belong to it;
//!   `about` does, since without it another thing would be said.
//! - After a colon a text may be anything; one without is looked at by [`boundary`].
//!
//! What is done about it is elsewhere: `commands/do_phrase.rs`.

mod boundary;
mod cursor;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod nearest;
mod pattern;
mod reading;
mod table;
mod words;

#[cfg(test)]
mod tests;

use ipc_protocol::name::{InvalidName, Name};

pub(crate) use reading::understand;

/// What a phrase asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Intent {
    /// To be called so: registering where nobody is registered, else renaming.
    CallMe(Name),
    /// This, wherever it is said.
    Action(Action),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Get this name, or come back to it.
    Register(Name),
    /// Go by this name from now on.
    Rename(Name),
    /// Send a text to an agent.
    Send {
        /// Whom it is for.
        to: Name,
        /// The text, not empty.
        text: String,
    },
    /// Send a text, not empty, to everybody.
    Broadcast(String),
    /// Answer the last message with a text, not empty.
    Reply(String),
    /// Pass the last message on.
    Forward(Name),
    /// Show new mail, and take it.
    Check,
    /// Show who is there.
    List,
    /// Show who one is.
    Whoami,
    /// Show how the daemon is.
    Status,
    /// What concerns looking for mail by itself.
    AutoCheck(AutoCheck),
}

/// What is to happen with looking for mail by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AutoCheck {
    /// Begin, with so many minutes between.
    Start(Option<Minutes>),
    /// End.
    Stop,
    /// Show whether and how often.
    Status,
}

/// Minutes between two looks for mail: 1 to 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Minutes(u8);

impl Minutes {
    /// Reads digits; nothing else, and nothing outside 1 to 60.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        let minutes = text.parse().ok().filter(|_| is_number)?;
        (1..=60).contains(&minutes).then_some(Self(minutes))
    }

    /// How many.
    pub(crate) const fn number(self) -> u8 {
        self.0
    }
}

/// The phrase is not certain to mean one thing, so it means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Doubt {
    /// Why not.
    pub(crate) reason: Reason,
    /// What could have been meant: forms, the nearest first.
    pub(crate) nearest: [String; 3],
}

/// Why a phrase is not understood. What was typed is in it, at most a few words: print it safely.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    /// It has no form.
    #[error("this fits no phrase")]
    Unknown,
    /// It has forms of different meanings.
    #[error("this can mean several things")]
    Several,
    /// The text is missing.
    #[error("there is no text to send")]
    NoText,
    /// The name is missing.
    #[error("there is no name in it")]
    NoName,
    /// What stands in the place of a name cannot be one.
    #[error("`{word}` cannot be a name: {error}")]
    InvalidName {
        /// What stands there.
        word: String,
        /// What is wrong with it.
        error: InvalidName,
    },
    /// What stands in the place of a name is hardly meant as one.
    #[error("`{0}` is an ordinary word here, hardly a name")]
    OrdinaryWord(String),
    /// What stands in the place of the minutes is not 1 to 60.
    #[error("`{0}` is not a number of minutes from 1 to 60")]
    Minutes(String),
    /// It names several recipients.
    #[error("mail goes to one agent at a time: send it to each, or to everyone")]
    OneByOne,
    /// It says what not to do.
    #[error("this says what not to do")]
    Negated,
    /// It says whom to answer.
    #[error(
        "a reply answers the last message, whoever wrote it; to write to somebody, say `send to NAME: TEXT`"
    )]
    AnswerTo,
    /// It asks whether to do something.
    #[error("this is a question")]
    Question,
    /// The question mark may belong to the text or to the request.
    #[error("the `?` may belong to the text or not; put a colon before the text")]
    PoliteQuestion,
    /// The text may not begin or end where it seems to.
    #[error("`{0}` may belong to the text or not; put a colon before the text")]
    Unclear(String),
    /// The text alone would mean something else to a command.
    #[error("`{0}` alone is not a text here: commands take it for something else")]
    NotAText(String),
}
