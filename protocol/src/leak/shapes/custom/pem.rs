//! Private keys in PEM blocks (RFC 7468; PGP has the like): where one ends, and what tells it
//! from prose that only names the block.
//!
//! Whatever is looked at ends before the next block begins, so that many of them cost no more than
//! their length.

use std::ops::Range;

use super::super::{Alphabet, DASHES, checks, dashes};

/// Longest label of a block, in bytes: `ENCRYPTED PRIVATE KEY` and its like.
const LABEL: usize = 40;

/// Fewest bytes of a line that is taken for one of a key by itself: 64 and more are usual, the last may
/// be short.
const LINE: usize = 32;

/// Fewest bytes of a line that counts together with others, of as many as one such line.
const SHORT_LINE: usize = 8;

/// Longest name of a header, in bytes.
const HEADER: usize = 32;

/// How often five dashes may stand in the headers of a block.
const HEADER_DASHES: usize = 4;

/// A block with a private key in it, to its end; without one to the next block or the end of the
/// text: half a key is worth masking whole.
pub(in crate::leak) fn private_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let begin = at.checked_add(b"-----BEGIN ".len())?;
    let after = bytes.get(begin..)?;
    let label = dashes(after.get(..after.len().min(LABEL))?)?;
    let label = after.get(..label)?;
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let body = begin.checked_add(label.len())?.checked_add(DASHES.len())?;
    let rest = bytes.get(body..)?;
    let length = length(rest);
    let key = rest.get(..length)?;
    if !is_key(key) {
        return None;
    }
    let end = body.checked_add(length)?;
    let closing = [DASHES, b"END ", label, DASHES].concat();
    let closes = bytes.get(end..)?.starts_with(&closing);
    let end = end.checked_add(if closes { closing.len() } else { 0 })?;
    Some(at..end)
}

/// How long it is behind its first line: to the next five dashes that are not in its headers.
fn length(rest: &[u8]) -> usize {
    let mut from = 0_usize;
    for _ in 0..=HEADER_DASHES {
        let Some(ahead) = rest.get(from..) else { break };
        let Some(found) = dashes(ahead) else {
            return rest.len();
        };
        let at = from.saturating_add(found);
        let (before, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        let row = behind.iter().take_while(|byte| **byte == b'-').count();
        // The last five of them may begin a block.
        let last = behind.get(row.saturating_sub(DASHES.len())..);
        let is_block = last
            .is_some_and(|last| last.starts_with(b"-----BEGIN ") || last.starts_with(b"-----END "));
        #[cfg(test)]
        super::super::counted::add(at.saturating_add(row));
        if is_block || !ends_in_headers(before) {
            return at;
        }
        from = at.saturating_add(row);
    }
    from
}

/// Whether everything in `text`, which follows the first line of a block, is headers (RFC 1421, 4.6;
/// RFC 9580, 6.2.2), of which the last may not be whole.
fn ends_in_headers(text: &[u8]) -> bool {
    let mut lines = lines(text);
    let is_rest_of_first = lines.next().is_some_and(|line| trimmed(line).is_empty());
    let mut headers = lines.peekable();
    // Of `\r\n` as an escape the first half is left over.
    is_rest_of_first
        && headers.peek().is_some()
        && headers.all(|line| line == b"r" || is_header(line))
}

fn is_header(line: &[u8]) -> bool {
    let quoted = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'>' | b'|'));
    let Some(line) = line.get(quoted.count()..) else {
        return false;
    };
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let name = line.iter().take(HEADER).take_while(is_name).count();
    name > 0 && line.get(name..).is_some_and(|rest| rest.starts_with(b": "))
}

/// Whether one of the lines is long and looks random, or enough short ones do together. Prose that only
/// names the block has no such lines.
fn is_key(text: &[u8]) -> bool {
    #[cfg(test)]
    super::super::counted::add(text.len());
    let is_part = |byte: &u8| Alphabet::Base64.has(*byte) || *byte == b'=';
    let mut pieces = text.split(|byte| !is_part(byte));
    if pieces.any(|piece| piece.len() >= LINE && checks::mixed(piece)) {
        return true;
    }
    let short = lines(text)
        .map(trimmed)
        .filter(|line| line.len() >= SHORT_LINE && line.iter().all(is_part) && is_random(line));
    let together: Vec<u8> = short.flatten().copied().collect();
    let has = |class: fn(&u8) -> bool| together.iter().any(class);
    together.len() >= LINE
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && checks::mixed(&together)
}

/// Whether capital letters follow small ones, and digits letters or the other way round, about as often
/// as in base64: at two places of five. In words that is at one of ten.
fn is_random(line: &[u8]) -> bool {
    let turns = line.windows(2).filter(|pair| match pair {
        [one, two] => {
            one.is_ascii_lowercase() && two.is_ascii_uppercase()
                || one.is_ascii_alphabetic() && two.is_ascii_digit()
                || one.is_ascii_digit() && two.is_ascii_alphabetic()
        }
        _ => false,
    });
    turns.count().saturating_mul(3) >= line.len()
}

/// The lines of a text that may have been cut out of JSON or of code, where a line break is written.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\\'))
}

/// What stands in a line, without what quotes or joins it and without the rest of an escape.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_around =
        |byte: &u8| !byte.is_ascii_alphanumeric() && !matches!(byte, b'/' | b'=' | b'+');
    let start = line.iter().position(|byte| !is_around(byte));
    let end = line.iter().rposition(|byte| !is_around(byte));
    match (start, end) {
        (Some(start), Some(end)) => line.get(start..=end).unwrap_or_default(),
        (None, _) | (_, None) => &[],
    }
}
