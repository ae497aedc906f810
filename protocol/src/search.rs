//! What to look for in past mail: a small language of its own, parsed once.
//!
//! Words that must all occur, `"a phrase"`, `begin*`, `this OR that`, `-without`. No index sees the
//! text of a query: it gets [`Term`]s, so that nothing typed here can be an order to it. Every term
//! has a letter or a digit and no control character.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::{SEARCH_BYTES, SEARCH_PREFIX_CHARS, SEARCH_PREFIXES, SEARCH_TERMS};

/// A query: at least one term that must occur.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SearchQuery {
    text: String,
    /// Of each group one term must occur; no group is empty.
    groups: Vec<Vec<Term>>,
    /// None of these may.
    without: Vec<Term>,
}

/// Words that stand side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    words: String,
    is_prefix: bool,
}

/// The text is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSearch {
    /// Too long.
    #[error("a search has at most {SEARCH_BYTES} bytes")]
    TooLong,
    /// Too many terms.
    #[error("a search has at most {SEARCH_TERMS} words and phrases")]
    TooManyTerms,
    /// Too many beginnings of words.
    #[error("a search has at most {SEARCH_PREFIXES} beginnings of words (begin*)")]
    TooManyPrefixes,
    /// Nothing that must occur.
    #[error("a search needs a word that must occur")]
    Nothing,
    /// A quotation mark without its partner.
    #[error("a phrase of the search has no closing quotation mark")]
    OpenQuote,
    /// Nothing in a term that could be found.
    #[error("a word of the search has no letter and no digit")]
    NoLetter,
    /// Too short a beginning.
    #[error(
        "the beginning of a word has at least {SEARCH_PREFIX_CHARS} letters or digits before its *"
    )]
    ShortPrefix,
    /// `OR` with nothing to choose from.
    #[error("OR stands between two words that may occur")]
    LooseOr,
    /// An operator of another language.
    #[error("AND and NOT are no operators of a search")]
    ForeignOperator,
}

impl InvalidSearch {
    /// What helps.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::TooLong | Self::TooManyTerms => "fewer words find more",
            Self::TooManyPrefixes => "write some of the words whole",
            Self::Nothing => "for example: deploy \"build is green\" rel* -draft",
            Self::OpenQuote => "close it, or leave both out",
            Self::NoLetter => "signs are not searched for: leave them out",
            Self::ShortPrefix => "write more of the word, or all of it without *",
            Self::LooseOr => "for example: red OR green; quote \"or\" to find the word",
            Self::ForeignOperator => {
                "all words must occur anyway, and -word leaves out; quote \"and\" to find the word"
            }
        }
    }
}

impl Term {
    /// The words; anything that is neither a letter nor a digit only parts them.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Whether the last word is only the beginning of one.
    pub const fn is_prefix(&self) -> bool {
        self.is_prefix
    }

    fn new(words: String, is_prefix: bool) -> Result<Self, InvalidSearch> {
        let mut runs = words.split(|c: char| !c.is_alphanumeric());
        let last = runs.rfind(|run| !run.is_empty());
        let last = last.ok_or(InvalidSearch::NoLetter)?;
        if is_prefix && last.chars().count() < SEARCH_PREFIX_CHARS {
            return Err(InvalidSearch::ShortPrefix);
        }
        Ok(Self { words, is_prefix })
    }
}

impl SearchQuery {
    /// Of each of these groups one term must occur.
    pub fn groups(&self) -> impl Iterator<Item = &[Term]> {
        self.groups.iter().map(Vec::as_slice)
    }

    /// None of these may occur.
    pub fn without(&self) -> &[Term] {
        &self.without
    }

    fn add(&mut self, piece: Piece, joined: &mut bool) -> Result<(), InvalidSearch> {
        match piece {
            Piece::Or if *joined || self.groups.is_empty() => return Err(InvalidSearch::LooseOr),
            Piece::Or => *joined = true,
            Piece::Term(term) => match self.groups.last_mut().filter(|_| *joined) {
                Some(group) => {
                    group.push(term);
                    *joined = false;
                }
                None => self.groups.push(vec![term]),
            },
            Piece::Without(_) if *joined => return Err(InvalidSearch::LooseOr),
            Piece::Without(term) => self.without.push(term),
        }
        let terms = self.groups.iter().map(Vec::len).sum::<usize>();
        if terms.saturating_add(self.without.len()) > SEARCH_TERMS {
            return Err(InvalidSearch::TooManyTerms);
        }
        let all = self.groups.iter().flatten().chain(&self.without);
        if all.filter(|term| term.is_prefix).count() > SEARCH_PREFIXES {
            return Err(InvalidSearch::TooManyPrefixes);
        }
        Ok(())
    }
}

/// One piece of a query.
enum Piece {
    Or,
    Term(Term),
    Without(Term),
}

impl FromStr for SearchQuery {
    type Err = InvalidSearch;

    fn from_str(text: &str) -> Result<Self, InvalidSearch> {
        if text.len() > SEARCH_BYTES {
            return Err(InvalidSearch::TooLong);
        }
        let mut query = Self {
            text: text.to_owned(),
            groups: Vec::new(),
            without: Vec::new(),
        };
        let (mut rest, mut joined) = (text, false);
        loop {
            rest = rest.trim_start_matches(parts);
            if rest.is_empty() {
                break;
            }
            let (piece, after) = piece(rest)?;
            query.add(piece, &mut joined)?;
            rest = after;
        }
        match (joined, query.groups.is_empty()) {
            (true, _) => Err(InvalidSearch::LooseOr),
            (false, true) => Err(InvalidSearch::Nothing),
            (false, false) => Ok(query),
        }
    }
}

