//! TOML documents of a host: a table put in at the end, found, and taken out again.
//!
//! A table with a header of its own can always be added at the end, so nothing else is touched.

use std::fmt::Write;

use serde_json::Value;
use toml_edit::{Document, Item, Table, TableLike};

use super::entry::{Entry, Found, Placed, Put, Unfit, is_entry};
use super::text::{self, Span, Splice, between, line_end, line_start, newline, without};

/// Where a byte order mark may stand.
const MARK: char = '\u{FEFF}';

fn parse(text: &str) -> Result<Document<&str>, Unfit> {
    Document::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        Unfit::Invalid {
            format: "TOML",
            reason: format!("line {}", text::line_number(text, at)),
        }
    })
}

/// The item at the place of `entry`.
fn look<'d>(document: &'d Document<&str>, entry: &Entry) -> Result<Option<&'d Item>, Unfit> {
    let mut table: &dyn TableLike = document.as_table();
    for (at, key) in entry.path.iter().enumerate() {
        let Some(item) = table.get(key) else {
            return Ok(None);
        };
        table = item.as_table_like().ok_or_else(|| Unfit::WrongType {
            place: entry
                .path
                .iter()
                .take(at.saturating_add(1))
                .cloned()
                .collect::<Vec<_>>()
                .join("."),
            wanted: "a table",
        })?;
    }
    Ok(entry.key.as_deref().and_then(|key| table.get(key)))
}

fn plain(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        let pairs = table
            .iter()
            .map(|(key, item)| (key.to_owned(), plain(item)));
        return Value::Object(pairs.collect());
    }
    if let Some(array) = item.as_array() {
        return array
            .iter()
            .map(|value| plain(&Item::Value(value.clone())))
            .collect();
    }
    match item.as_value() {
        Some(toml_edit::Value::String(text)) => Value::from(text.value().as_str()),
        Some(toml_edit::Value::Integer(number)) => Value::from(*number.value()),
        Some(toml_edit::Value::Boolean(word)) => Value::from(*word.value()),
        // Nothing of ours has another type.
        Some(_) | None => Value::Null,
    }
}

/// The value at the place of `entry`, whatever it is.
pub(super) fn value_at(text: &str, entry: &Entry) -> Result<Option<Value>, Unfit> {
    let document = parse(text)?;
    Ok(look(&document, entry)?.map(plain))
}

/// What is at the place of `entry`.
pub(super) fn find(text: &str, entry: &Entry) -> Result<Found, Unfit> {
    let document = parse(text)?;
    Ok(match look(&document, entry)? {
        None => Found::Nothing,
        Some(item) if is_entry(&plain(item), &entry.value) => Found::Same,
        Some(_) => Found::Other,
    })
}

/// Puts `entry`, a table, in at the end.
pub(super) fn put_in(text: &str, entry: &Entry) -> Result<Put, Unfit> {
    find(text, entry)?;
    let ends = newline(text);
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    let gap = match () {
        () if bare.is_empty() => String::new(),
        () if bare.ends_with('\n') => ends.to_owned(),
        () => ends.repeat(2),
    };
    let table = rendered(entry).replace('\n', ends);
    let splice = Splice {
        at: text.len(),
        text: [gap.as_str(), &table].concat(),
    };
    let changed = text::put(text, &splice);
    match find(&changed, entry) {
        Ok(Found::Same) => Ok(Put {
            text: changed,
            splices: vec![splice],
            placed: Placed {
                entry: entry.clone(),
                made: 0,
                around: (gap, String::new()),
            },
        }),
        // An inline table, for example, is closed with its brace.
        Ok(_) | Err(_) => Err(Unfit::Closed(entry.path.join("."))),
    }
}

fn rendered(entry: &Entry) -> String {
    let mut table = format!("[{}]\n", entry.dotted_path());
    let members = entry.value.as_object().into_iter().flatten();
    for (key, value) in members {
        let written = writeln!(table, "{key} = {}", inline(value));
        debug_assert!(written.is_ok());
    }
    table
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => toml_edit::Value::from(text.as_str()).to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let pairs = members
                .iter()
                .map(|(key, value)| format!("{key} = {}", inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `text` without `placed`; nothing where it is not there as it was put.
pub(super) fn take_out(text: &str, placed: &Placed) -> Result<Option<String>, Unfit> {
    let entry = &placed.entry;
    let document = parse(text)?;
    let Some(item) = look(&document, entry)? else {
        return Ok(None);
    };
    let (true, Some(table)) = (is_entry(&plain(item), &entry.value), item.as_table()) else {
        return Ok(None);
    };
    let mut lines = Vec::new();
    if !lines_of(text, table, &mut lines) {
        return Ok(None);
    }
    let left = without(text, &joined(text, lines, &placed.around.0));
    match find(&left, entry) {
        Ok(Found::Nothing) => Ok(Some(left)),
        Ok(_) | Err(_) => Err(Unfit::Closed(entry.dotted_path())),
    }
}

/// The lines of a table and of those inside it; false where one is not written with a header.
fn lines_of(text: &str, table: &Table, lines: &mut Vec<Span>) -> bool {
    let mut line = |start: usize, end: usize| {
        lines.push(Span {
            start: line_start(text, start),
            end: line_end(text, end),
        });
    };
    if !table.is_implicit() {
        let Some(header) = table.span().filter(|_| !table.is_dotted()) else {
            return false;
        };
        line(header.start, header.start);
    }
    for (key, item) in table {
        match item {
            Item::Table(inner) => {
                if !lines_of(text, inner, lines) {
                    return false;
                }
            }
            Item::Value(value) => {
                let key = table.key(key).and_then(toml_edit::Key::span);
                let (Some(key), Some(value)) = (key, value.span()) else {
                    return false;
                };
                lines.push(Span {
                    start: line_start(text, key.start),
                    end: line_end(text, value.end),
                });
            }
            Item::ArrayOfTables(_) | Item::None => return false,
        }
    }
    true
}

/// The lines as spans in order, the first with the blank line that was put before it.
fn joined(text: &str, mut lines: Vec<Span>, gap: &str) -> Vec<Span> {
    lines.sort_by_key(|line| line.start);
    let is_last = lines.last().is_some_and(|line| line.end == text.len());
    if let Some(first) = lines.first_mut() {
        let blank = newline(text);
        let before = between(text, 0, first.start);
        // A line that goes on behind it needs its own end.
        let gap = if is_last || gap.len() <= blank.len() {
            gap
        } else {
            blank
        };
        let is_own_line = !gap.is_empty() && before.ends_with(gap);
        let ends_before = before
            .strip_suffix(gap)
            .is_some_and(|rest| is_last || rest.ends_with('\n'));
        if is_own_line && ends_before {
            first.start = first.start.saturating_sub(gap.len());
        }
    }
    let mut joined: Vec<Span> = Vec::new();
    for line in lines {
        match joined.last_mut() {
            Some(last) if line.start <= last.end => last.end = last.end.max(line.end),
            Some(_) | None => joined.push(line),
        }
    }
    joined
}
