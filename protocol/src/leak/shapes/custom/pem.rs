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

/// At one of so many places at least is a turn in what looks random: what a key begins with is the same
/// for all of its kind (`MIIEvQIBADANBgkqhkiG9w0BAQEFAASC`) and has fewer.
const PLACES: usize = 6;

/// The same of a line that counts only together with others, where lists of words have them, too.
const SHORT_PLACES: usize = 3;

/// Most bytes that stand before each line of a key, as logs have it (`builder-1  | `).
const BEFORE: usize = 48;

/// Longest name of a header, in bytes.
const HEADER: usize = 32;

/// Most digits of the number of a line that a pager or an editor puts before it.
const LINE_NUMBER: usize = 5;

/// A block with a private key in it, to its end. Half a key, without an end, is worth masking too:
/// to the last of its lines, for what follows is the rest of the text.
pub(in crate::leak) fn private_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let begin = at.checked_add(b"-----BEGIN ".len())?;
    let body = begin.checked_add(label(bytes.get(begin..)?)?)?;
    let rest = bytes.get(body..)?;
    let length = match extent(rest) {
        Extent::Closed { body, end } => is_key(rest.get(..body)?).then_some(end)?,
        Extent::Open(length) => open_key(rest.get(..length)?, before(bytes, at))?,
    };
    Some(at..body.checked_add(length)?)
}

/// What stands before the block in its line, and perhaps before its other lines, as in logs.
fn before(bytes: &[u8], at: usize) -> &[u8] {
    let before = bytes.get(at.saturating_sub(BEFORE)..at).unwrap_or_default();
    #[cfg(test)]
    super::super::counted::add(before.len());
    let line = before.rsplit(|byte| *byte == b'\n').next();
    line.unwrap_or_default()
}

/// How long the label of a private key is that `text` begins with, and the five dashes behind it.
fn label(text: &[u8]) -> Option<usize> {
    let length = dashes(text.get(..text.len().min(LABEL))?)?;
    let label = text.get(..length)?;
    let is_private = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    is_private.then(|| length.saturating_add(DASHES.len()))
}

/// How far a block reaches behind its first line.
enum Extent {
    /// To where its last line begins, and to where that ends.
    Closed { body: usize, end: usize },
    /// It has none: to the next block or the end of the text.
    Open(usize),
}

/// Whatever dashes are in it that neither begin nor end a block: of headers, pages, tables.
fn extent(rest: &[u8]) -> Extent {
    let mut from = 0_usize;
    while let Some(found) = rest.get(from..).and_then(dashes) {
        let at = from.saturating_add(found);
        let behind = rest.get(at..).unwrap_or_default();
        let row = behind.iter().take_while(|byte| **byte == b'-').count();
        #[cfg(test)]
        super::super::counted::add(row);
        // The last five of them may begin or end a block.
        let body = at.saturating_add(row.saturating_sub(DASHES.len()));
        from = at.saturating_add(row);
        let behind = rest.get(from..).unwrap_or_default();
        if behind.starts_with(b"BEGIN ") {
            return Extent::Open(at);
        }
        if let Some(length) = behind.strip_prefix(b"END ").and_then(label) {
            let end = from.saturating_add(b"END ".len()).saturating_add(length);
            return Extent::Closed { body, end };
        }
    }
    Extent::Open(rest.len())
}

/// Whether something in a block is long and looks random, or enough short lines do together. Prose
/// that only names the beginning and the end has no such lines.
fn is_key(text: &[u8]) -> bool {
    #[cfg(test)]
    super::super::counted::add(text.len());
    let mut pieces = text.split(|byte| !is_part(*byte));
    if pieces.any(|piece| piece.len() >= LINE && checks::random(piece, PLACES)) {
        return true;
    }
    let mut short = ShortLines::default();
    lines(text).map(trimmed).any(|line| short.add(line))
}

/// How long half a key is that stands right behind the first line of its block or the headers there;
/// nothing if something else does: prose goes on with words, and later in it may come anything.
fn open_key(text: &[u8], before: &[u8]) -> Option<usize> {
    #[cfg(test)]
    super::super::counted::add(text.len());
    let (mut key, mut start) = (OpenKey::default(), 0_usize);
    for line in lines(text) {
        let is_first = start == 0;
        let behind = start.saturating_add(line.len()).saturating_add(1);
        let line = line.strip_prefix(before).unwrap_or(line);
        start = behind.saturating_sub(line.len()).saturating_sub(1);
        key.begin_line();
        if trimmed(line).is_empty() {
            key.is_behind_blank = true;
        } else if key.end.is_some() || is_first || !is_header(line) {
            for piece in line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                let around = piece.iter().rev().take_while(|byte| is_around(**byte));
                let behind_piece = start.saturating_add(piece.len());
                key.add(trimmed(piece), behind_piece.saturating_sub(around.count()))?;
                start = behind_piece.saturating_add(1);
            }
        }
        start = behind;
    }
    key.end
}

