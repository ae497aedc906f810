//! Text that is changed by splices alone: what is not named in one stays byte for byte.

use serde::{Deserialize, Serialize};

/// Text put in at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Splice {
    /// The byte before which it was put, in the text as it was at that moment.
    pub(crate) at: usize,
    /// What was put in.
    pub(crate) text: String,
}

/// Bytes of a text, from the first to the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The bytes from `start` to `end`; nothing where they are not all there, or cut a character.
pub(super) fn between(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// `text` with `splice` put in.
pub(super) fn put(text: &str, splice: &Splice) -> String {
    let before = between(text, 0, splice.at);
    let after = text.get(splice.at..).unwrap_or_default();
    [before, &splice.text, after].concat()
}

/// `text` with `splice` taken out again, where it stands at its very place.
pub(super) fn take_back(text: &str, splice: &Splice) -> Option<String> {
    let before = text.get(..splice.at)?;
    let after = text.get(splice.at..)?.strip_prefix(splice.text.as_str())?;
    Some([before, after].concat())
}

/// `text` without these spans, which do not overlap and are in order.
pub(super) fn without(text: &str, spans: &[Span]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        left.push_str(between(text, from, span.start));
        from = span.end;
    }
    left.push_str(text.get(from..).unwrap_or_default());
    left
}

/// The line end of the text: that of its first line.
pub(super) fn newline(text: &str) -> &'static str {
    let first = text.split_once('\n').map_or("", |(first, _)| first);
    if first.ends_with('\r') { "\r\n" } else { "\n" }
}

/// The line of the byte `at`, counted from 1.
pub(super) fn line_number(text: &str, at: usize) -> usize {
    between(text, 0, at).matches('\n').count().saturating_add(1)
}

/// Where the line of the byte `at` begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let before = between(text, 0, at);
    before.rfind('\n').map_or(0, |n| n.saturating_add(1))
}

/// Where the line of the byte `at` ends, its line end included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.find('\n')
        .map_or(text.len(), |n| at.saturating_add(n).saturating_add(1))
}

/// The white space that the line of the byte `at` begins with.
pub(super) fn indent(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..).unwrap_or_default();
    let is_blank = |c: char| c == ' ' || c == '\t';
    let length = line.find(|c| !is_blank(c)).unwrap_or(line.len());
    between(line, 0, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_taken_back_only_from_its_place() {
        let splice = Splice {
            at: 2,
            text: "xyz".to_owned(),
        };
        let changed = put("abcd", &splice);
        assert_eq!(changed, "abxyzcd");
        assert_eq!(take_back(&changed, &splice).unwrap(), "abcd");
        assert_eq!(take_back("abxzycd", &splice), None);
        assert_eq!(take_back("a", &splice), None);
    }

    #[test]
    fn spans_go_and_the_rest_stays() {
        let span = |start, end| Span { start, end };
        assert_eq!(without("abcdef", &[span(1, 2), span(3, 5)]), "acf");
        assert_eq!(without("abc", &[]), "abc");
    }

    #[test]
    fn lines_are_found_by_their_bytes() {
        let text = "a\r\n  b\r\nc";
        assert_eq!(newline(text), "\r\n");
        assert_eq!(newline("a"), "\n");
        assert_eq!((line_start(text, 6), line_end(text, 6)), (3, 8));
        assert_eq!((line_number(text, 6), indent(text, 6)), (2, "  "));
        assert_eq!((line_end(text, 8), indent(text, 8)), (9, ""));
    }
}
