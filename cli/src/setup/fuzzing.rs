//! Any bytes as a file of an agent's host.

use serde_json::json;

use super::document::{Format, find, put_in, take_out, true_members, value_at};
use super::entry::{Entry, Found};
use super::text::take_back;

/// A file in JSON; its first byte says what is put in, and whether it may have comments.
pub(crate) fn setup_json(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let server = json!({"command": "ipc", "args": ["mcp"], "env": {"A": "\u{e4}\"\\\n"}});
    let entry = if choice & 2 == 0 {
        Entry::member(&["mcpServers"], "claude-ipc", server)
    } else {
        let hook = json!({"hooks": [{"type": "command", "command": "ipc hook stop"}]});
        Entry::element(&["hooks", "Stop"], hook)
    };
    let comments = choice & 1 == 1;
    edit(Format::Json { comments }, &entry, bytes);
}

/// A file in TOML.
pub(crate) fn setup_toml(bytes: &[u8]) {
    let server = json!({"command": "ipc", "args": ["mcp"], "env": {"A": "\u{e4}\"\\\n"}});
    let entry = Entry::member(&["mcp_servers"], "claude_ipc", server);
    edit(Format::Toml, &entry, bytes);
}

/// What is put in is found, and its splices taken back leave every byte as it was; so does taking it
/// out as from a file that somebody changed since, but for a file of white space alone.
fn edit(format: Format, entry: &Entry, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    drop(true_members(text, "a"));
    assert!(value_at(format, text, entry).is_err() || find(format, text, entry).is_ok());
    if find(format, text, entry) != Ok(Found::Nothing) {
        return;
    }
    let Ok(put) = put_in(format, text, entry) else {
        return;
    };
    assert_eq!(find(format, &put.text, entry), Ok(Found::Same));
    let mut back = put.splices.iter().rev();
    let back = back.try_fold(put.text.clone(), |text, splice| take_back(&text, splice));
    assert_eq!(back.as_deref(), Some(text), "{:?}", put.text);
    let left = take_out(format, &put.text, &put.placed).ok().flatten();
    let same = |left: &str| left == text || (is_blank(left) && is_blank(text));
    assert!(
        left.as_deref().is_some_and(same),
        "{text:?}, {:?}: {left:?}",
        put.text
    );
}

/// Whether there is no document in `text`.
fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_files_hold_for_their_seeds() {
        crate::seeds::replay("setup_json", setup_json);
    }

    #[test]
    fn toml_files_hold_for_their_seeds() {
        crate::seeds::replay("setup_toml", setup_toml);
    }
}
