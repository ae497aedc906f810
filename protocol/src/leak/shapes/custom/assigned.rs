//! Keys without a form of their own: what tells them is the name that they are assigned to.
//!
//! How far is looked behind a name is bounded, and ends where the next name begins.

use std::ops::Range;

use super::super::{Alphabet, checks};

/// Bytes of the longest name that a key is known by, and of what stands between it and the key.
const NAME: usize = 21;
const JOINTS: usize = 32;

/// How far from its name an AWS key may begin where only words are between, in bytes. What `aws configure`
/// asks, a table of AWS's console and what Terraform puts out need 80.
const AWS_REACH: usize = 96;

/// Longest of these words, in bytes: the id of the key, which may be one of them.
const AWS_WORD: usize = 20;

/// At one of so many places at least is a turn in a key.
const AWS_PLACES: usize = 5;

/// The key of Azure's storage emulator, which is the same everywhere and documented.
const AZURE_EMULATOR: &[u8] = b"Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6";

/// What stands in a text that was masked before.
const MASKED: [&[u8]; 2] = [b"[masked: aws_access_key]", b"[masked: aws_secret_key]"];

/// Forty bytes of base64 that look random behind their name. Other words may be between: nothing that is
/// written beside this name has as many bytes and is neither a digest in hexadecimal nor a path.
pub(in crate::leak) fn aws_secret_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let mut from = at.checked_add(name(bytes.get(at..)?))?;
    let mut end = from.saturating_add(AWS_REACH);
    while from < end {
        if let Some(masked) = masked(bytes.get(from..)?) {
            // Of several keys behind one name the others are found the next time.
            from = from.checked_add(masked)?;
            end = from.saturating_add(AWS_REACH);
        }
        let joints = joints(bytes.get(from..)?, end.saturating_sub(from));
        let start = from.checked_add(joints)?;
        let rest = bytes.get(start..)?;
        let rest = rest.get(..rest.len().min(41))?;
        let word = rest.get(..Alphabet::Base64.run(rest))?;
        from = start.checked_add(word.len())?;
        if joints == 0 || word.is_empty() {
            return None;
        }
        if word.len() == 40 && checks::random(word, AWS_PLACES) {
            return Some(start..from);
        }
        if word.len() > AWS_WORD || names_another(word) {
            return None;
        }
    }
    None
}

/// How much of `text` ends with a mask that nothing but joints is before.
fn masked(text: &[u8]) -> Option<usize> {
    let before = joints(text, JOINTS);
    // The mask begins with a joint itself.
    let at = before.checked_sub(1)?;
    let rest = text.get(at..)?;
    let mask = MASKED.iter().find(|mask| rest.starts_with(mask))?;
    at.checked_add(mask.len())
}

/// Whether the name of another key begins in `word`: what stands behind that is its own.
fn names_another(word: &[u8]) -> bool {
    let mut parts = word.windows(b"ecret".len());
    parts.any(|part| part.eq_ignore_ascii_case(b"ecret"))
}

/// 64 bytes in base64 that are assigned to their name.
pub(in crate::leak) fn azure_storage_key(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let behind = at.checked_add(name(bytes.get(at..)?))?;
    let joints = joints(bytes.get(behind..)?, JOINTS);
    let start = behind.checked_add((joints > 0).then_some(joints)?)?;
    let end = start.checked_add(88)?;
    let key = bytes.get(start..end)?;
    let is_key = Alphabet::Base64.run(key) == 86 && key.ends_with(b"==");
    let is_public = key.starts_with(AZURE_EMULATOR);
    (is_key && !is_public && checks::mixed(key)).then_some(start..end)
}

/// How long the name is that `text` begins with.
fn name(text: &[u8]) -> usize {
    let name = text.iter().take(NAME);
    let length = name.take_while(|byte| !joins(**byte)).count();
    #[cfg(test)]
    super::super::counted::add(length);
    length
}

/// How much of what joins a name and a value `text` begins with, of so many bytes at most.
fn joints(text: &[u8], most: usize) -> usize {
    let joints = text.iter().take(most);
    let length = joints.take_while(|byte| joins(**byte)).count();
    #[cfg(test)]
    super::super::counted::add(length);
    length
}

/// Whether files, programs and Markdown write it between a name and its value. No such byte is of a
/// value.
fn joins(byte: u8) -> bool {
    let blanks_and_quotes = b" \t\r\n\"'\\`*";
    let signs = b":=<>|,-?$(){}[];#@~";
    // Dashes, arrows and quotes of other alphabets, too.
    blanks_and_quotes.contains(&byte) || signs.contains(&byte) || !byte.is_ascii()
}
