//! Taking back what was written.
//!
//! A file that nobody changed gets its bytes back exactly, which its hash shows. In one that was
//! changed, each entry is looked for where it was put; whatever is not it stays.

use super::{Hunk, Told};
use crate::setup::document::{find, take_out};
use crate::setup::entry::{Found, Unfit};
use crate::setup::host::Host;
use crate::setup::record::{FileRecord, hash};
use crate::setup::text::{line_number, take_back};

/// `text` without what `known` says was put in.
pub(super) fn undo(
    host: Host,
    text: &str,
    known: &FileRecord,
    told: &mut Told,
) -> Result<String, Unfit> {
    if let Some(before) = exactly(text, known, told) {
        return Ok(before);
    }
    let format = host.format(&known.path);
    let mut left = text.to_owned();
    for placed in known.placed.iter().rev() {
        match take_out(format, &left, placed)? {
            Some(less) => {
                told.removed.push(placed.entry.dotted_path());
                told.hunks.push(difference(&left, &less));
                left = less;
            }
            None if find(format, &left, &placed.entry)? == Found::Nothing => {}
            None => told.left.push(placed.entry.dotted_path()),
        }
    }
    Ok(left)
}

/// What the file held before, if nobody changed it since.
fn exactly(text: &str, known: &FileRecord, told: &mut Told) -> Option<String> {
    if hash(text.as_bytes()) != known.after {
        return None;
    }
    let mut left = text.to_owned();
    let mut hunks = Vec::new();
    for splice in known.splices.iter().rev() {
        hunks.push(Hunk {
            is_added: false,
            line: line_number(&left, splice.at),
            text: splice.text.clone(),
        });
        left = take_back(&left, splice)?;
    }
    if hash(left.as_bytes()) != known.before {
        return None;
    }
    let places = known.placed.iter().map(|placed| placed.entry.dotted_path());
    told.removed.extend(places);
    told.hunks.append(&mut hunks);
    Some(left)
}

/// What `less` has not of `text`, from the first byte that differs to the last.
fn difference(text: &str, less: &str) -> Hunk {
    let same = |(a, b): &(char, char)| a == b;
    let length = |pairs: &mut dyn Iterator<Item = (char, char)>| {
        pairs
            .take_while(same)
            .map(|(c, _)| c.len_utf8())
            .sum::<usize>()
    };
    let start = length(&mut text.chars().zip(less.chars()));
    let rest = text.get(start..).unwrap_or_default();
    let less = less.get(start..).unwrap_or_default();
    let end = length(&mut rest.chars().rev().zip(less.chars().rev()));
    let gone = rest
        .get(..rest.len().saturating_sub(end))
        .unwrap_or_default();
    Hunk {
        is_added: false,
        line: line_number(text, start),
        text: gone.to_owned(),
    }
}
