//! A host's document, whatever its format.

use serde_json::Value;

use super::entry::{Entry, Found, Placed, Put, Unfit};
use super::{json, toml};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON.
    Json {
        /// Whether the host takes comments in it.
        comments: bool,
    },
    /// TOML.
    Toml,
}

/// What is at the place of `entry`.
pub(super) fn find(format: Format, text: &str, entry: &Entry) -> Result<Found, Unfit> {
    match format {
        Format::Json { comments } => json::find(json::Dialect { comments }, text, entry),
        Format::Toml => toml::find(text, entry),
    }
}

/// The value at the place of `entry`, a member, whatever it is.
pub(super) fn value_at(format: Format, text: &str, entry: &Entry) -> Result<Option<Value>, Unfit> {
    match format {
        Format::Json { comments } => json::value_at(json::Dialect { comments }, text, entry),
        Format::Toml => toml::value_at(text, entry),
    }
}

/// Puts `entry` in, where nothing has its key.
pub(super) fn put_in(format: Format, text: &str, entry: &Entry) -> Result<Put, Unfit> {
    match format {
        Format::Json { comments } => json::put_in(json::Dialect { comments }, text, entry),
        Format::Toml => toml::put_in(text, entry),
    }
}

/// `text` without `placed`; nothing where it is not there as it was put.
pub(super) fn take_out(
    format: Format,
    text: &str,
    placed: &Placed,
) -> Result<Option<String>, Unfit> {
    match format {
        Format::Json { comments } => json::take_out(json::Dialect { comments }, text, placed),
        Format::Toml => toml::take_out(text, placed),
    }
}

/// The keys of the object `key` of a JSON document whose values are `true`.
pub(super) fn true_members(text: &str, key: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let members = value.get(key).and_then(Value::as_object);
    let members = members.into_iter().flatten();
    members
        .filter(|(_, value)| **value == Value::Bool(true))
        .map(|(key, _)| key.clone())
        .collect()
}
