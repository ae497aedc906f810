//! JSON documents of a host: an entry put in by insertions alone, found, and taken out again.
//!
//! The parser only says where things stand; every byte that is not ours is copied, never written
//! anew. How new lines are laid out is `layout`'s; which bytes go when an entry does is `removal`'s.

mod layout;
mod removal;

use jsonc_parser::ast::{self, ObjectProp};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::Value;

use super::entry::{Entry, Found, Placed, Put, Unfit, covers, is_entry};
use super::text::{self, Splice};

pub(super) use removal::take_out;

/// Where a byte order mark may stand, and how it reads.
const MARK: char = '\u{FEFF}';

/// How a host reads its JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// Whether it takes comments.
    pub(super) comments: bool,
}

impl Dialect {
    /// Parses `text`; nothing where there is only white space.
    fn parse(self, text: &str) -> Result<Option<ast::Value<'_>>, Unfit> {
        let options = ParseOptions {
            allow_comments: self.comments,
            allow_loose_object_property_names: false,
            allow_trailing_commas: false,
            allow_missing_commas: false,
            allow_single_quoted_strings: false,
            allow_hexadecimal_numbers: false,
            allow_unary_plus_numbers: false,
            allow_bare_decimal_point_numbers: false,
            allow_non_finite_numbers: false,
            allow_extended_string_escapes: false,
        };
        let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
        let parsed = parsed.map_err(|error| Unfit::Invalid {
            format: "JSON",
            reason: format!(
                "line {}, column {}",
                error.line_display(),
                error.column_display()
            ),
        })?;
        Ok(parsed.value)
    }

    /// Parses `text`, which must hold an object, and finds nothing twice in what is touched.
    fn root(self, text: &str) -> Result<Option<ast::Object<'_>>, Unfit> {
        match self.parse(text)? {
            None => Ok(None),
            Some(ast::Value::Object(object)) => Ok(Some(object)),
            Some(_) => Err(Unfit::WrongType {
                place: "the document".to_owned(),
                wanted: "an object",
            }),
        }
    }
}

/// Something with members or elements.
#[derive(Debug, Clone, Copy)]
enum Container<'n, 't> {
    Object(&'n ast::Object<'t>),
    Array(&'n ast::Array<'t>),
}

impl Container<'_, '_> {
    fn span(self) -> text::Span {
        match self {
            Self::Object(object) => span(object),
            Self::Array(array) => span(array),
        }
    }

    /// Where its members or elements stand, in order.
    fn children(self) -> Vec<text::Span> {
        match self {
            Self::Object(object) => object.properties.iter().map(span).collect(),
            Self::Array(array) => array.elements.iter().map(span).collect(),
        }
    }

    /// Which child is `key`, or the element that covers `value`.
    fn position(self, key: Option<&str>, value: &Value) -> Option<usize> {
        match (self, key) {
            (Self::Object(object), Some(key)) => object
                .properties
                .iter()
                .position(|member| member.name.as_str() == key),
            (Self::Array(array), None) => array
                .elements
                .iter()
                .position(|element| covers(&plain(element), value)),
            (Self::Object(_), None) | (Self::Array(_), Some(_)) => None,
        }
    }
}

fn span(node: &impl Ranged) -> text::Span {
    text::Span {
        start: node.start(),
        end: node.end(),
    }
}

/// The value without its place. A number keeps its spelling apart from what compares as equal.
fn plain(value: &ast::Value<'_>) -> Value {
    match value {
        ast::Value::StringLit(text) => Value::String(text.value.clone().into_owned()),
        ast::Value::NumberLit(number) => serde_json::from_str(number.value)
            .unwrap_or_else(|_| Value::String(number.value.to_owned())),
        ast::Value::BooleanLit(word) => Value::Bool(word.value),
        ast::Value::NullKeyword(_) => Value::Null,
        ast::Value::Array(array) => array.elements.iter().map(plain).collect(),
        ast::Value::Object(object) => {
            let pair =
                |member: &ObjectProp<'_>| (member.name.as_str().to_owned(), plain(&member.value));
            Value::Object(object.properties.iter().map(pair).collect())
        }
    }
}

/// How far the way to an entry's container goes.
enum Way<'n, 't> {
    /// To its end.
    Whole(Container<'n, 't>),
    /// To this object, over so many keys; the next is not there.
    Partly(&'n ast::Object<'t>, usize),
}

