//! The lines around a text of a peer.

use ipc_protocol::safe;

/// What a fence is called; the word after it is what counts.
const MARK: &str = "peer-text";

/// Characters that are, or pass for, the beginning of a fence.
const OPENINGS: [char; 7] = [
    '<', '\u{FF1C}', '\u{2039}', '\u{3008}', '\u{276E}', '\u{AB}', '\u{2329}',
];

/// Lines that a text cannot have known when it was written: 128 random bits, made anew for every
/// result.
#[derive(Debug)]
pub(crate) struct Fence {
    word: String,
}

impl Fence {
    /// A fence of these random bytes.
    pub(crate) fn new(random: [u8; 16]) -> Self {
        Self {
            word: data_encoding::BASE32HEX_NOPAD
                .encode(&random)
                .to_ascii_lowercase(),
        }
    }

    /// The word.
    #[cfg(test)]
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// `text`, which [`harmless`] has gone over, between the two lines.
    pub(crate) fn around(&self, text: &str) -> String {
        let word = &self.word;
        format!("<{MARK} {word}>\n{text}\n</{MARK} {word}>")
    }
}

/// As much of `text` as fits `room` bytes once [`harmless`] has gone over it: characters that are
/// written out take up to nine times their size, and a result must not outgrow what hosts show.
pub(crate) fn fitting(text: &str, mut room: usize) -> &str {
    for (at, c) in text.char_indices() {
        let cost = match c {
            '\n' | '\t' => 1,
            c if safe::is_hidden(c) => "⟨U+10FFFF⟩".len(),
            c if OPENINGS.contains(&c) => "&lt;".len(),
            c => c.len_utf8(),
        };
        match room.checked_sub(cost) {
            Some(left) => room = left,
            None => return text.get(..at).unwrap_or_default(),
        }
    }
    text
}

/// `text` with nothing in it that is hidden or looks like a fence, and whether anything was hidden.
///
/// What begins like a fence gets another first character, which begins none, so that one pass is
/// all it takes.
pub(crate) fn harmless(text: &str) -> (String, bool) {
    let shown = safe::block(text);
    let had_hidden = shown != text;
    let mut escaped = String::with_capacity(shown.len());
    let mut rest = shown.as_str();
    while let Some(at) = rest.find(OPENINGS) {
        let (before, from) = rest.split_at(at);
        escaped.push_str(before);
        let mut characters = from.chars();
        let opening = characters.next();
        if looks_like_a_fence(characters.as_str()) {
            escaped.push_str("&lt;");
        } else {
            escaped.extend(opening);
        }
        rest = characters.as_str();
    }
    escaped.push_str(rest);
    (escaped, had_hidden)
}

/// Whether what follows an opening makes it pass for a fence, however it is spaced and cased.
fn looks_like_a_fence(after: &str) -> bool {
    let mut letters = after
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '/' | '\\' | '_' | '-'))
        .flat_map(char::to_lowercase);
    MARK.chars()
        .filter(|c| *c != '-')
        .all(|expected| letters.next() == Some(expected))
}
