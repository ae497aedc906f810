//! Taking an entry out of a document that others have changed since.
//!
//! The entry goes with the one comma and the white space that came with it. Comments and every
//! other byte stay.

use jsonc_parser::ast;

use super::{Container, Dialect, MARK, Way, is_entry, plain, walk};
use crate::setup::entry::{Entry, Placed, Unfit};
use crate::setup::text::{Span, between, without};

/// `text` without `placed`; nothing where it is not there as it was put.
pub(in crate::setup) fn take_out(
    dialect: Dialect,
    text: &str,
    placed: &Placed,
) -> Result<Option<String>, Unfit> {
    let bare = text.strip_prefix(MARK);
    let mark = if bare.is_some() { "\u{FEFF}" } else { "" };
    let left = bare.map_or_else(
        || take_out_of(dialect, text, placed),
        |bare| take_out_of(dialect, bare, placed),
    )?;
    Ok(left.map(|left| [mark, &left].concat()))
}

fn take_out_of(dialect: Dialect, text: &str, placed: &Placed) -> Result<Option<String>, Unfit> {
    let entry = &placed.entry;
    let around = |outermost: bool| outermost.then_some(&placed.around);
    let Some(mut left) = remove(dialect, text, entry, around(placed.made == 0), false)? else {
        return Ok(None);
    };
    // The containers that were made for it go too, as far as they are empty now.
    for made in 1..=placed.made {
        let Some((key, path)) = inner_path(entry, made) else {
            break;
        };
        let container = Entry {
            path,
            key: Some(key),
            value: serde_json::Value::Null,
        };
        let is_outermost = made == placed.made;
        match remove(dialect, &left, &container, around(is_outermost), true)? {
            Some(less) => left = less,
            None => return Ok(Some(left)),
        }
    }
    let is_whole = placed.made > entry.path.len();
    let outside = dialect.root(&left)?.and_then(|root| {
        let root = Container::Object(&root);
        (is_whole && is_empty(&left, root)).then(|| without_root(&left, root))
    });
    Ok(Some(outside.unwrap_or(left)))
}

/// What is around a document that was made for the entry: comments, or nothing.
fn without_root(text: &str, root: Container<'_, '_>) -> String {
    let root = root.span();
    let before = between(text, 0, root.start);
    let after = between(text, root.end, text.len());
    let around = [before, after.strip_prefix('\n').unwrap_or(after)].concat();
    if around.trim().is_empty() {
        String::new()
    } else {
        around
    }
}

/// The key of the container that is `made` steps out of the entry, and the way to it.
fn inner_path(entry: &Entry, made: usize) -> Option<(String, Vec<String>)> {
    let depth = entry.path.len().checked_sub(made)?;
    let key = entry.path.get(depth)?.clone();
    Some((key, entry.path.iter().take(depth).cloned().collect()))
}

fn is_empty(text: &str, container: Container<'_, '_>) -> bool {
    let whole = container.span();
    let inside = between(
        text,
        whole.start.saturating_add(1),
        whole.end.saturating_sub(1),
    );
    inside.trim().is_empty()
}

/// `text` without what is at the place of `entry`: the entry itself, or, where `is_container`, a
/// container that is empty.
fn remove(
    dialect: Dialect,
    text: &str,
    entry: &Entry,
    around: Option<&(String, String)>,
    is_container: bool,
) -> Result<Option<String>, Unfit> {
    let Some(root) = dialect.root(text)? else {
        return Ok(None);
    };
    let Way::Whole(container) = walk(&root, entry)? else {
        return Ok(None);
    };
    let Some(at) = container.position(entry.key.as_deref(), &entry.value) else {
        return Ok(None);
    };
    if let Container::Object(object) = container {
        let value = object.properties.get(at).map(|member| &member.value);
        let goes = value.is_some_and(|value| {
            if is_container {
                as_container(value).is_some_and(|inner| is_empty(text, inner))
            } else {
                is_entry(&plain(value), &entry.value)
            }
        });
        if !goes {
            return Ok(None);
        }
    }
    let spans = spans(text, container, at, around);
    Ok(Some(without(text, &spans)))
}

