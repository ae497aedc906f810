//! What is written for a character, or tells a terminal something, and ends in letters or digits:
//! behind it a word begins. It may stand in a text that was cut out of JSON, of code, of an address.

/// Most bytes between the bracket of a terminal's sequence and the letter that it ends with.
const PARAMETERS: usize = 24;

/// How the byte that begins such a sequence is written where it cannot be seen.
const ESCAPES: [&[u8]; 7] = [
    b"\x1b", b"\\e", b"\\033", b"\\x1b", b"\\x1B", b"\\u001b", b"\\u001B",
];

/// Whether `text` ends with one. It looks a bounded way back.
pub(super) fn end(text: &[u8]) -> bool {
    letter(text)
        || digits(text, b"\\u", 4)
        || digits(text, b"\\x", 2)
        || digits(text, b"%", 2)
        || sequence(text)
}

/// `\n`, `\t`, `\r`, `\b`, `\f`.
fn letter(text: &[u8]) -> bool {
    matches!(text, [.., b'\\', b'n' | b't' | b'r' | b'b' | b'f'])
}

/// So many hexadecimal digits behind `before`: `\u000a`, `\x0a`, `%0a`.
fn digits(text: &[u8], before: &[u8], count: usize) -> bool {
    let Some((rest, digits)) = text.len().checked_sub(count).map(|at| text.split_at(at)) else {
        return false;
    };
    rest.ends_with(before) && digits.iter().all(u8::is_ascii_hexdigit)
}

/// A terminal's (ECMA-48, CSI): colours and the like, `ESC[31m`.
fn sequence(text: &[u8]) -> bool {
    let Some((b'a'..=b'z' | b'A'..=b'Z', rest)) = text.split_last() else {
        return false;
    };
    let parameters = rest.iter().rev().take(PARAMETERS);
    let parameters = parameters
        .take_while(|byte| matches!(byte, b' '..=b'?'))
        .count();
    let rest = rest
        .len()
        .checked_sub(parameters)
        .and_then(|at| rest.get(..at));
    let before = rest.and_then(|rest| rest.strip_suffix(b"["));
    before.is_some_and(|before| ESCAPES.iter().any(|escape| before.ends_with(escape)))
}
