//! What a text that was made for it costs: each of its bytes is gone through a few times, however many
//! prefixes stand in it. Counted, not timed.

use super::super::Scan;
use super::super::data::NAMED;
use super::super::rules::{LONG, SHAPES};
use std::collections::BTreeSet;

use super::super::shapes::{Alphabet, HEAD, Shape, counted, dashes};
use super::*;

/// How often a run may be followed: once for each alphabet that a prefix in it asks for, and once more
/// where a longer prefix was asked about before a shorter one at the same place.
const TIMES: usize = 6;

fn followed(text: &str) -> usize {
    counted::take();
    let (mut scan, mut from) = (Scan::of(text), 0);
    while let Some(found) = scan.next(from, &every) {
        from = found.at.end;
    }
    counted::take()
}

/// What takes the shapes that are more than a prefix and a run further than their prefix does.
const FURTHER: [&str; 34] = [
    "-----BEGIN PRIVATE KEY-----A",
    "eyJ.eyJ.",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY",
    "-----BEGIN PRIVATE KEY-----\n",
    "eyJhbGciOiJub25lIn0.eyJ",
    "?sig=sv=20",
    "AccountKey=A",
    "AccountKey\":\"A",
    "AccountKey                               A",
    "ecretAccessKey ",
    "ecretAccessKey-A ",
    "ecretAccessKey A B C D E F G H I J K L M N O P Q R S T U V W X Y Z A B C D E F G H I J K L M N",
    "ecret access key,",
    "ecret-access-key-",
    "ecret_access_key                                                                              A",
    "ecretAccessKey=Ab1Cd2Ef Gh3Ij4Kl5Mn6Op7Qr8St9Uv0Wx1Yz2Ab3Cd4Ef5Gh",
    "AccountKey`*,-{",
    "ecretAccessKey [masked: aws_secret_key]",
    "[masked: aws_secret_key] [masked: aws_access_key]",
    "hooks.slack.com/services/T/B/",
    "hooks.slack.com/triggers/T/1/A",
    "hooks.slack.com/workflows/T/A/1/A",
    "-----BEGIN PRIVATE KEY-----\nA: -----",
    "-----BEGIN PRIVATE KEY-----\nA: -----\nA: -----\nA: -----\nA: -----\n",
    "-----BEGIN PRIVATE KEY-----\nA: ",
    "-----BEGIN PRIVATE KEY-----\nAb1Cd2Ef\n",
    "-----BEGIN PRIVATE KEY-----\nAb1Cd2Ef \n------ 2 ------\n",
    "-----BEGIN PRIVATE KEY-----\nAb1Cd2EfGh3Ij4Kl5Mn6Op7Qr8St9Uv0W\n-----END ",
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY----",
    "eyJhbGciOiJIUzI1NiJ9.",
    "eyJhbGciOiJIUzI1NiJ9.eyJhbGciOiJIUzI1NiJ9",
    "eyJhbGciOiJub25lIn0.e30.",
    "\\u0041eyJ",
];

#[test]
fn a_text_of_nothing_but_prefixes_is_gone_through_a_few_times_and_not_once_for_each() {
    let prefixes: Vec<&str> = SHAPES.iter().map(Shape::prefix).collect();
    let joined = prefixes.join("-");
    // As long as a part of a token may be.
    let glued = format!("{}.", "eyJ".repeat(21_840));
    // What stands between them ends a run, or does not.
    for between in ["", "-----", "----", "-", ".", " ", "=", "\n"] {
        // A token whose claims are as long, and one that says so and has no signature.
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256"}"#);
        let claims =
            BASE64URL_NOPAD.encode(format!("{{\"a\":\"{}\"}}", "b".repeat(49_000)).as_bytes());
        let long = format!("{header}.{claims}");
        let cut = format!("{header}.{}", "eyJ".repeat(21_840));
        let units = prefixes
            .iter()
            .copied()
            .chain(FURTHER)
            .chain([&joined, &glued, &long, &cut].map(String::as_str));
        for unit in units.map(|unit| format!("{between}{unit}")) {
            let text = unit.repeat(65_536_usize.div_ceil(unit.len()));
            let followed = followed(&text);
            assert!(followed <= TIMES * text.len(), "{unit}: {followed}");
        }
    }
}

#[test]
fn data_below_a_long_name_is_gone_through_a_few_times_and_not_once_for_each_string() {
    // Behind what the string has before it, for itself, in its list, and with all others.
    const WAYS: usize = 4;
    let long = "ecretAccessKey ".repeat(2_000);
    for unit in [
        "ecretAccessKey ",
        "ccountKey={",
        "a",
        "eyJ",
        "-----BEGIN PRIVATE KEY-----\nA",
    ] {
        for name in ["a", "SecretAccessKey", "AccountKey", &long] {
            let text = unit.repeat(NAMED.div_ceil(unit.len()));
            let mut value = serde_json::json!(vec![text; 1_000]);
            for _ in 0..20 {
                value = serde_json::json!({ "a": [value, ""] });
            }
            let data = crate::message::Data::from([(name.to_owned(), value)]);
            let length = serde_json::to_vec(&data).unwrap().len();
            counted::take();
            let _found = find_in(&data, |_| false);
            let followed = counted::take();
            assert!(
                followed <= WAYS * TIMES * length,
                "{name} {unit}: {followed}"
            );
        }
    }
}

#[test]
fn a_prefix_has_the_bytes_that_it_is_looked_for_by() {
    for shape in SHAPES {
        assert!(shape.prefix().len() >= HEAD, "{}", shape.prefix());
        assert!(shape.longest().is_none_or(|longest| longest <= LONG));
    }
    // What is known of where such a text stands is kept once for all of them.
    let near: BTreeSet<_> = SHAPES.iter().filter_map(Shape::near).collect();
    assert!(near.len() <= 1, "{near:?}");
}

const ALPHABETS: [Alphabet; 8] = [
    Alphabet::Base32,
    Alphabet::Bech32,
    Alphabet::Hex,
    Alphabet::Letters,
    Alphabet::Word,
    Alphabet::WordDash,
    Alphabet::WordDashDot,
    Alphabet::Base64,
];

proptest! {
    #[test]
    fn whatever_begins_within_a_run_ends_where_the_run_ends(
        text in "[aZ7+._-]{0,40}", starts in proptest::collection::vec(0_usize..40, 1..6), which in 0_usize..8
    ) {
        let alphabet = ALPHABETS[which];
        let mut scan = Scan::of(&text);
        for start in starts.into_iter().filter(|start| *start <= text.len()) {
            let afresh = alphabet.run(&text.as_bytes()[start..]);
            prop_assert_eq!(scan.run_end(alphabet, start).checked_sub(start), Some(afresh));
        }
    }

    #[test]
    fn five_dashes_are_found_wherever_they_begin(text in "[a-]{0,40}") {
        let plain = text.find("-----");
        prop_assert_eq!(dashes(text.as_bytes()), plain);
    }
}
