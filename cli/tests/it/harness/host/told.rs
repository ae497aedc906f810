//! What stands in the results of tools.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Home;

/// The messages that agents sent, in what a tool gave.
pub(crate) fn letters(given: &Value) -> Vec<Value> {
    let messages = given["messages"].as_array().unwrap();
    let letters = messages.iter().filter(|mail| !mail["from"].is_null());
    letters.cloned().collect()
}

/// The text of a message, which must stand in a fence.
pub(crate) fn text(message: &Value) -> String {
    let fenced = message["text"].as_str().unwrap();
    let (opening, rest) = fenced.split_once('\n').unwrap();
    let (text, closing) = rest.rsplit_once('\n').unwrap();
    let word = opening.strip_prefix("<peer-text ").unwrap();
    assert_eq!(closing, format!("</peer-text {word}"), "{fenced}");
    text.to_owned()
}

/// The words of a result, all of its parts.
pub(crate) fn words(result: &Value) -> String {
    let parts = result["content"].as_array().unwrap();
    let parts: Vec<_> = parts
        .iter()
        .map(|part| part["text"].as_str().unwrap())
        .collect();
    parts.join("\n")
}

/// The names in `ipc list`.
pub(crate) fn listed(home: &Home) -> BTreeSet<String> {
    let list = home.json(&["list"]);
    let agents = list["agents"].as_array().unwrap().iter();
    agents
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}
