//! Whether a text that no colon sets off begins and ends where it seems to.
//!
//! `tell bob if the tests fail` holds no text to send now, `tell claude code to stop` may name
//! `claude code`, and `tell bob it works and tell carol to wait` has something that is not for bob.

use super::cursor::{Cursor, is_word, without_marks};
use super::pattern::TextKind;
use super::words;

/// The word of `text` that makes it doubtful; none where the text is clear.
pub(super) fn doubtful_word(text: &str, kind: TextKind) -> Option<&str> {
    second_line(text).or_else(|| match kind {
        TextKind::SetOff | TextKind::About => None,
        TextKind::Statement => first_word(text, words::begins_no_statement)
            .or_else(|| second_name(text))
            .or_else(|| further_order(text)),
        TextKind::Question => first_word(text, words::begins_no_question)
            .or_else(|| second_name(text))
            .or_else(|| further_order(text)),
    })
}

/// Several lines may be several phrases.
fn second_line(text: &str) -> Option<&str> {
    let (_, second) = text.split_once(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])?;
    second.split_whitespace().next()
}

fn first_word(text: &str, is_doubtful: fn(&str) -> bool) -> Option<&str> {
    let (first, _) = Cursor::new(text).word()?;
    (first.starts_with(['@', ',', '&']) || is_doubtful(first)).then(|| without_marks(first))
}

/// The first word, if what sets a text off follows it: unless it is an ordinary one, it may belong
/// to the name.
fn second_name(text: &str) -> Option<&str> {
    let (first, after) = Cursor::new(text).word()?;
    let sets_off = after.colon().is_some() || after.after_any(words::SET_OFF).is_some();
    (sets_off && !words::is_ordinary(first)).then_some(first)
}

/// The verb of a second order: `… and tell carol …`.
fn further_order(text: &str) -> Option<&str> {
    let mut words = text.split_whitespace();
    let mut joins = false;
    words.find(|word| {
        let is_further = joins && words::begins_an_order(word);
        joins = word.ends_with([';', '.', '!', '?'])
            || ["and", "then", "also"]
                .iter()
                .any(|other| is_word(word, other));
        is_further
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_may_be_part_name_or_part_another_order() {
        let word = |text| doubtful_word(text, TextKind::Statement);
        assert_eq!(word("code to stop"), Some("code"));
        assert_eq!(word("smith: hi"), Some("smith"));
        assert_eq!(word("it works, and tell carol to wait"), Some("tell"));
        assert_eq!(word("it works; stop auto checking"), Some("stop"));
        assert_eq!(word("it works\nmsg carol: hi"), Some("msg"));
        assert_eq!(word("it works and will stop soon"), None);
        assert_eq!(word("not to deploy"), None);
        assert_eq!(word("the deployment is done"), None);
    }

    #[test]
    fn a_question_may_begin_with_how_to() {
        let word = |text| doubtful_word(text, TextKind::Question);
        assert_eq!(word("how to begin"), None);
        assert_eq!(word("code to stop"), Some("code"));
    }

    #[test]
    fn what_is_set_off_is_doubted_only_over_several_lines() {
        let word = |text| doubtful_word(text, TextKind::SetOff);
        assert_eq!(word("if it works and tell carol"), None);
        assert_eq!(word("it works\ncheck messages"), Some("check"));
    }
}
