//! Walking through a phrase word by word, without copying or changing it.
//!
//! What always holds: whatever is left is the end of the phrase as it was typed, byte for byte.
//! Words are compared without regard to ASCII case only, so that a letter that merely looks like
//! another is another.

/// Marks that may end a word of a form: `check messages!`, `please, …`.
const MARKS: [char; 7] = ['.', ',', ';', '!', '?', '…', '。'];

/// What is left of a phrase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    /// Whether a word ends where this begins, with nothing between.
    touches_word: bool,
}

impl<'a> Cursor<'a> {
    /// The beginning of `phrase`.
    pub(super) fn new(phrase: &'a str) -> Self {
        Self {
            rest: phrase.trim(),
            touches_word: false,
        }
    }

    /// All that is left, without the spaces around it.
    pub(super) fn text(self) -> &'a str {
        self.rest.trim()
    }

    /// The next word, and what follows. A colon ends a word; one that separates is no word.
    pub(super) fn word(self) -> Option<(&'a str, Self)> {
        if self.colon().is_some() {
            return None;
        }
        let rest = self.rest.trim_start();
        // A colon that does not separate is part of the word that it begins: `:)`.
        let ends = |(at, c): &(usize, char)| c.is_whitespace() || (*c == ':' && *at > 0);
        let end = rest
            .char_indices()
            .find(ends)
            .map_or(rest.len(), |(at, _)| at);
        let (word, rest) = rest.split_at_checked(end)?;
        let after = Self {
            rest,
            touches_word: true,
        };
        (!word.is_empty()).then_some((word, after))
    }

    /// What follows a colon that stands here and separates: one that touches the word before it,
    /// or that a space follows. The colon of `:)` does not.
    pub(super) fn colon(self) -> Option<Self> {
        let rest = self.rest.trim_start();
        let after = rest.strip_prefix(':')?;
        let touches = self.touches_word && rest.len() == self.rest.len();
        let separates = touches || after.is_empty() || after.starts_with(char::is_whitespace);
        separates.then_some(Self {
            rest: after,
            touches_word: false,
        })
    }

    /// What follows these words, if they stand here.
    pub(super) fn after(self, words: &str) -> Option<Self> {
        words.split(' ').try_fold(self, |at, expected| {
            let (typed, after) = at.word()?;
            is_word(typed, expected).then_some(after)
        })
    }

    /// What follows the first of these that stands here.
    pub(super) fn after_any(self, several: &[&str]) -> Option<Self> {
        several.iter().find_map(|words| self.after(words))
    }

    /// What follows all of these that stand here, in any order and number.
    pub(super) fn after_all(self, several: &[&str]) -> Self {
        let mut at = self;
        while let Some(after) = at.after_any(several) {
            at = after;
        }
        at
    }
}

/// `word` without the marks at its end.
pub(super) fn without_marks(word: &str) -> &str {
    word.trim_end_matches(MARKS)
}

/// Whether `typed` is the word `expected`, which is lower case.
pub(super) fn is_word(typed: &str, expected: &str) -> bool {
    let typed = without_marks(typed).chars().map(|c| match c {
        '\u{2018}' | '\u{2019}' | '\u{2BC}' | '\u{2032}' => '\'',
        other => other.to_ascii_lowercase(),
    });
    typed.eq(expected.chars())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_spaces_and_colons_and_lose_nothing() {
        let at = Cursor::new("  msg  Bob:two  words: x ");
        let (msg, at) = at.word().unwrap();
        let (bob, at) = at.word().unwrap();
        assert_eq!((msg, bob), ("msg", "Bob"));
        assert!(at.word().is_none(), "a colon separates");
        assert_eq!(at.colon().unwrap().text(), "two  words: x");
    }

    #[test]
    fn a_face_is_no_separator() {
        let (_, at) = Cursor::new("bob :) hi").word().unwrap();
        assert!(at.colon().is_none());
        assert_eq!(at.word().unwrap().0, ":)");
        let (_, at) = Cursor::new("bob : hi").word().unwrap();
        assert_eq!(at.colon().unwrap().text(), "hi");
    }

    #[test]
    fn words_are_compared_without_case_marks_and_kinds_of_apostrophe() {
        assert!(
            Cursor::new("WHO\u{2019}S Online?!")
                .after("who's online")
                .is_some()
        );
        assert!(!is_word("as\u{212a}", "ask"), "the Kelvin sign is no k");
        assert!(Cursor::new("check").after("check messages").is_none());
        assert_eq!(Cursor::new("").word(), None);
    }

    impl PartialEq for Cursor<'_> {
        fn eq(&self, other: &Self) -> bool {
            self.rest == other.rest
        }
    }
}
