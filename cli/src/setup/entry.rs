//! What setup puts into a file: a value, and where it belongs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::text::Splice;

/// One thing to be put into a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// The keys on the way from the root to the container.
    pub(crate) path: Vec<String>,
    /// Its key, where the container is an object; nothing where it is an array.
    pub(crate) key: Option<String>,
    /// The value.
    pub(crate) value: Value,
}

impl Entry {
    /// A member of the object at `path`.
    pub(crate) fn member(path: &[&str], key: &str, value: Value) -> Self {
        Self {
            path: path.iter().map(|&word| word.to_owned()).collect(),
            key: Some(key.to_owned()),
            value,
        }
    }

    /// An element of the array at `path`.
    pub(crate) fn element(path: &[&str], value: Value) -> Self {
        Self {
            path: path.iter().map(|&word| word.to_owned()).collect(),
            key: None,
            value,
        }
    }

    /// The line that a hook runs.
    pub(super) fn line(&self) -> Option<&str> {
        self.value.pointer("/hooks/0/command")?.as_str()
    }

    /// Where it belongs, for people: the keys on the way to it, dots between.
    pub(crate) fn dotted_path(&self) -> String {
        let mut words: Vec<_> = self.path.iter().map(String::as_str).collect();
        words.extend(self.key.as_deref());
        words.join(".")
    }
}

/// An entry that stands in a document because it was put there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placed {
    /// The entry.
    pub(crate) entry: Entry,
    /// How many of the containers around it were made for it, the innermost first. One more than
    /// its path has keys when the document itself was.
    pub(crate) made: usize,
    /// What was put in before and after it, or the outermost container made for it.
    pub(crate) around: (String, String),
}

/// A document with an entry put in.
#[derive(Debug)]
pub(super) struct Put {
    /// The text.
    pub(super) text: String,
    /// How it came about, in order.
    pub(super) splices: Vec<Splice>,
    /// What to remember of it.
    pub(super) placed: Placed,
}

/// What is at the place of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// The entry, or more than it: what somebody added to it belongs to it.
    Same,
    /// Something else has its key.
    Other,
}

/// Why a document cannot take an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    /// It cannot be parsed.
    #[error("it is not valid {format}: {reason}")]
    Invalid {
        /// `JSON` or `TOML`.
        format: &'static str,
        /// What the parser says; it quotes no text.
        reason: String,
    },
    /// A key on the way is there twice.
    #[error("`{0}` is in it twice")]
    Twice(String),
    /// Something on the way is of another type.
    #[error("`{place}` in it is not {wanted}")]
    WrongType {
        /// The keys on the way to it.
        place: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// The document cannot be added to without touching what is in it.
    #[error("`{0}` in it is written in a way that cannot be added to")]
    Closed(String),
}

/// Variables that say which deployment an entry is for.
const PLACES: [&str; 2] = ["/env/IPC_DATA_DIR", "/env/IPC_SOCKET"];

/// Whether `there` is the entry `wanted`, for the same deployment; what somebody added to it
/// belongs to it.
pub(super) fn is_entry(there: &Value, wanted: &Value) -> bool {
    let is_same_place = |place: &str| there.pointer(place) == wanted.pointer(place);
    covers(there, wanted) && PLACES.into_iter().all(is_same_place)
}

/// Whether `there` is `wanted`, or `wanted` and more.
pub(super) fn covers(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Object(there), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| there.get(key).is_some_and(|other| covers(other, value))),
        (Value::Array(there), Value::Array(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(a, b)| covers(a, b))
        }
        (there, wanted) => there == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_somebody_added_is_covered_and_what_somebody_changed_is_not() {
        let ours = json!({"command": "ipc", "args": ["mcp"]});
        assert!(covers(
            &json!({"args": ["mcp"], "command": "ipc", "x": 1}),
            &ours
        ));
        assert!(!covers(
            &json!({"args": ["mcp", "y"], "command": "ipc"}),
            &ours
        ));
        assert!(!covers(&json!({"command": "ipc"}), &ours));
        assert!(!covers(&json!(["mcp"]), &ours));
        let elsewhere = json!({"command": "ipc", "args": ["mcp"], "env": {"IPC_DATA_DIR": "/x"}});
        assert!(covers(&elsewhere, &ours) && !is_entry(&elsewhere, &ours));
    }
}