/// Whether `c` parts the pieces of a query.
fn parts(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The first piece of `text`, which begins with one, and what follows it.
fn piece(text: &str) -> Result<(Piece, &str), InvalidSearch> {
    if let Some(text) = text.strip_prefix('-') {
        let (term, rest) = term(text)?;
        return Ok((Piece::Without(term), rest));
    }
    if let ("OR", rest) = word(text) {
        return Ok((Piece::Or, rest));
    }
    let (term, rest) = term(text)?;
    Ok((Piece::Term(term), rest))
}

fn term(text: &str) -> Result<(Term, &str), InvalidSearch> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (phrase, rest) = quoted.split_once('"').ok_or(InvalidSearch::OpenQuote)?;
        let words = phrase.replace(parts, " ");
        let after = rest.trim_start_matches('*');
        return Ok((Term::new(words, after.len() < rest.len())?, after));
    }
    let (word, rest) = word(text);
    if word == "AND" || word == "NOT" {
        return Err(InvalidSearch::ForeignOperator);
    }
    let bare = word.trim_end_matches('*');
    let term = Term::new(bare.to_owned(), bare.len() < word.len())?;
    Ok((term, rest))
}

/// The word that `text` begins with, and what follows it.
fn word(text: &str) -> (&str, &str) {
    let end = text.find(|c| c == '"' || parts(c));
    text.split_at(end.unwrap_or(text.len()))
}

impl TryFrom<String> for SearchQuery {
    type Error = InvalidSearch;

    fn try_from(text: String) -> Result<Self, InvalidSearch> {
        text.parse()
    }
}

impl From<SearchQuery> for String {
    fn from(query: SearchQuery) -> Self {
        query.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The query as one line: groups in brackets, `~` before a beginning.
    fn read(text: &str) -> Result<String, InvalidSearch> {
        let query: SearchQuery = text.parse()?;
        let term = |term: &Term| {
            let begins = if term.is_prefix() { "~" } else { "" };
            format!("{begins}{}", term.words())
        };
        let list = |terms: &[Term]| terms.iter().map(term).collect::<Vec<_>>().join("|");
        let groups: Vec<_> = query
            .groups()
            .map(|group| format!("[{}]", list(group)))
            .collect();
        let without = list(query.without());
        Ok(if without.is_empty() {
            groups.concat()
        } else {
            format!("{} not {without}", groups.concat())
        })
    }

    #[test]
    fn words_phrases_beginnings_choices_and_exclusions_are_told_apart() {
        for (text, expected) in [
            ("deploy", "[deploy]"),
            ("  the build ", "[the][build]"),
            ("\"the build\" green", "[the build][green]"),
            ("depl*", "[~depl]"),
            ("\"build is gre\"*", "[~build is gre]"),
            ("red OR green OR blue now", "[red|green|blue][now]"),
            ("build -draft -\"not yet\"", "[build] not draft|not yet"),
            ("foo_bar.rs:12", "[foo_bar.rs:12]"),
            ("or and not near", "[or][and][not][near]"),
            ("a\0b\nc", "[a][b][c]"),
            ("text:secret NEAR(x)", "[text:secret][NEAR(x)]"),
            ("größe Привет 東京", "[größe][Привет][東京]"),
            ("well-known", "[well-known]"),
            ("say\"this now\"please", "[say][this now][please]"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused_with_its_reason() {
        use InvalidSearch::{
            ForeignOperator, LooseOr, NoLetter, Nothing, OpenQuote, ShortPrefix, TooLong,
            TooManyPrefixes, TooManyTerms,
        };
        let (long, many) = ("x".repeat(SEARCH_BYTES + 1), "x ".repeat(SEARCH_TERMS + 1));
        for (text, expected) in [
            ("", Nothing),
            (" \t\0", Nothing),
            ("-draft", Nothing),
            ("\"open", OpenQuote),
            ("\"\"", NoLetter),
            ("*", NoLetter),
            ("-", NoLetter),
            ("build & run", NoLetter),
            ("a*", ShortPrefix),
            ("OR green", LooseOr),
            ("red OR", LooseOr),
            ("red OR OR green", LooseOr),
            ("red OR -green", LooseOr),
            ("red AND green", ForeignOperator),
            ("red NOT green", ForeignOperator),
            (&long, TooLong),
            (&many, TooManyTerms),
            ("aa* ab* ac* -ad*", TooManyPrefixes),
        ] {
            assert_eq!(read(text), Err(expected), "{text:?}");
            assert!(!expected.hint().is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_query_within_its_bounds_or_refused(text in "\\PC{0,80}|[a-c\"*\\- OR\0]{0,40}") {
            if let Ok(query) = text.parse::<SearchQuery>() {
                let terms: Vec<_> = query.groups().flatten().chain(query.without()).collect();
                prop_assert!((1..=SEARCH_TERMS).contains(&terms.len()));
                for term in terms {
                    prop_assert!(!term.words().contains(|c: char| c == '"' || c.is_control()));
                    prop_assert!(term.words().contains(char::is_alphanumeric));
                }
                prop_assert_eq!(String::from(query), text);
            }
        }
    }
}
