//! How an entry is laid out: like its neighbours.
//!
//! Lines are indented as those beside them, with the document's own line ends; what stands on one
//! line stays on one line.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::Container;
use crate::setup::entry::Entry;
use crate::setup::text::{Splice, between, indent, newline};

/// What is to stand in a container: a member or an element.
#[derive(Debug)]
pub(super) struct Item {
    key: Option<String>,
    value: Value,
}

/// How an item was fitted in.
#[derive(Debug)]
pub(super) struct Laid {
    /// To be put in, one after the other.
    pub(super) splices: Vec<Splice>,
    /// What stands around the item because of it.
    pub(super) around: (String, String),
}

impl Item {
    /// The entry in as many of its containers as are to be made.
    pub(super) fn of(entry: &Entry, made: usize) -> Self {
        let mut item = Self {
            key: entry.key.clone(),
            value: entry.value.clone(),
        };
        for key in entry.path.iter().rev().take(made) {
            let value = match item.key {
                Some(key) => Value::Object([(key, item.value)].into_iter().collect()),
                None => Value::Array(vec![item.value]),
            };
            item = Self {
                key: Some(key.clone()),
                value,
            };
        }
        item
    }

    /// On one line.
    fn short(&self, gap: &str) -> String {
        match &self.key {
            Some(key) => format!("{}:{gap}{}", Value::from(key.as_str()), self.value),
            None => self.value.to_string(),
        }
    }

    /// On several lines, all but the first beginning with `base`.
    fn long(&self, base: &str, unit: &str, newline: &str) -> String {
        let text = pretty(&self.value, unit).replace('\n', &[newline, base].concat());
        match &self.key {
            Some(key) => format!("{}: {text}", Value::from(key.as_str())),
            None => text,
        }
    }
}

fn pretty(value: &Value, unit: &str) -> String {
    let mut bytes = Vec::new();
    let formatter = PrettyFormatter::with_indent(unit.as_bytes());
    // Writing a value to memory cannot fail.
    let written = value.serialize(&mut Serializer::with_formatter(&mut bytes, formatter));
    debug_assert!(written.is_ok());
    String::from_utf8(bytes).unwrap_or_default()
}

/// A document with nothing but the entry.
pub(super) fn document(entry: &Entry) -> String {
    let item = Item::of(entry, entry.path.len());
    let root = match item.key {
        Some(key) => Value::Object([(key, item.value)].into_iter().collect()),
        None => item.value,
    };
    pretty(&root, "  ") + "\n"
}

/// Fits `item` in as the last in `container`. `has_members` says whether the document has any: one
/// that has, all on one line, is meant to be short.
pub(super) fn lay(
    text: &str,
    has_members: bool,
    container: Container<'_, '_>,
    item: &Item,
) -> Laid {
    let is_short = has_members && !text.trim().contains('\n');
    let whole = container.span();
    let close = whole.end.saturating_sub(1);
    let layout = Layout {
        text,
        unit: unit(text),
        newline: newline(text),
        is_short,
    };
    match container.children().last() {
        Some(last) => layout.after(last.start, last.end, close, item),
        None => layout.alone(whole.start, close, item),
    }
}

struct Layout<'t> {
    text: &'t str,
    unit: &'t str,
    newline: &'static str,
    is_short: bool,
}

impl Layout<'_> {
    fn after(&self, last_start: usize, last_end: usize, close: usize, item: &Item) -> Laid {
        let tail = between(self.text, last_end, close);
        // Comments behind the last one stay with it: the item comes after them.
        let notes = tail.trim_end().len();
        let before_last = between(self.text, 0, last_start).trim_end_matches([' ', '\t']);
        let (gap, body) = if notes > 0 || before_last.ends_with('\n') {
            let base = indent(self.text, last_start);
            let gap = [self.newline, base].concat();
            let body = item.long(base, self.unit, self.newline);
            (gap, body)
        } else {
            let gap = if self.is_short { "" } else { " " };
            (gap.to_owned(), item.short(gap))
        };
        let comma = Splice {
            at: last_end,
            text: ",".to_owned(),
        };
        if notes == 0 {
            let text = [",", &gap, &body].concat();
            return Laid {
                splices: vec![Splice { at: last_end, text }],
                around: ([",", &gap].concat(), String::new()),
            };
        }
        let body = Splice {
            at: last_end.saturating_add(notes),
            text: [gap.as_str(), &body].concat(),
        };
        Laid {
            splices: vec![body, comma],
            around: (gap, String::new()),
        }
    }

    fn alone(&self, open: usize, close: usize, item: &Item) -> Laid {
        let first = open.saturating_add(1);
        let inside = between(self.text, first, close);
        let notes = inside.trim_end().len();
        let at = first.saturating_add(notes);
        let (before, body, after) = if self.is_short {
            // A note that runs to the end of its line cannot be in text without line ends.
            (String::new(), item.short(""), String::new())
        } else {
            let outer = indent(self.text, open);
            let base = [outer, self.unit].concat();
            let body = item.long(&base, self.unit, self.newline);
            let ends = if between(self.text, at, close).contains('\n') {
                String::new()
            } else {
                [self.newline, outer].concat()
            };
            ([self.newline, &base].concat(), body, ends)
        };
        let text = [before.as_str(), &body, &after].concat();
        Laid {
            splices: vec![Splice { at, text }],
            around: (before, after),
        }
    }
}

/// What one step of indentation is: the white space of the first line that has any.
fn unit(text: &str) -> &str {
    let mut lines = text.lines().skip(1).map(|line| indent(line, 0));
    lines.find(|space| !space.is_empty()).unwrap_or("  ")
}