fn as_container<'n, 't>(value: &'n ast::Value<'t>) -> Option<Container<'n, 't>> {
    match value {
        ast::Value::Object(object) => Some(Container::Object(object)),
        ast::Value::Array(array) => Some(Container::Array(array)),
        ast::Value::StringLit(_)
        | ast::Value::NumberLit(_)
        | ast::Value::BooleanLit(_)
        | ast::Value::NullKeyword(_) => None,
    }
}

/// What goes with the child at index `at`.
fn spans(
    text: &str,
    container: Container<'_, '_>,
    at: usize,
    around: Option<&(String, String)>,
) -> Vec<Span> {
    let children = container.children();
    let whole = container.span();
    let Some(own) = children.get(at).copied() else {
        return Vec::new();
    };
    let previous = at.checked_sub(1).and_then(|n| children.get(n)).copied();
    let next = children.get(at.saturating_add(1)).copied();
    let cut = |start, end| Span { start, end };
    match (previous, next) {
        (Some(previous), _) => {
            let gap = between(text, previous.end, own.start);
            pieces(text, gap, previous.end, own)
        }
        (None, Some(next)) => {
            let gap = between(text, own.end, next.start);
            let comma = comma(gap);
            let behind = gap.get(comma.saturating_add(1)..).unwrap_or_default();
            let blank = behind.len().saturating_sub(behind.trim_start().len());
            let after = own.end.saturating_add(comma).saturating_add(1);
            if comma == gap.len().saturating_sub(gap.trim_start().len()) {
                vec![cut(own.start, after.saturating_add(blank))]
            } else {
                let at = own.end.saturating_add(comma);
                vec![own, cut(at, after)]
            }
        }
        (None, None) => {
            let (first, close) = (whole.start.saturating_add(1), whole.end.saturating_sub(1));
            let before = between(text, first, own.start);
            let after = between(text, own.end, close);
            if let Some((pre, post)) = around
                && before.ends_with(pre.as_str())
                && after.starts_with(post.as_str())
            {
                let start = own.start.saturating_sub(pre.len());
                return vec![cut(start, own.end.saturating_add(post.len()))];
            }
            if before.trim().is_empty() && after.trim().is_empty() {
                vec![cut(first, close)]
            } else {
                // A comment that stands beside it keeps its line.
                vec![own]
            }
        }
    }
}

/// The child `own` with the comma before it; `gap` begins at `from` and ends where it begins.
fn pieces(text: &str, gap: &str, from: usize, own: Span) -> Vec<Span> {
    let comma = comma(gap);
    let comma_at = from.saturating_add(comma);
    let is_blank = |range: &str| range.trim().is_empty();
    let behind = gap.get(comma.saturating_add(1)..).unwrap_or_default();
    let space = behind.len().saturating_sub(behind.trim_end().len());
    let start = own.start.saturating_sub(space);
    if is_blank(behind) && is_blank(between(text, from, comma_at)) {
        return vec![Span {
            start: from,
            end: own.end,
        }];
    }
    vec![
        Span {
            start: comma_at,
            end: comma_at.saturating_add(1),
        },
        Span {
            start: start.max(comma_at.saturating_add(1)),
            end: own.end,
        },
    ]
}

/// Where the comma stands in a gap between two children: not one inside a comment.
fn comma(gap: &str) -> usize {
    let bytes = gap.as_bytes();
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let rest = gap.get(at..).unwrap_or_default();
        let step = match byte {
            b',' => return at,
            b'/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => {
                rest.find("*/").map_or(rest.len(), |n| n.saturating_add(2))
            }
            _ => 1,
        };
        at = at.saturating_add(step.max(1));
    }
    gap.len()
}
