//! Looking for shapes: one pass over the bytes, each shape only where its first byte stands.
//!
//! Linear, whatever the text: a run is followed once, however many prefixes stand in it (`runs`); the
//! other shapes look a bounded way ahead, or up to where the next of their kind begins. Those are PEM blocks,
//! which end before the next one, and JSON Web Tokens, of which a few are tried in each run.

mod alphabets;
pub(super) mod checks;
pub(super) mod custom;
mod escapes;
mod runs;

use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use super::rules::SHAPES;
use super::{Found, Rule};
pub(super) use alphabets::Alphabet;
use checks::Ending;
use runs::{Near, Runs, Tries};

/// What follows a prefix, and where.
type Measure = fn(&[u8], usize) -> Option<Range<usize>>;

/// The same of a run.
type MeasureRun = fn(&[u8], Range<usize>) -> Option<Range<usize>>;

/// How one kind of credential looks.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    rule: Rule,
    prefix: &'static str,
    body: Body,
    /// Whether it counts behind `-` and `_`, too, as the end of a longer name.
    in_names: bool,
    /// Whether the prefix is a name, and the credential is what stands beside it.
    is_name: bool,
}

#[derive(Debug, Clone)]
enum Body {
    /// A run of an alphabet, whole, of such a length, that passes a check.
    Run(Alphabet, RangeInclusive<usize>, Check),
    /// What a function of its own makes of the text from the prefix on.
    Custom(Measure),
    /// The same, where such a text stands no further than so many bytes away.
    CustomNear(Measure, &'static [u8], usize),
    /// What a function of its own makes of the text and of the run of this alphabet that begins with the
    /// prefix, tried so often in one run.
    CustomInRun(MeasureRun, Alphabet, usize),
}

/// What is asked of a run besides its length.
#[derive(Debug, Clone, Copy)]
pub(super) enum Check {
    /// What its end tells.
    Ending(fn(&Ending, usize) -> bool),
    /// What the whole of it tells.
    Whole(fn(&[u8]) -> bool),
}

pub(super) const fn run(
    rule: Rule,
    prefix: &'static str,
    alphabet: Alphabet,
    length: RangeInclusive<usize>,
    check: Check,
) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::Run(alphabet, length, check),
        in_names: false,
        is_name: false,
    }
}

pub(super) const fn custom(rule: Rule, prefix: &'static str, measure: Measure) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::Custom(measure),
        in_names: false,
        is_name: false,
    }
}

/// The same as [`custom()`] of what stands beside this name.
pub(super) const fn beside(rule: Rule, name: &'static str, measure: Measure) -> Shape {
    let mut shape = custom(rule, name, measure);
    shape.is_name = true;
    shape
}

/// The same as [`custom()`], where `text` stands within so many bytes before or behind.
pub(super) const fn custom_near(
    rule: Rule,
    prefix: &'static str,
    measure: Measure,
    text: &'static [u8],
    within: usize,
) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::CustomNear(measure, text, within),
        in_names: false,
        is_name: false,
    }
}

/// The same as [`custom()`] of a run that may begin anywhere, of which so many are tried.
pub(super) const fn custom_in_run(
    rule: Rule,
    prefix: &'static str,
    measure: MeasureRun,
    alphabet: Alphabet,
    tries: usize,
) -> Shape {
    Shape {
        rule,
        prefix,
        body: Body::CustomInRun(measure, alphabet, tries),
        in_names: false,
        is_name: false,
    }
}

impl Shape {
    /// What it begins with, or what stands before it.
    #[cfg(any(fuzzing, test))]
    pub(super) const fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// The longest body that counts, where that is bounded by a number.
    #[cfg(test)]
    pub(super) const fn longest(&self) -> Option<usize> {
        match &self.body {
            Body::Run(_, length, _) => Some(*length.end()),
            Body::Custom(_) | Body::CustomNear(..) | Body::CustomInRun(..) => None,
        }
    }

    /// What has to stand near it.
    #[cfg(test)]
    pub(super) const fn near(&self) -> Option<&'static [u8]> {
        match &self.body {
            Body::CustomNear(_, text, _) => Some(text),
            Body::Run(..) | Body::Custom(_) | Body::CustomInRun(..) => None,
        }
    }

    /// The same also behind `-` and `_`: for a prefix, length or check that no name has by chance.
    pub(super) const fn in_names(mut self) -> Self {
        self.in_names = true;
        self
    }

    /// Where the credential is whose prefix stands at `at`.
    fn at(&self, scan: &mut Scan<'_>, at: usize) -> Option<Range<usize>> {
        match &self.body {
            Body::Custom(measure) => measure(scan.bytes, at),
            Body::CustomNear(measure, text, within) => {
                let found = measure(scan.bytes, at)?;
                let around = at.saturating_sub(*within)..found.end.saturating_add(*within);
                scan.near
                    .stands_in(scan.bytes, text, around)
                    .then_some(found)
            }
            Body::CustomInRun(measure, alphabet, tries) => {
                let end = scan.runs.run(scan.bytes, *alphabet, at).end;
                scan.tries.admits(end, *tries).then_some(())?;
                measure(scan.bytes, at..end)
            }
            Body::Run(alphabet, length, check) => {
                let is_part = |before: u8| {
                    let joins = self.in_names && matches!(before, b'-' | b'_');
                    before.is_ascii_alphanumeric() || alphabet.has(before) && !joins
                };
                if !begins(scan.bytes, at, is_part) {
                    return None;
                }
                let start = at.checked_add(self.prefix.len())?;
                let run = scan.runs.run(scan.bytes, *alphabet, start);
                let fits = length.contains(&run.end.saturating_sub(start))
                    && match check {
                        Check::Ending(check) => run.ending(scan.bytes, start, *check),
                        Check::Whole(check) => check(scan.bytes.get(start..run.end)?),
                    };
                fits.then_some(at..run.end)
            }
        }
    }
}

