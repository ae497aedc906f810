//! Text of peers, made harmless for a terminal, and for a model that reads as one does.
//!
//! What a terminal would obey or hide is shown instead: control characters and escape sequences
//! (cursor, title, clipboard, links), characters that turn the direction of reading or join
//! letters invisibly, and the tag block, in which whole sentences can hide. The store keeps the
//! raw bytes; this is only about showing them.

use std::fmt::Write;

/// Text on several lines: newline and tab stay.
pub fn block(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

/// Text on one line: it can begin no other.
pub fn line(text: &str) -> String {
    escape(text, |_| false)
}

/// Whether a terminal would obey or hide `c` rather than show it.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{AD}'                      // soft hyphen
            | '\u{34F}'                   // combining grapheme joiner
            | '\u{61C}'                   // Arabic letter mark
            | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers: blank letters
            | '\u{17B4}' | '\u{17B5}'     // Khmer inherent vowels, never shown
            | '\u{180B}'..='\u{180F}'     // Mongolian variation selectors and separator
            | '\u{200B}'..='\u{200F}'     // zero width, and marks of direction
            | '\u{2028}' | '\u{2029}'     // line and paragraph separators
            | '\u{202A}'..='\u{202E}'     // embeddings and overrides of direction
            | '\u{2060}'..='\u{206F}'     // joiners, invisible operators, isolates
            | '\u{FE00}'..='\u{FE0F}'     // variation selectors
            | '\u{FEFF}'                  // byte order mark
            | '\u{FFF9}'..='\u{FFFB}'     // interlinear annotation
            | '\u{1D173}'..='\u{1D17A}'   // musical controls
            | '\u{E0000}'..='\u{E0FFF}'   // tags, more variation selectors, and what is ignored
        )
}

fn escape(text: &str, stays: fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_hidden(c) || stays(c) {
            shown.push(c);
            continue;
        }
        let number = u32::from(c);
        // Writing to a string cannot fail.
        let written = if number < 0x100 && c.is_control() {
            write!(shown, "\\x{number:02x}")
        } else {
            write!(shown, "⟨U+{number:04X}⟩")
        };
        debug_assert!(written.is_ok());
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        assert_eq!(line("\x1b]52;c;ZXZpbA==\x07"), "\\x1b]52;c;ZXZpbA==\\x07");
        assert_eq!(line("\u{9b}2J"), "\\x9b2J");
        assert_eq!(line("a\rb\x08\x7f"), "a\\x0db\\x08\\x7f");
    }

    #[test]
    fn direction_and_invisible_text_are_shown() {
        assert_eq!(line("a\u{202E}b"), "a⟨U+202E⟩b");
        assert_eq!(
            line("\u{200B}\u{FEFF}\u{E0041}"),
            "⟨U+200B⟩⟨U+FEFF⟩⟨U+E0041⟩"
        );
        assert_eq!(line("\u{FE0F}\u{E0100}"), "⟨U+FE0F⟩⟨U+E0100⟩");
    }

    #[test]
    fn only_a_block_has_lines_and_tabs() {
        assert_eq!(block("a\n\tb"), "a\n\tb");
        assert_eq!(line("a\n\tb"), "a\\x0a\\x09b");
        assert_eq!(block("a\u{2028}b"), "a⟨U+2028⟩b");
    }

    #[test]
    fn ordinary_writing_stays_as_it_is() {
        for text in ["Grüße, 世界! naïve 🎉 عربى हिन्दी", "⟨U+202E⟩", "\\x1b"]
        {
            assert_eq!(block(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_survives(text in any::<String>()) {
            prop_assert!(!line(&text).contains(is_hidden));
            prop_assert!(!block(&text).contains(|c| is_hidden(c) && c != '\n' && c != '\t'));
        }

        #[test]
        fn hidden_characters_never_vanish(text in "[\\u{0}-\\u{a0}\\u{2000}-\\u{2070}\\u{e0000}-\\u{e01ff}]{0,40}") {
            prop_assert!(line(&text).chars().count() >= text.chars().count());
        }

        #[test]
        fn escaping_twice_changes_nothing_more(text in any::<String>()) {
            let once = line(&text);
            prop_assert_eq!(line(&once), once);
        }
    }
}
