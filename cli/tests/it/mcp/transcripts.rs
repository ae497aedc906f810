//! Whole conversations, one file each in `cli/tests/golden`: `>` is what the host says, `<` what it
//! hears. Values that change from run to run have a word in their place; in what the host says,
//! `m.ID` is the last message that there was.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{Home, Host};

/// A time has at least this form, `2026-07-28T12:00:00Z`.
const TIME_CHARS: usize = 20;

/// `m.`, `a.` or `c.` and 13 characters.
const ID_CHARS: usize = 15;

fn golden(revision: &str) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    tests.join(format!("mcp-{revision}.jsonl"))
}

/// What stands for `word`, which comes after `before`, in a transcript.
fn masked_word<'a>(before: &str, word: &'a str) -> &'a str {
    let is_id = |kind: &str| word.len() == ID_CHARS && word.starts_with(kind);
    match word {
        _ if before.ends_with("peer-text ") => "WORD",
        _ if before.ends_with("pid\":") || before.ends_with("pid\\\":") => "0",
        env!("CARGO_PKG_VERSION") => "VERSION",
        _ if is_id("m.") => "m.ID",
        _ if is_id("a.") => "a.ID",
        _ if is_id("c.") => "c.ID",
        _ if word.len() >= TIME_CHARS && word.starts_with("20") && word.ends_with('Z') => "TIME",
        _ => word,
    }
}

/// The line as it stands in a transcript.
fn masked(line: &str) -> String {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-');
    let (mut masked, mut rest) = (String::new(), line);
    while let Some(first) = rest.chars().next() {
        // A colon that follows a quote belongs to JSON, not to a time.
        let inner = rest.strip_prefix(':').map_or(rest, |_| "");
        let length = inner.find(|c| !is_inside(c)).unwrap_or(inner.len());
        let (word, after) = rest.split_at(length.max(first.len_utf8()));
        let replaced = masked_word(&masked, word);
        masked.push_str(replaced);
        rest = after;
    }
    masked
}

/// The last id of a message in `line`.
fn last_id(line: &str) -> Option<String> {
    let (_, from) = line.rsplit_once("\"m.")?;
    let (rest, _) = from.split_once(['"', '\\'])?;
    Some(format!("m.{rest}"))
}

/// Says a line, and hears what there is to hear until the next one can be said.
fn play(host: &mut Host, said: &Value) -> Vec<Value> {
    host.write(&said.to_string());
    let is_last = |heard: &Value| match said["method"].as_str() {
        Some("subscriptions/listen") => heard["method"] == "notifications/resources/updated",
        _ => heard["id"] == said["id"],
    };
    let mut all = Vec::new();
    while said.get("id").is_some() && !all.last().is_some_and(is_last) {
        all.push(host.next().unwrap());
    }
    all
}

/// Plays what the host says in the transcript of `revision`, which must come out the same.
fn compare(revision: &str) {
    let home = Home::new();
    let mut host = home.host("alice").start_in_silence();
    let written = std::fs::read_to_string(golden(revision)).unwrap();
    let (mut came, mut id) = (String::new(), String::new());
    for line in written.lines().filter_map(|line| line.strip_prefix("> ")) {
        writeln!(came, "> {line}").unwrap();
        let said = serde_json::from_str(&line.replace("m.ID", &id)).unwrap();
        for heard in play(&mut host, &said) {
            let heard = heard.to_string();
            id = last_id(&heard).unwrap_or(id);
            writeln!(came, "< {}", masked(&heard)).unwrap();
        }
    }
    assert_eq!(host.close().status, 0);
    let differs = written
        .lines()
        .zip(came.lines())
        .find(|(old, new)| old != new);
    assert!(
        written == came,
        "{} is not what happens; the first line that differs: {differs:#?}\nall of it:\n{came}",
        golden(revision).display()
    );
}

#[test]
fn a_conversation_of_2024_goes_as_written() {
    compare("2024-11-05");
}

#[test]
fn a_conversation_of_2025_goes_as_written() {
    compare("2025-06-18");
}

#[test]
fn a_conversation_of_2026_goes_as_written() {
    compare("2026-07-28");
}

#[test]
fn what_changes_from_run_to_run_is_masked_and_nothing_else() {
    let line = json!({
        "id": "m.00000000000aa",
        "of": "a.00000000000bb",
        "pid": 4_711,
        "sent": "2026-11-21T11:02:48.023Z",
        "text": "<peer-text vvvv>\nat 20:15, 1.5 m.\n</peer-text vvvv> \"pid\":9",
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(
        masked(&line.to_string()),
        r#"{"id":"m.ID","of":"a.ID","pid":0,"sent":"TIME","text":"<peer-text WORD>\nat 20:15, 1.5 m.\n</peer-text WORD> \"pid\":0","version":"VERSION"}"#
    );
}
