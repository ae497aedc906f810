//! The forms that are nearest to a phrase that has none.

use super::cursor::{Cursor, without_marks};
use super::pattern::Pattern;
use super::table::FORMS;

/// Words of a phrase that are looked at: forms are shorter.
const WORDS: usize = 10;

/// Characters of a word that are looked at.
const CHARACTERS: usize = 24;

/// Words less alike than this are not the same with a slip in it: 1 is the same word.
const ALIKE: f64 = 0.86;

/// Shown when nothing is near.
const COMMON: [&str; 3] = ["send to NAME: TEXT", "check messages", "list instances"];

/// The three nearest forms, the nearest first; of equally near ones the first of the table.
pub(super) fn forms(phrase: Cursor<'_>) -> [String; 3] {
    let typed = first_words(phrase);
    let is_typed = |word: &str| typed.iter().any(|typed| likeness(word, typed) > 0.0);
    let mut ranked: Vec<(f64, String)> = Vec::new();
    for form in FORMS.iter().flat_map(|(_, forms)| forms.iter()) {
        let plain = Pattern::new(form).plain(is_typed);
        let points = nearness(&typed, &plain);
        if points > 0.0 && !ranked.iter().any(|(_, other)| *other == plain) {
            ranked.push((points, plain));
        }
    }
    ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let mut nearest: Vec<_> = ranked.into_iter().map(|(_, plain)| plain).take(3).collect();
    for common in COMMON {
        if !nearest.iter().any(|form| form == common) {
            nearest.push(common.to_owned());
        }
    }
    let mut nearest = nearest.into_iter();
    [(); 3].map(|()| nearest.next().unwrap_or_default())
}

fn first_words(phrase: Cursor<'_>) -> Vec<String> {
    let words = phrase.text().split(|c: char| c.is_whitespace() || c == ':');
    let words = words.map(without_marks).filter(|word| !word.is_empty());
    let cut = |word: &str| -> String { word.chars().take(CHARACTERS).collect() };
    words
        .take(WORDS)
        .map(|word| cut(word).to_ascii_lowercase())
        .collect()
}

/// How many of the form's own words were typed: the share of them, from 0 to 1, and as much again
/// for the first one, which is the verb; among equals, the more the nearer.
fn nearness(typed: &[String], form: &str) -> f64 {
    let words = form.split([' ', ':']).filter(|word| !word.is_empty());
    let own = words.filter(|word| !matches!(*word, "NAME" | "TEXT" | "N"));
    let (mut found, mut all, mut verb) = (0.0, 0.0, 0.0);
    for word in own {
        if all == 0.0 {
            verb = typed.first().map_or(0.0, |typed| likeness(word, typed));
        }
        let best = typed.iter().map(|typed| likeness(word, typed));
        found += best.fold(0.0, f64::max);
        all += 1.0;
    }
    if all == 0.0 {
        0.0
    } else {
        verb + found / all + found / 100.0
    }
}

/// 1 for the same word, less for one with a slip in it, 0 for another.
fn likeness(one: &str, other: &str) -> f64 {
    let is_same_start = one.chars().next() == other.chars().next();
    let likeness = strsim::jaro_winkler(one, other);
    if is_same_start && likeness >= ALIKE {
        likeness
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(phrase: &str) -> [String; 3] {
        forms(Cursor::new(phrase))
    }

    #[test]
    fn a_slip_of_the_keys_is_seen_through() {
        assert_eq!(near("brodcast hi")[0], "broadcast: TEXT");
        assert_eq!(near("mesage bob x")[0], "message NAME: TEXT");
        assert!(near("chek mesages").contains(&"check messages".to_owned()));
        assert!(near("renmae to fred")[0].starts_with("rename"));
        assert_eq!(near("call me later")[0], "call me NAME");
        let minutes = near("start auto checking every 70 min");
        assert!(
            minutes.contains(&"start auto checking N".to_owned()),
            "{minutes:?}"
        );
    }

    #[test]
    fn where_nothing_is_near_common_forms_are_shown() {
        assert_eq!(near("quux"), COMMON);
        for form in COMMON {
            let typed = form.replace("NAME", "bob").replace("TEXT", "hi");
            assert!(super::super::understand(&typed).is_ok(), "{form}");
        }
    }

    #[test]
    fn there_are_always_three_and_they_differ() {
        for phrase in ["", "x", "quux frobnicate", &"y ".repeat(100_000)] {
            let [a, b, c] = near(phrase);
            assert!(!a.is_empty() && a != b && b != c && a != c, "{phrase:.20}");
        }
    }
}
