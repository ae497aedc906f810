//! `read`: the whole of a message, a page at a time.

use serde::{Deserialize, Serialize};

use crate::id::MessageId;
use crate::message::Mail;

/// Reads a message that one received or sent. Changes nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// Which.
    pub message_id: MessageId,
    /// Where in the text to begin, in bytes; moved back to the start of a character.
    #[serde(default)]
    pub offset: u64,
}

/// A page of its text, at most 131,072 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadPage {
    /// The message; its `text` is the page.
    pub message: Mail,
    /// Where the page begins, in bytes.
    pub offset: u64,
    /// Where the next page begins; nothing after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_offset: Option<u64>,
}
