//! What holds for any phrase, and for the table itself.

use proptest::prelude::*;

use super::super::cursor::Cursor;
use super::super::pattern::Pattern;
use super::super::table::{FORMS, TRAPS, UNFINISHED};
use super::super::words;
use super::{Action, Intent, understand};

/// The text that would go out.
fn outgoing(intent: &Intent) -> Option<&str> {
    match intent {
        Intent::Action(
            Action::Send { text, .. } | Action::Broadcast(text) | Action::Reply(text),
        ) => Some(text),
        Intent::CallMe(_) | Intent::Action(_) => None,
    }
}

#[test]
fn every_line_of_the_table_is_written_in_the_notation() {
    let doubtful = TRAPS.iter().chain(UNFINISHED).map(|(_, forms)| *forms);
    let lines = FORMS.iter().map(|(_, forms)| *forms).chain(doubtful);
    let places = [
        "name",
        "minutes",
        "any",
        "text",
        "statement",
        "question",
        "about",
        "rest",
    ];
    for form in lines.flatten() {
        assert_eq!(form.trim().to_lowercase(), **form, "{form}");
        for word in form.split(' ') {
            let word = word.trim_end_matches(':');
            let inner = word.trim_start_matches('[').trim_end_matches(']');
            if let Some(place) = inner.strip_prefix('{') {
                assert!(
                    places.contains(&place.trim_end_matches('}')),
                    "{form}: {word}"
                );
            } else if let Some(class) = inner.strip_prefix('<') {
                let class = words::class(class.trim_end_matches('>'));
                assert!(class.is_some(), "{form}: {word}");
            } else {
                assert!(
                    !inner.contains(['{', '}', '<', '>', '[', ']']),
                    "{form}: {word}"
                );
            }
        }
    }
}

#[test]
fn every_form_is_understood_as_it_is_shown() {
    for (meaning, forms) in FORMS {
        for form in *forms {
            let plain = Pattern::new(form).plain(|_| false);
            let typed = plain.replace("NAME", "bob").replace("TEXT", "we begin");
            let typed = typed.replace(" N", " 5");
            let understood = understand(&typed);
            assert!(
                understood.is_ok(),
                "{meaning:?} {form}: {typed}: {understood:?}"
            );
            assert!(
                Pattern::new(form).fit(Cursor::new(&typed)).is_some(),
                "{typed}"
            );
        }
    }
}

/// Words of which phrases are made, so that chance comes upon forms.
const PIECES: &[&str] = &[
    "tell",
    "send",
    "a",
    "message",
    "msg",
    "to",
    "bob",
    "alice",
    "everyone",
    "all",
    "and",
    ":",
    "that",
    "saying",
    "about",
    "asking",
    "ask",
    "let",
    "know",
    "reply",
    "broadcast",
    "don't",
    "please",
    "can you",
    "?",
    "register",
    "as",
    "call me",
    "forward",
    "it",
    "start",
    "auto check",
    "every",
    "5",
    "minutes",
    "check",
    "messages",
    "\n",
    "-",
    "hi",
    "the build is green",
    "if",
];

proptest! {
    #[test]
    fn no_text_panics_or_sends_what_is_not_in_it(phrase in any::<String>()) {
        if let Ok(intent) = understand(&phrase) {
            prop_assert!(outgoing(&intent).is_none_or(|text| phrase.contains(text)));
        }
    }

    #[test]
    fn no_jumble_of_words_sends_what_is_not_in_it(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..10),
    ) {
        let phrase = pieces.join(" ");
        match understand(&phrase) {
            Ok(intent) => {
                if let Some(text) = outgoing(&intent) {
                    prop_assert!(phrase.contains(text) && !text.is_empty());
                    prop_assert!(phrase.trim_end().ends_with(text), "{:?}", text);
                }
                prop_assert!(!phrase.starts_with("don't"));
            }
            Err(doubt) => prop_assert!(doubt.nearest.iter().all(|form| !form.is_empty())),
        }
    }

    #[test]
    fn any_text_after_a_colon_is_sent_as_it_is(text in any::<String>()) {
        let phrase = format!("msg bob: {text}");
        let text = text.trim();
        match understand(&phrase) {
            Ok(intent) => prop_assert_eq!(outgoing(&intent), Some(text)),
            Err(_) => prop_assert!(text.is_empty() || text == "-"),
        }
    }
}
