//! Names, and whom a message is addressed to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, ConversationId};
use crate::limits::NAME_CHARS;

/// Names that nobody can have: they would read as the system, a person, or everybody.
const RESERVED: [&str; 10] = [
    "system",
    "broadcast",
    "all",
    "everyone",
    "daemon",
    "root",
    "admin",
    "ipc",
    "human",
    "user",
];

/// The name of an agent: 1 to 32 of `A-Z a-z 0-9 _ -`, not reserved.
///
/// Two names that differ only in case are the same name; [`Name::folded`] is what to compare.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// Why a text is not a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It has other characters, none, or too many.
    #[error("a name is 1 to 32 letters, digits, `_` or `-`")]
    Shape,
    /// It is one of the reserved words.
    #[error("this name is reserved")]
    Reserved,
}

impl Name {
    /// Parses `text`, whole: no trimming, no folding.
    ///
    /// # Errors
    /// [`InvalidName`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        if text.is_empty() || text.len() > NAME_CHARS || !text.bytes().all(fits) {
            return Err(InvalidName::Shape);
        }
        if RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text)) {
            return Err(InvalidName::Reserved);
        }
        Ok(Self(text.to_owned()))
    }

    /// The form that is unique: lower case.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The name as it was claimed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are the same name, whatever their case.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::parse(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

/// Whom a message is addressed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Recipient {
    /// Every agent seen in the last 24 hours but the sender: the word `all`.
    All,
    /// Whoever has the name, or will have it.
    Name(Name),
    /// One agent, whatever it is called now.
    Agent(AgentId),
    /// Everybody else who is in this conversation.
    Conversation(ConversationId),
}

impl FromStr for Recipient {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        text.parse()
            .map(Self::Agent)
            .or_else(|_| text.parse().map(Self::Conversation))
            .or_else(|_| Name::parse(text).map(Self::Name))
    }
}

impl TryFrom<String> for Recipient {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Recipient> for String {
    fn from(recipient: Recipient) -> Self {
        match recipient {
            Recipient::All => "all".to_owned(),
            Recipient::Name(name) => name.into(),
            Recipient::Agent(id) => id.into(),
            Recipient::Conversation(id) => id.into(),
        }
    }
}

/// Somebody else, present or past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Peer {
    /// Whoever has the name; if nobody has, whoever was called that.
    Name(Name),
    /// One agent, whatever it is or was called.
    Agent(AgentId),
}

impl FromStr for Peer {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.parse()
            .map(Self::Agent)
            .or_else(|_| Name::parse(text).map(Self::Name))
    }
}

impl TryFrom<String> for Peer {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Peer> for String {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Name(name) => name.into(),
            Peer::Agent(id) => id.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn look_alikes_of_reserved_names_are_refused() {
        for text in ["system", "SYSTEM", "System", "All", "ipc", "rooT"] {
            assert_eq!(Name::parse(text), Err(InvalidName::Reserved), "{text}");
        }
        for text in [
            "s\u{443}stem",
            "eve\n",
            "e\0ve",
            " eve",
            "",
            "a.b",
            &"x".repeat(33),
        ] {
            assert_eq!(Name::parse(text), Err(InvalidName::Shape), "{text:?}");
        }
        assert!(Name::parse(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn a_recipient_is_everybody_an_agent_a_conversation_or_a_name() {
        assert_eq!("ALL".parse(), Ok(Recipient::All));
        let id = AgentId::from_row(7);
        assert_eq!(id.to_string().parse(), Ok(Recipient::Agent(id)));
        let id = ConversationId::from_row(7);
        assert_eq!(id.to_string().parse(), Ok(Recipient::Conversation(id)));
        assert!(matches!("bob".parse(), Ok(Recipient::Name(_))));
        assert_eq!("everyone".parse::<Recipient>(), Err(InvalidName::Reserved));
    }

    proptest! {
        #[test]
        fn a_parsed_name_is_the_text_it_came_from(text in "\\PC{0,40}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(name.as_str(), &text);
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
            }
        }
    }
}
