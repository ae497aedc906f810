//! The forms of the table, and whether a phrase has one.
//!
//! A form is words, in this notation:
//!
//! | written | stands for |
//! | --- | --- |
//! | `send` | the word |
//! | `msg/message` | one of the words |
//! | `<everyone>` | one of a class of [`super::words`] |
//! | `[the]`, `[:]` | the same, or nothing |
//! | `x:` | `x`, then a colon |
//! | `{name}`, `{minutes}`, `{any}` | one word |
//! | `{text}` | the rest of the phrase |
//! | `{statement}`, `{question}` | the same, where no word or colon sets the text off |
//! | `{about}` | the same, beginning with the word `about` |
//! | `{rest}` | anything, even nothing |
//!
//! Here is only how a phrase is built. Whether a name is a name and a text is one is looked at
//! afterwards: [`super::reading`].

use super::cursor::{Cursor, without_marks};
use super::words;

/// A part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// One of these, or nothing if it is optional.
    OneOf(Vec<&'static str>, Optional),
    Colon(Optional),
    Name,
    Minutes,
    Any,
    Text(TextKind),
    Rest,
}

/// Whether a part may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Optional {
    Yes,
    No,
}

/// What sets a text off from the words before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// A colon, or a word such as `that`.
    SetOff,
    /// Nothing; the text says something.
    Statement,
    /// Nothing; the text asks something.
    Question,
    /// The word `about`, which belongs to it.
    About,
}

/// A form, ready to be compared with phrases.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Part>);

/// What stands in the places of a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Slots<'a> {
    /// The word in the place of `{name}`, without what encloses it.
    pub(super) name: Option<&'a str>,
    /// The word in the place of `{minutes}`.
    pub(super) minutes: Option<&'a str>,
    /// The text, perhaps empty.
    pub(super) text: Option<(&'a str, TextKind)>,
    /// Whether a colon was passed.
    pub(super) colon: bool,
}

impl Pattern {
    /// Reads a form.
    pub(super) fn new(form: &'static str) -> Self {
        let mut parts = Vec::new();
        for word in form.split(' ') {
            if word == "[:]" {
                parts.push(Part::Colon(Optional::Yes));
            } else if let Some(word) = word.strip_suffix(':') {
                parts.push(part(word));
                parts.push(Part::Colon(Optional::No));
            } else {
                parts.push(part(word));
            }
        }
        Self(parts)
    }

    /// What stands in the places of this form, if the phrase has it.
    pub(super) fn fit<'a>(&self, phrase: Cursor<'a>) -> Option<Slots<'a>> {
        fit(&self.0, phrase, Slots::default())
    }

    /// The form as it is shown: what is optional left out; of several words the one that was typed,
    /// else the first.
    pub(super) fn plain(&self, was_typed: impl Fn(&str) -> bool) -> String {
        let mut plain = String::new();
        for part in &self.0 {
            let word = match part {
                Part::OneOf(_, Optional::Yes) | Part::Colon(Optional::Yes) | Part::Rest => continue,
                Part::Colon(Optional::No) => {
                    plain.push(':');
                    continue;
                }
                Part::OneOf(several, Optional::No) => {
                    let chosen = several
                        .iter()
                        .find(|word| was_typed(word))
                        .or_else(|| several.first());
                    chosen.copied().unwrap_or_default()
                }
                Part::Name | Part::Any => "NAME",
                Part::Minutes => "N",
                Part::Text(TextKind::About) => "about TEXT",
                Part::Text(_) => "TEXT",
            };
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.push_str(word);
        }
        plain
    }
}

fn part(written: &'static str) -> Part {
    match written {
        "{name}" => Part::Name,
        "{minutes}" => Part::Minutes,
        "{any}" => Part::Any,
        "{text}" => Part::Text(TextKind::SetOff),
        "{statement}" => Part::Text(TextKind::Statement),
        "{question}" => Part::Text(TextKind::Question),
        "{about}" => Part::Text(TextKind::About),
        "{rest}" => Part::Rest,
        _ => {
            let inner = written.strip_prefix('[').and_then(|w| w.strip_suffix(']'));
            let optional = inner.map_or(Optional::No, |_| Optional::Yes);
            let inner = inner.unwrap_or(written);
            let class = inner.strip_prefix('<').and_then(|w| w.strip_suffix('>'));
            let several = class
                .and_then(words::class)
                .map_or_else(|| inner.split('/').collect(), <[&str]>::to_vec);
            Part::OneOf(several, optional)
        }
    }
}

