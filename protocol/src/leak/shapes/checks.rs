//! What tells a credential from what only looks like one: a placeholder, an example, a word.

use super::Check;

/// Different bytes that anything random of these lengths has.
const DIFFERENT: usize = 8;

/// Digits of the checksum at the end of a GitHub token.
const CHECKSUM: usize = 6;

/// Digits in base 62, in the order of that checksum.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What tells the bodies that end where a run ends: each as the last place where one may begin that has
/// it. A longer one has it too, so that one look at the end of a run is enough for all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in super::super) struct Ending {
    /// Behind the last word of an example (`AKIAIOSFODNN7EXAMPLE`): the first place where one may begin.
    past_examples: usize,
    /// As many different bytes as anything random has: a placeholder (`xxxx…`) has fewer.
    varied: Option<usize>,
    /// Capital and small letters, or letters and digits: words have not both.
    mixed: Option<usize>,
    /// A number of six digits.
    numbered: Option<usize>,
    /// The mark in the middle of every key of `OpenAI`.
    marked: Option<usize>,
}

/// Neither an example nor a placeholder.
pub(in super::super) const PLAIN: Check = Check::Ending(Ending::plain);
/// The same, and not made of words.
pub(in super::super) const MIXED: Check = Check::Ending(Ending::mixed);
/// The same, and with a number in it.
pub(in super::super) const NUMBERED: Check = Check::Ending(Ending::numbered);
/// Mixed, and with the mark of `OpenAI`.
pub(in super::super) const OPENAI: Check = Check::Ending(Ending::openai);
/// With GitHub's checksum.
pub(in super::super) const GITHUB: Check = Check::Whole(github);

/// The maker's name in base64.
const OPENAI_MARK: &[u8] = b"T3BlbkFJ";

/// Digits of the ids of workspace and bot in a Slack token.
const ID_DIGITS: usize = 6;

impl Ending {
    /// Looks at `tail`, from its end.
    pub(in super::super) fn of(tail: &[u8]) -> Self {
        let mut ending = Self::default();
        let mut seen = [false; 256];
        let (mut different, mut digits) = (0_usize, 0_usize);
        let (mut has_digit, mut has_upper, mut has_lower) = (false, false, false);
        for (at, byte) in tail.iter().enumerate().rev() {
            if let Some(seen) = seen.get_mut(usize::from(*byte)) {
                different = different.saturating_add(usize::from(!*seen));
                *seen = true;
            }
            let is_digit = byte.is_ascii_digit();
            digits = if is_digit {
                digits.saturating_add(1)
            } else {
                0
            };
            has_digit |= is_digit;
            has_upper |= byte.is_ascii_uppercase();
            has_lower |= byte.is_ascii_lowercase();
            let classes = [has_digit, has_upper, has_lower];
            if different >= DIFFERENT {
                ending.varied.get_or_insert(at);
            }
            if classes.iter().filter(|has| **has).count() >= 2 {
                ending.mixed.get_or_insert(at);
            }
            if digits >= ID_DIGITS {
                ending.numbered.get_or_insert(at);
            }
            let rest = || tail.get(at..).unwrap_or_default();
            if *byte == b'T' && rest().starts_with(OPENAI_MARK) {
                ending.marked.get_or_insert(at);
            }
            let is_example = || rest().starts_with(b"EXAMPLE") || rest().starts_with(b"example");
            if matches!(byte, b'E' | b'e') && ending.past_examples == 0 && is_example() {
                ending.past_examples = at.saturating_add(1);
            }
        }
        ending
    }

    /// Neither an example as documentations have them nor a placeholder.
    pub(in super::super) fn plain(&self, start: usize) -> bool {
        start >= self.past_examples && has(self.varied, start)
    }

    /// The same, and not made of words.
    pub(in super::super) fn mixed(&self, start: usize) -> bool {
        has(self.mixed, start) && self.plain(start)
    }

    /// The same, and with a number in it.
    pub(in super::super) fn numbered(&self, start: usize) -> bool {
        has(self.numbered, start) && self.mixed(start)
    }

    /// The same as mixed, and with the maker's mark.
    pub(in super::super) fn openai(&self, start: usize) -> bool {
        has(self.marked, start) && self.mixed(start)
    }
}

fn has(last: Option<usize>, start: usize) -> bool {
    last.is_some_and(|last| start <= last)
}

/// Whether `body` is mixed as an [`Ending`] is.
pub(in super::super) fn mixed(body: &[u8]) -> bool {
    Ending::of(body).mixed(0)
}

/// Whether `body` is mixed and looks random: it has digits, capital and small letters, as no digest in
/// hexadecimal has, and [`turns`] at one place of `places` at least. Of forty bytes of random base64 one
/// of a thousand has fewer than at one of five; of paths and of names in code hardly any has as many.
pub(in super::super) fn random(body: &[u8], places: usize) -> bool {
    three_classes(body) && turns(body).saturating_mul(places) >= body.len() && mixed(body)
}

/// Whether digits, capital and small letters are in it.
fn three_classes(body: &[u8]) -> bool {
    let has = |class: fn(&u8) -> bool| body.iter().any(class);
    has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
}

/// How often a capital letter follows a small one, or a digit a letter or the other way round: in
/// base64 at two places of five, in words at one of ten.
pub(in super::super) fn turns(body: &[u8]) -> usize {
    let turns = body.windows(2).filter(|pair| match pair {
        [one, two] => {
            one.is_ascii_lowercase() && two.is_ascii_uppercase()
                || one.is_ascii_alphabetic() && two.is_ascii_digit()
                || one.is_ascii_digit() && two.is_ascii_alphabetic()
        }
        _ => false,
    });
    turns.count()
}

/// The last six digits are the CRC-32 of what comes before, in base 62.
fn github(body: &[u8]) -> bool {
    let Some((random, said)) = body.len().checked_sub(CHECKSUM).map(|at| body.split_at(at)) else {
        return false;
    };
    let mut rest = usize::try_from(crc32fast::hash(random)).unwrap_or(0);
    let digits = std::iter::repeat_with(|| {
        let digit = BASE62.get(rest.checked_rem(BASE62.len()).unwrap_or(0));
        rest = rest.checked_div(BASE62.len()).unwrap_or(0);
        digit
    });
    said.iter()
        .rev()
        .zip(digits)
        .all(|(said, digit)| Some(said) == digit)
}
