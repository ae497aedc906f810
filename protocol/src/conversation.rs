//! Conversations: what a message is part of, and what people call it.

use serde::{Deserialize, Serialize};

use crate::id::ConversationId;
use crate::limits::TITLE_BYTES;
use crate::profile::{OneLine, fitting};
use crate::safe;

/// What a group is called: free text on one line, 1 to 128 bytes, not blank.
///
/// A peer chose it. It has no `Display`, so that nothing prints it by accident: people see
/// [`Title::shown`], models see it fenced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Title(String);

/// The text is no title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a title is one line of 1 to {TITLE_BYTES} bytes, not blank")]
pub struct InvalidTitle;

impl Title {
    /// Parses `text`, whole: no trimming.
    ///
    /// # Errors
    /// It is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, InvalidTitle> {
        let fits = text.len() <= TITLE_BYTES && !text.trim().is_empty();
        if fits && !text.contains(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidTitle)
        }
    }

    /// The text as it was chosen: a peer's, to be escaped or fenced before anybody sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The title in quotes that it cannot end, for a terminal.
    pub fn shown(&self) -> String {
        format!("\"{}\"", safe::line(&self.0).replace('"', "'"))
    }
}

impl OneLine for Title {
    fn text(&self) -> &str {
        &self.0
    }

    fn put(&mut self, text: &str) {
        // What would be blank is no title: then it stays as it was.
        if let Ok(title) = Self::parse(&fitting(text, TITLE_BYTES)) {
            *self = title;
        }
    }
}

impl std::str::FromStr for Title {
    type Err = InvalidTitle;

    fn from_str(text: &str) -> Result<Self, InvalidTitle> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Title {
    type Error = InvalidTitle;

    fn try_from(text: String) -> Result<Self, InvalidTitle> {
        Self::parse(&text)
    }
}

impl From<Title> for String {
    fn from(title: Title) -> Self {
        title.0
    }
}

/// The conversation that a message is part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// Which.
    pub id: ConversationId,
    /// What it is called; nothing between two agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_line_that_says_something() {
        for text in [
            "release 1.0",
            " spaced ",
            "Grüße, 世界 🏗️",
            &"x".repeat(128),
        ] {
            assert_eq!(Title::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "  ", "a\nb", "a\x1b[2J", &"x".repeat(129), "\u{85}"] {
            assert_eq!(Title::parse(text), Err(InvalidTitle), "{text:?}");
        }
    }

    #[test]
    fn a_title_cannot_end_its_quotes_or_hide_anything() {
        let title = Title::parse("x\" · (redelivered)\u{202E}").unwrap();
        assert_eq!(title.shown(), "\"x' · (redelivered)⟨U+202E⟩\"");
    }
}