/// As deep as the form is long.
fn fit<'a>(parts: &[Part], at: Cursor<'a>, slots: Slots<'a>) -> Option<Slots<'a>> {
    let Some((part, rest)) = parts.split_first() else {
        let left = at.after_all(words::AT_THE_END);
        return left.text().is_empty().then_some(slots);
    };
    match part {
        Part::OneOf(several, optional) => several
            .iter()
            .find_map(|words| fit(rest, at.after(words)?, slots))
            .or_else(|| without(*optional, rest, at, slots)),
        Part::Colon(optional) => at
            .colon()
            .and_then(|after| {
                fit(
                    rest,
                    after,
                    Slots {
                        colon: true,
                        ..slots
                    },
                )
            })
            .or_else(|| without(*optional, rest, at, slots)),
        Part::Name => {
            let (word, after) = at.word()?;
            let name = Some(bare(word, rest.is_empty()));
            fit(rest, after, Slots { name, ..slots })
        }
        Part::Minutes => {
            let (word, after) = at.word()?;
            let minutes = Some(without_marks(word));
            fit(rest, after, Slots { minutes, ..slots })
        }
        Part::Any => fit(rest, at.word()?.1, slots),
        Part::Rest => Some(slots),
        Part::Text(kind) => {
            let text = Some((text(at, *kind)?, *kind));
            Some(Slots { text, ..slots })
        }
    }
}

fn without<'a>(
    optional: Optional,
    rest: &[Part],
    at: Cursor<'a>,
    slots: Slots<'a>,
) -> Option<Slots<'a>> {
    match optional {
        Optional::Yes => fit(rest, at, slots),
        Optional::No => None,
    }
}

/// The rest of the phrase, if it can be a text of this kind. A colon, or a word that sets a text
/// off, makes another form of it.
fn text(at: Cursor<'_>, kind: TextKind) -> Option<&str> {
    let is_set_off = at.colon().is_some() || at.after_any(words::SET_OFF).is_some();
    match kind {
        TextKind::SetOff => Some(at.text()),
        TextKind::Statement | TextKind::Question => (!is_set_off).then_some(at.text()),
        TextKind::About => at.after("about").map(|after| {
            if after.text().is_empty() {
                ""
            } else {
                at.text()
            }
        }),
    }
}

/// A name without the quotes around it and, where it ends the phrase, without marks.
fn bare(word: &str, is_last: bool) -> &str {
    let word = if is_last { without_marks(word) } else { word };
    let quotes = [
        ('"', '"'),
        ('\'', '\''),
        ('`', '`'),
        ('\u{201C}', '\u{201D}'),
    ];
    quotes
        .iter()
        .find_map(|(open, close)| word.strip_prefix(*open)?.strip_suffix(*close))
        .unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits<'a>(form: &'static str, phrase: &'a str) -> Option<Slots<'a>> {
        Pattern::new(form).fit(Cursor::new(phrase))
    }

    #[test]
    fn a_form_is_words_choices_and_places() {
        let form = "send [a] message/msg to {name}: {text}";
        let slots = fits(form, "SEND message to Bob: Hi  there: 1").unwrap();
        assert_eq!(slots.name, Some("Bob"));
        assert_eq!(slots.text, Some(("Hi  there: 1", TextKind::SetOff)));
        assert!(fits(form, "send a message to bob hi").is_none());
        assert_eq!(
            Pattern::new(form).plain(|_| false),
            "send message to NAME: TEXT"
        );
    }

    #[test]
    fn what_is_left_over_must_be_polite() {
        assert!(fits("check messages", "check messages now, please!").is_some());
        assert!(fits("check messages", "check messages of bob").is_none());
    }

    #[test]
    fn a_text_that_is_set_off_is_no_bare_statement() {
        for phrase in ["tell bob: hi", "tell bob that hi", "tell bob that"] {
            assert!(
                fits("tell {name} {statement}", phrase).is_none(),
                "{phrase}"
            );
        }
        assert!(fits("tell {name} {statement}", "tell bob hi").is_some());
    }

    #[test]
    fn a_name_may_be_quoted_and_end_a_sentence() {
        let name = |phrase| fits("call me {name}", phrase).unwrap().name;
        assert_eq!(name("call me \"jarvis\"."), Some("jarvis"));
        assert_eq!(name("call me jarvis!"), Some("jarvis"));
        let slots = fits("tell {name} {statement}", "tell bob, hi").unwrap();
        assert_eq!(slots.name, Some("bob,"), "a comma may be a list");
    }
}