fn walk<'n, 't>(root: &'n ast::Object<'t>, entry: &Entry) -> Result<Way<'n, 't>, Unfit> {
    let mut object = root;
    let last = entry.path.len().checked_sub(1);
    for (at, key) in entry.path.iter().enumerate() {
        let dotted = || {
            entry
                .path
                .iter()
                .take(at.saturating_add(1))
                .cloned()
                .collect::<Vec<_>>()
                .join(".")
        };
        let Some(member) = only(object, key).map_err(|()| Unfit::Twice(dotted()))? else {
            return Ok(Way::Partly(object, at));
        };
        let is_array = entry.key.is_none() && Some(at) == last;
        match (&member.value, is_array) {
            (ast::Value::Array(array), true) => return Ok(Way::Whole(Container::Array(array))),
            (ast::Value::Object(inner), false) => object = inner,
            (_, is_array) => {
                return Err(Unfit::WrongType {
                    place: dotted(),
                    wanted: if is_array { "an array" } else { "an object" },
                });
            }
        }
    }
    Ok(Way::Whole(Container::Object(object)))
}

/// The member called `key`; an error where there are two.
fn only<'n, 't>(object: &'n ast::Object<'t>, key: &str) -> Result<Option<&'n ObjectProp<'t>>, ()> {
    let mut members = object
        .properties
        .iter()
        .filter(|member| member.name.as_str() == key);
    match (members.next(), members.next()) {
        (member, None) => Ok(member),
        (_, Some(_)) => Err(()),
    }
}

/// The value at the place of `entry`, a member, whatever it is.
pub(super) fn value_at(
    dialect: Dialect,
    text: &str,
    entry: &Entry,
) -> Result<Option<Value>, Unfit> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let Some(root) = dialect.root(text)? else {
        return Ok(None);
    };
    let (Way::Whole(Container::Object(object)), Some(key)) = (walk(&root, entry)?, &entry.key)
    else {
        return Ok(None);
    };
    let member = only(object, key).map_err(|()| Unfit::Twice(entry.dotted_path()))?;
    Ok(member.map(|member| plain(&member.value)))
}

/// What is at the place of `entry`.
pub(super) fn find(dialect: Dialect, text: &str, entry: &Entry) -> Result<Found, Unfit> {
    let text = text.strip_prefix(MARK).unwrap_or(text);
    let Some(root) = dialect.root(text)? else {
        return Ok(Found::Nothing);
    };
    let Way::Whole(container) = walk(&root, entry)? else {
        return Ok(Found::Nothing);
    };
    let (Container::Object(object), Some(key)) = (container, entry.key.as_deref()) else {
        let there = container.position(None, &entry.value).is_some() || runs(container, entry);
        return Ok(if there { Found::Same } else { Found::Nothing });
    };
    let member = only(object, key).map_err(|()| Unfit::Twice(entry.dotted_path()))?;
    Ok(match member {
        None => Found::Nothing,
        Some(member) if is_entry(&plain(&member.value), &entry.value) => Found::Same,
        Some(_) => Found::Other,
    })
}

/// Whether an element runs the very line of `entry`, however somebody changed it otherwise: a second
/// one would run it twice.
fn runs(container: Container<'_, '_>, entry: &Entry) -> bool {
    let (Container::Array(array), Some(line)) = (container, entry.line()) else {
        return false;
    };
    array.elements.iter().map(plain).any(|element| {
        let hooks = element.get("hooks").and_then(Value::as_array);
        let mut hooks = hooks.into_iter().flatten();
        hooks.any(|hook| hook.get("command").and_then(Value::as_str) == Some(line))
    })
}

/// Puts `entry` in, where nothing has its key.
pub(super) fn put_in(dialect: Dialect, text: &str, entry: &Entry) -> Result<Put, Unfit> {
    let (mark, bare) = text
        .strip_prefix(MARK)
        .map_or((0, text), |bare| (MARK.len_utf8(), bare));
    let (pieces, made, around) = match dialect.root(bare)? {
        None => {
            let whole = layout::document(entry);
            let splice = Splice {
                at: bare.len(),
                text: whole,
            };
            let made = entry.path.len().saturating_add(1);
            (vec![splice], made, (String::new(), String::new()))
        }
        Some(root) => {
            let (container, made) = match walk(&root, entry)? {
                Way::Whole(container) => (container, 0),
                Way::Partly(object, known) => (
                    Container::Object(object),
                    entry.path.len().saturating_sub(known),
                ),
            };
            let item = layout::Item::of(entry, made);
            let laid = layout::lay(bare, !root.properties.is_empty(), container, &item);
            (laid.splices, made, laid.around)
        }
    };
    let mut changed = text.to_owned();
    let mut splices = Vec::new();
    for piece in pieces {
        let splice = Splice {
            at: piece.at.saturating_add(mark),
            ..piece
        };
        changed = text::put(&changed, &splice);
        splices.push(splice);
    }
    // Whoever reads it next must find it there.
    match find(dialect, &changed, entry) {
        Ok(Found::Same) => Ok(Put {
            text: changed,
            splices,
            placed: Placed {
                entry: entry.clone(),
                made,
                around,
            },
        }),
        Ok(_) | Err(_) => Err(Unfit::Closed(entry.dotted_path())),
    }
}
