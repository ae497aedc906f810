//! What is known of a text from one prefix to the next, so that nothing in it is gone through as often
//! as there are prefixes.

use std::ops::Range;

use super::alphabets::Alphabet;
use super::checks::Ending;
use crate::leak::rules::LONG;

/// The runs that were followed last, one of each alphabet.
#[derive(Debug, Default)]
pub(super) struct Runs {
    base32: Run,
    bech32: Run,
    hex: Run,
    letters: Run,
    word: Run,
    word_dash: Run,
    word_dash_dot: Run,
    base64: Run,
}

/// Bytes of one alphabet. Whatever begins among them ends where they do: five dashes that would end a
/// part sooner would have ended the whole there.
#[derive(Debug, Default)]
pub(super) struct Run {
    start: usize,
    pub(super) end: usize,
    /// What was found at its end, from which byte on.
    ending: Option<(usize, Ending)>,
}

impl Runs {
    /// The run of `alphabet` that goes on at `start`; empty if none does.
    pub(super) fn run(&mut self, bytes: &[u8], alphabet: Alphabet, start: usize) -> &mut Run {
        let run = match alphabet {
            Alphabet::Base32 => &mut self.base32,
            Alphabet::Bech32 => &mut self.bech32,
            Alphabet::Hex => &mut self.hex,
            Alphabet::Letters => &mut self.letters,
            Alphabet::Word => &mut self.word,
            Alphabet::WordDash => &mut self.word_dash,
            Alphabet::WordDashDot => &mut self.word_dash_dot,
            Alphabet::Base64 => &mut self.base64,
        };
        if !(run.start..run.end).contains(&start) {
            let length = bytes.get(start..).map_or(0, |rest| alphabet.run(rest));
            *run = Run {
                start,
                end: start.saturating_add(length),
                ending: None,
            };
        }
        run
    }
}

impl Run {
    /// Whether the part from `start` on passes `check`. Parts longer than anything that counts do not.
    pub(super) fn ending(
        &mut self,
        bytes: &[u8],
        start: usize,
        check: fn(&Ending, usize) -> bool,
    ) -> bool {
        let far = self.end.saturating_sub(LONG).max(self.start);
        let (from, ending) = self.ending.get_or_insert_with(|| {
            let tail = bytes.get(far..self.end).unwrap_or_default();
            #[cfg(test)]
            super::counted::add(tail.len());
            (far, Ending::of(tail))
        });
        start
            .checked_sub(*from)
            .is_some_and(|start| check(ending, start))
    }
}

/// Where a text that is looked for again and again stands next.
#[derive(Debug, Default)]
pub(super) struct Near {
    text: &'static [u8],
    next: Option<Next>,
}

/// From where it was looked for on, the first place where it is.
#[derive(Debug, Clone, Copy)]
enum Next {
    At(usize),
    Nowhere,
}

impl Near {
    /// Whether `text` stands within `around`, whose start is never less than the time before. Another text
    /// than the time before is looked for anew: that all shapes have the same keeps this linear.
    pub(super) fn stands_in(
        &mut self,
        bytes: &[u8],
        text: &'static [u8],
        around: Range<usize>,
    ) -> bool {
        if self.text != text {
            *self = Self { text, next: None };
        }
        let known = self.next.filter(|next| match next {
            Next::At(at) => *at >= around.start,
            Next::Nowhere => true,
        });
        let next = *self.next.insert(known.unwrap_or_else(|| {
            let rest = bytes.get(around.start..).unwrap_or_default();
            let found = rest.windows(text.len()).position(|part| part == text);
            #[cfg(test)]
            super::counted::add(found.unwrap_or(rest.len()));
            let at = found.and_then(|found| found.checked_add(around.start));
            at.map_or(Next::Nowhere, Next::At)
        }));
        match next {
            Next::At(at) => at.saturating_add(text.len()) <= around.end,
            Next::Nowhere => false,
        }
    }
}

/// How often something was tried in the run that was looked at last.
#[derive(Debug, Default)]
pub(super) struct Tries {
    run_end: usize,
    so_far: usize,
}

impl Tries {
    /// Whether one more may be tried, of `most`, in the run that ends at `run_end`.
    pub(super) fn admits(&mut self, run_end: usize, most: usize) -> bool {
        if self.run_end != run_end {
            *self = Self { run_end, so_far: 0 };
        }
        self.so_far = self.so_far.saturating_add(1);
        self.so_far <= most
    }
}