/// Half a key, line by line.
#[derive(Default)]
struct OpenKey {
    /// Where the last of its lines ends, as soon as they are enough.
    end: Option<usize>,
    short: ShortLines,
    /// How long its first line is: the others are as long, but for the last.
    width: Option<usize>,
    /// Whether its last line was there, which is shorter, or something else.
    is_over: bool,
    is_behind_blank: bool,
    /// Whether something has stood in this line.
    is_in_line: bool,
    /// Where it ends without the shorter line that came last, unless that is the first word of more.
    without_last: Option<usize>,
}

impl OpenKey {
    fn begin_line(&mut self) {
        self.is_in_line = false;
        self.without_last = None;
    }

    /// Goes on with what ends at `end`; nothing if this is no key.
    fn add(&mut self, piece: &[u8], end: usize) -> Option<()> {
        if is_around_lines(piece) {
            return Some(());
        }
        let is_first = !std::mem::replace(&mut self.is_in_line, true);
        self.end = self.without_last.take().or(self.end);
        let width = *self.width.get_or_insert(piece.len());
        let is_last = piece.len() < width;
        let is_whole = piece.iter().copied().all(is_part);
        let is_next =
            is_whole && !self.is_over && (piece.len() == width || is_last && !self.is_behind_blank);
        let is_long = is_whole && piece.len() >= LINE && checks::random(piece, PLACES);
        let is_one = match self.end {
            Some(_) => is_long || is_next,
            None if !is_next || piece.len() < SHORT_LINE => return None,
            None => is_long || self.short.add(piece),
        };
        if is_one {
            self.without_last = self.end.filter(|_| is_first && is_last && !is_long);
            self.end = Some(end);
        }
        self.is_over = !is_long && (is_last || !is_next);
        self.is_behind_blank = false;
        Some(())
    }
}

/// What lines look like that are too short to count by themselves.
#[derive(Default)]
struct ShortLines {
    together: Vec<u8>,
}

impl ShortLines {
    /// Whether they are enough, with this one.
    fn add(&mut self, line: &[u8]) -> bool {
        let looks_random = checks::turns(line).saturating_mul(SHORT_PLACES) >= line.len();
        if line.len() < SHORT_LINE || !line.iter().copied().all(is_part) || !looks_random {
            return false;
        }
        self.together.extend(line);
        if self.together.len() < LINE {
            return false;
        }
        // Each is looked at once.
        let together = std::mem::take(&mut self.together);
        checks::random(&together, PLACES)
    }
}

fn is_part(byte: u8) -> bool {
    Alphabet::Base64.has(byte) || byte == b'='
}

/// Whether it is nothing, the rest of an escape or the number of a line.
fn is_around_lines(piece: &[u8]) -> bool {
    matches!(piece, b"r" | b"n" | b"+")
        || piece.len() <= LINE_NUMBER && piece.iter().all(u8::is_ascii_digit)
}

/// A header (RFC 1421, 4.6; RFC 9580, 6.2.2).
fn is_header(line: &[u8]) -> bool {
    let quoted = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'>' | b'|'));
    let Some(line) = line.get(quoted.count()..) else {
        return false;
    };
    let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'-';
    let name = line.iter().take(HEADER).take_while(is_name).count();
    let begins = line.first().is_some_and(u8::is_ascii_alphabetic);
    begins && line.get(name..).is_some_and(|rest| rest.starts_with(b": "))
}

/// The lines of a text that may have been cut out of JSON or of code, where a line break is written.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\\'))
}

/// What stands in a line, without what quotes or joins it and without the rest of an escape.
fn trimmed(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|byte| !is_around(*byte));
    let end = line.iter().rposition(|byte| !is_around(*byte));
    match (start, end) {
        (Some(start), Some(end)) => line.get(start..=end).unwrap_or_default(),
        (None, _) | (_, None) => &[],
    }
}

fn is_around(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !matches!(byte, b'/' | b'=' | b'+')
}
