//! Looking for shapes: one pass over the bytes, each shape only where its first byte stands.
//!
//! Linear, whatever the text: a run is followed no further than the longest that counts; the other
//! shapes look a bounded way ahead, or up to where the next of their kind begins. Those are JSON
//! Web Tokens, which begin only behind a byte that is not in their alphabet or behind an escape,
//! which has one, and frames, which end with the next five dashes.

pub(super) mod checks;
mod escapes;
pub(super) mod own;

use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use super::rules::SHAPES;
use super::{Found, Rule};

/// The bytes that something is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// `A` to `Z` and `2` to `7`.
    Base32,
    /// The capital letters and digits of Bech32 (BIP 173).
    Bech32,
    /// Digits and `a` to `f`.
    Hex,
    /// ASCII letters.
    Letters,
    /// ASCII letters and digits.
    Word,
    /// The same with `-` and `_`.
    WordDash,
    /// The same with `.`, too.
    WordDashDot,
    /// Letters, digits, `+`, `/`.
    Base64,
}

impl Alphabet {
    pub(super) const fn has(self, byte: u8) -> bool {
        match self {
            Self::Base32 => matches!(byte, b'A'..=b'Z' | b'2'..=b'7'),
            Self::Bech32 => {
                matches!(byte, b'A' | b'C'..=b'H' | b'J'..=b'N' | b'P'..=b'Z' | b'0' | b'2'..=b'9')
            }
            Self::Hex => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Word => byte.is_ascii_alphanumeric(),
            Self::WordDash => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'),
            Self::WordDashDot => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'),
            Self::Base64 => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
        }
    }

    /// How many of the first bytes are of it. Five dashes begin or end a frame, which is no part of
    /// a run that it touches.
    pub(super) fn run(self, bytes: &[u8]) -> usize {
        let mut in_a_row = 0_usize;
        for (at, byte) in bytes.iter().enumerate() {
            if !self.has(*byte) {
                return at;
            }
            in_a_row = if *byte == b'-' {
                in_a_row.saturating_add(1)
            } else {
                0
            };
            if in_a_row == DASHES.len() {
                return at.saturating_sub(DASHES.len().saturating_sub(1));
            }
        }
        bytes.len()
    }
}

/// What follows a prefix, and where.
type Measure = fn(&[u8], usize) -> Option<Range<usize>>;

/// How one kind of credential looks.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    rule: Rule,
    prefix: &'static str,
    body: Body,
    /// Whether it counts behind `-` and `_`, too, as the end of a longer name.
    in_names: bool,
}

#[derive(Debug, Clone)]
enum Body {
    /// A run of an alphabet, whole, of such a length, that passes a check.
    Run(Alphabet, RangeInclusive<usize>, fn(&[u8]) -> bool),
    /// What a function of its own makes of the text from the prefix on.
    Own(Measure),
}

pub(super) const fn run(
    rule: Rule,
    prefix: &'static str,
    alphabet: Alphabet,
    length: RangeInclusive<usize>,
    check: fn(&[u8]) -> bool,
) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::Run(alphabet, length, check),
        in_names: false,
    }
}

pub(super) const fn own(rule: Rule, prefix: &'static str, measure: Measure) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::Own(measure),
        in_names: false,
    }
}

impl Shape {
    /// What it begins with, or what stands before it.
    #[cfg(any(fuzzing, test))]
    pub(super) const fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The same also behind `-` and `_`: for a prefix, length or check that no name has by chance.
    pub(super) const fn in_names(mut self) -> Self {
        self.in_names = true;
        self
    }

    /// Where the credential is whose prefix may stand at `at`.
    fn at(&self, bytes: &[u8], at: usize) -> Option<Range<usize>> {
        let rest = bytes.get(at..)?;
        if !rest.starts_with(self.prefix.as_bytes()) {
            return None;
        }
        match &self.body {
            Body::Own(measure) => measure(bytes, at),
            Body::Run(alphabet, length, check) => {
                let is_part = |before: u8| {
                    let joins = self.in_names && matches!(before, b'-' | b'_');
                    before.is_ascii_alphanumeric() || alphabet.has(before) && !joins
                };
                if !begins(bytes, at, is_part) {
                    return None;
                }
                let body = rest.get(self.prefix.len()..)?;
                // As far as dashes behind the longest end it.
                let far = length.end().saturating_add(DASHES.len());
                let body = body.get(..body.len().min(far))?;
                let body = body.get(..alphabet.run(body))?;
                let fits = length.contains(&body.len()) && check(body);
                let end = at.checked_add(self.prefix.len())?.checked_add(body.len())?;
                fits.then_some(at..end)
            }
        }
    }
}

/// Whether something may begin at `at`: not behind what `is_part` of the same word or run, unless
/// that is the end of a frame or of an escape.
pub(super) fn begins(bytes: &[u8], at: usize, is_part: impl Fn(u8) -> bool) -> bool {
    !before(bytes, at).is_some_and(|before| is_part(*before))
        || bytes
            .get(..at)
            .is_some_and(|text| text.ends_with(DASHES) || escapes::end(text))
}

/// What frames begin and end with.
pub(super) const DASHES: &[u8] = b"-----";

/// Where the next five dashes are.
pub(super) fn dashes(bytes: &[u8]) -> Option<usize> {
    bytes.windows(DASHES.len()).position(|part| part == DASHES)
}

/// The byte before `at`.
pub(super) fn before(bytes: &[u8], at: usize) -> Option<&u8> {
    bytes.get(at.checked_sub(1)?)
}

/// The shapes by their first byte: most bytes begin none, and the others few.
static BY_FIRST_BYTE: LazyLock<[Vec<&Shape>; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let begins = |shape: &&Shape| shape.prefix.bytes().next().map(usize::from) == Some(byte);
        SHAPES.iter().filter(begins).collect()
    })
});

/// The first credential that begins at `from` or later, of a rule that is `wanted`.
pub(super) fn next(text: &str, from: usize, wanted: &impl Fn(Rule) -> bool) -> Option<Found> {
    let bytes = text.as_bytes();
    let shapes = &*BY_FIRST_BYTE;
    bytes.iter().enumerate().skip(from).find_map(|(at, byte)| {
        let mut begin_so = shapes.get(usize::from(*byte))?.iter();
        begin_so.find_map(|shape| {
            let found = shape.at(bytes, at)?;
            (found.start >= from && wanted(shape.rule)).then_some(Found {
                rule: shape.rule,
                at: found,
            })
        })
    })
}
