//! What tells a credential from what only looks like one: a placeholder, an example, a word.

/// Different bytes that anything random of these lengths has.
const DIFFERENT: usize = 8;

/// Digits of the checksum at the end of a GitHub token.
const CHECKSUM: usize = 6;

/// Digits in base 62, in the order of that checksum.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Neither an example as documentations have them (`AKIAIOSFODNN7EXAMPLE`) nor a placeholder
/// (`xxxx…`).
pub(in super::super) fn plain(body: &[u8]) -> bool {
    let has = |word: &[u8]| body.windows(word.len()).any(|part| part == word);
    !has(b"EXAMPLE") && !has(b"example") && different(body) >= DIFFERENT
}

/// The same, and not made of words: capital and small letters, or letters and digits, mixed.
pub(in super::super) fn mixed(body: &[u8]) -> bool {
    let classes: [fn(&u8) -> bool; 3] = [
        u8::is_ascii_digit,
        u8::is_ascii_uppercase,
        u8::is_ascii_lowercase,
    ];
    let used = classes
        .iter()
        .filter(|class| body.iter().any(class))
        .count();
    used >= 2 && plain(body)
}

/// The same, and with a number in it: the ids of workspace and bot.
pub(in super::super) fn numbered(body: &[u8]) -> bool {
    mixed(body)
        && body
            .windows(6)
            .any(|part| part.iter().all(u8::is_ascii_digit))
}

/// The mark in the middle of every key: the maker's name in base64.
pub(in super::super) fn openai(body: &[u8]) -> bool {
    let mark = b"T3BlbkFJ";
    body.windows(mark.len()).any(|part| part == mark) && mixed(body)
}

/// The last six digits are the CRC-32 of what comes before, in base 62.
pub(in super::super) fn github(body: &[u8]) -> bool {
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

fn different(body: &[u8]) -> usize {
    let mut seen = [false; 256];
    for byte in body {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count()
}