/// Whether something may begin at `at`: not behind what `is_part` of the same word or run, unless
/// that is the end of a PEM block or of an escape.
pub(super) fn begins(bytes: &[u8], at: usize, is_part: impl Fn(u8) -> bool) -> bool {
    !before(bytes, at).is_some_and(|before| is_part(*before))
        || bytes
            .get(..at)
            .is_some_and(|text| text.ends_with(DASHES) || escapes::end(text))
}

/// What PEM blocks begin and end with.
pub(super) const DASHES: &[u8] = b"-----";

/// Where the next five dashes are.
pub(super) fn dashes(bytes: &[u8]) -> Option<usize> {
    let found = next_dashes(bytes);
    #[cfg(test)]
    counted::add(found.unwrap_or(bytes.len()));
    found
}

fn next_dashes(bytes: &[u8]) -> Option<usize> {
    // One of any five bytes in a row has a number that five divides.
    let fifths = bytes
        .iter()
        .enumerate()
        .skip(DASHES.len().saturating_sub(1));
    fifths
        .step_by(DASHES.len())
        .filter(|(_, byte)| **byte == b'-')
        .find_map(|(at, _)| {
            let from = at.saturating_sub(DASHES.len().saturating_sub(1));
            let around = bytes.get(from..)?;
            let around = around.get(
                ..around
                    .len()
                    .min(DASHES.len().saturating_mul(2).saturating_sub(1)),
            )?;
            let first = around
                .windows(DASHES.len())
                .position(|part| part == DASHES)?;
            from.checked_add(first)
        })
}

/// How many bytes this thread has gone through but for comparing prefixes.
#[cfg(test)]
pub(super) mod counted {
    use std::cell::Cell;

    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn add(bytes: usize) {
        BYTES.set(BYTES.get().saturating_add(bytes));
    }

    pub(crate) fn take() -> usize {
        BYTES.take()
    }
}

/// The byte before `at`.
pub(super) fn before(bytes: &[u8], at: usize) -> Option<&u8> {
    bytes.get(at.checked_sub(1)?)
}

/// The first bytes of a prefix: every one has as many.
pub(super) const HEAD: usize = 3;

/// Where shapes begin: most bytes begin none.
struct Beginnings {
    /// For each first byte, the second ones.
    pairs: [[bool; 256]; 256],
    /// The shapes by their first byte, in their order, each with its first bytes.
    by_first: [Vec<([u8; HEAD], &'static Shape)>; 256],
}

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let heads = || {
        let head = |shape: &'static Shape| Some((*shape.prefix.as_bytes().first_chunk()?, shape));
        SHAPES.iter().filter_map(head)
    };
    let is = |byte: u8, number: usize| usize::from(byte) == number;
    Beginnings {
        pairs: std::array::from_fn(|first| {
            std::array::from_fn(|second| {
                heads().any(|([one, two, _], _)| is(one, first) && is(two, second))
            })
        }),
        by_first: std::array::from_fn(|first| {
            heads().filter(|([one, ..], _)| is(*one, first)).collect()
        }),
    }
});

impl Beginnings {
    /// The shapes whose prefix stands at the beginning of `rest`.
    fn of<'a>(&'a self, rest: &'a [u8]) -> impl Iterator<Item = &'static Shape> + 'a {
        let head = rest.first_chunk::<HEAD>();
        let shapes = head.and_then(|[first, second, _]| {
            let (first, second) = (usize::from(*first), usize::from(*second));
            let begins = self.pairs.get(first)?.get(second)?;
            begins.then(|| self.by_first.get(first)).flatten()
        });
        let shapes = shapes.into_iter().flatten();
        let shapes = shapes.filter(move |(known, _)| head == Some(known));
        let shapes = shapes.map(|(_, shape)| *shape);
        shapes.filter(|shape| rest.starts_with(shape.prefix.as_bytes()))
    }
}

/// The last name in `text` that makes a credential of what stands beside it, as far as the rules know it.
pub(super) fn name_in(text: &str) -> Option<&'static str> {
    let (beginnings, bytes) = (&*BEGINNINGS, text.as_bytes());
    (0..bytes.len()).rev().find_map(|at| {
        let mut shapes = beginnings.of(bytes.get(at..)?);
        shapes.find(|shape| shape.is_name).map(|shape| shape.prefix)
    })
}

/// One pass over a text, with what was found out about it on the way.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    runs: Runs,
    near: Near,
    tries: Tries,
}

impl<'a> Scan<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            runs: Runs::default(),
            near: Near::default(),
            tries: Tries::default(),
        }
    }

    /// Where the run of `alphabet` ends that goes on at `start`.
    #[cfg(test)]
    pub(super) fn run_end(&mut self, alphabet: Alphabet, start: usize) -> usize {
        self.runs.run(self.bytes, alphabet, start).end
    }

    /// The first credential that begins at `from` or later, of a rule that is `wanted`; `from` is never
    /// less than the time before.
    pub(super) fn next(&mut self, from: usize, wanted: &impl Fn(Rule) -> bool) -> Option<Found> {
        let beginnings = &*BEGINNINGS;
        let bytes = self.bytes;
        (from..bytes.len()).find_map(|at| {
            beginnings.of(bytes.get(at..)?).find_map(|shape| {
                let found = shape.at(self, at)?;
                (found.start >= from && wanted(shape.rule)).then_some(Found {
                    rule: shape.rule,
                    at: found,
                })
            })
        })
    }
}
