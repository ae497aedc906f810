//! Credentials in any text and in any data: what must hold of what is found and of what is masked.
//!
//! No seed holds a credential, or scanners would take the seeds for a leak, and no fuzzer guesses a
//! checksum: 1 and a number stand for the beginning of a shape, 2 and two numbers for characters of
//! an alphabet, and 3 for the checksum of the 30 bytes before it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::rules::SHAPES;
use super::{Entangled, Rule, find, find_in, mask, mask_in};
use crate::json;
use crate::limits::JSON_DEPTH;
use crate::message::Data;

/// Alphabets to take characters from: each mixed enough for a credential.
const POOLS: [&str; 5] = [
    "q7Zw3Rk9Tb5Xn1Lc8Vm2Hs6Jd4Gf0PyAeUiOoBuKaExCzDtErFvGlHhYjMkNpQ",
    "Q7ZW3RK2TB5XN4LCVMHSJDGFPYAEUIO6",
    "4f9a0c7e2b8d1563",
    "QwErTyUiOpAsDfGhJkLzXcVbNm",
    "Q0Z2W3R4K5T6X7N8L9CVMHSJDGFPYAEU",
];

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Credentials: none is left, and nothing else is taken out. Four bytes say which rules are wanted.
pub fn leak(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first_chunk::<4>() else {
        return;
    };
    let choice = u32::from_le_bytes(*choice);
    let wanted = &|rule: Rule| {
        let all = (0_u32..).zip(Rule::ALL);
        let mut chosen = all.filter(|(at, _)| choice.checked_shr(*at).unwrap_or(0) & 1 == 1);
        chosen.any(|(_, of)| *of == rule)
    };
    let text = &*String::from_utf8_lossy(&spelled(rest)).into_owned();
    of_text(text, wanted);
    let value = Value::String(text.to_owned());
    of_data(&Data::from([("text".to_owned(), value)]), wanted);
    of_data(&Data::from([(text.to_owned(), Value::Null)]), wanted);
    if let Ok(object) = json::parse_object(text.as_bytes(), JSON_DEPTH) {
        of_data(&object.into_iter().collect(), wanted);
    }
}

/// What the bytes stand for.
fn spelled(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut bytes = bytes.iter().copied();
    while let Some(byte) = bytes.next() {
        let mut number = || usize::from(bytes.next().unwrap_or(0));
        match byte {
            1 => {
                let shape = SHAPES.iter().cycle().nth(number());
                text.extend(shape.map_or("", |shape| shape.prefix()).bytes());
            }
            2 => {
                let pool = POOLS.iter().cycle().nth(number()).copied();
                text.extend(pool.unwrap_or_default().bytes().cycle().take(number()));
            }
            3 => {
                let from = text.len().saturating_sub(30);
                let checksum = checksum(text.get(from..).unwrap_or_default());
                text.extend(checksum);
            }
            other => text.push(other),
        }
    }
    text
}

/// The CRC-32 of `bytes` in six digits of base 62.
fn checksum(bytes: &[u8]) -> Vec<u8> {
    let mut rest = crc32fast::hash(bytes);
    let mut digits: Vec<u8> = std::iter::repeat_with(|| {
        let digit = usize::try_from(rest % 62)
            .ok()
            .and_then(|at| BASE62.get(at));
        rest /= 62;
        digit.copied().unwrap_or_default()
    })
    .take(6)
    .collect();
    digits.reverse();
    digits
}

fn of_text(text: &str, wanted: &impl Fn(Rule) -> bool) {
    let first = find(text, wanted);
    if let Some(found) = &first {
        let credential = text.get(found.at.clone());
        assert!(wanted(found.rule) && credential.is_some_and(|it| !it.is_empty()));
    }
    match mask(text, wanted) {
        Ok(None) => assert_eq!(first, None),
        Err(Entangled) => assert!(first.is_some(), "nothing is entangled with nothing"),
        Ok(Some(masked)) => {
            assert!(first.is_some() && !masked.rules.is_empty());
            assert!(masked.rules.iter().all(|rule| wanted(*rule)));
            assert_eq!(find(&masked.text, wanted), None, "{:?}", masked.text);
            stands_beside(&masked.text, text, &masked.rules);
        }
    }
}

/// What is between the masks stands in the text, in that order.
fn stands_beside(masked: &str, text: &str, rules: &BTreeSet<Rule>) {
    let kept = pieces(masked, rules);
    let marks = kept.len().saturating_sub(1);
    assert!(marks > 0, "nothing says what was masked: {masked:?}");
    let mut rest = text;
    for (at, piece) in kept.iter().enumerate() {
        let place = match at {
            0 => rest.starts_with(piece).then_some(0),
            at if at == marks => rest.ends_with(piece).then_some(0),
            _ => rest.find(piece),
        };
        assert!(place.is_some(), "{piece:?} is not in {rest:?}");
        let end = place.unwrap_or(0).saturating_add(piece.len());
        rest = rest.get(end..).unwrap_or_default();
    }
    // But for a PEM block, credentials are of few characters: all others are still there.
    if !rules.contains(&Rule::PrivateKey) {
        let is_other = |c: &char| !c.is_ascii_alphanumeric() && !"+/=-_.%:".contains(*c);
        let others =
            |pieces: Vec<&str>| -> String { pieces.concat().chars().filter(is_other).collect() };
        assert_eq!(
            others(kept),
            others(pieces(text, rules)),
            "something else is gone"
        );
    }
}

/// What is left of `text` between the masks of these rules.
fn pieces<'a>(text: &'a str, rules: &BTreeSet<Rule>) -> Vec<&'a str> {
    let mut pieces = vec![text];
    for mask in rules.iter().map(|rule| rule.mask()) {
        pieces = pieces
            .into_iter()
            .flat_map(|piece| piece.split(&mask))
            .collect();
    }
    pieces
}

fn of_data(data: &Data, wanted: &impl Fn(Rule) -> bool) {
    let first = find_in(data, wanted);
    let mut texts = Vec::new();
    for (name, value) in data {
        texts.push(name.as_str());
        texts_of(value, &mut texts);
    }
    let is_in_one = texts.iter().any(|text| find(text, wanted).is_some());
    assert!(first.is_some() || !is_in_one, "not found in {data:?}");
    match mask_in(data, wanted) {
        Ok(None) => assert_eq!(first, None),
        Err(_) => assert!(first.is_some()),
        Ok(Some(masked)) => {
            assert!(first.is_some() && !masked.rules.is_empty());
            assert!(masked.rules.iter().all(|rule| wanted(*rule)));
            assert_eq!(find_in(&masked.data, wanted), None);
            let json = serde_json::to_vec(&masked.data).unwrap_or_default();
            let again = json::parse_object(&json, JSON_DEPTH).ok();
            let again: Option<Data> = again.map(|object| object.into_iter().collect());
            assert_eq!(again.as_ref(), Some(&masked.data), "no data any more");
            // A PEM block may be cut into several texts.
            if !masked.rules.contains(&Rule::PrivateKey) {
                let object = |data: Data| Value::Object(data.into_iter().collect());
                same_shape(&object(data.clone()), &object(masked.data));
            }
        }
    }
}

fn texts_of<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| texts_of(value, texts)),
        Value::Object(object) => object.iter().for_each(|(name, value)| {
            texts.push(name);
            texts_of(value, texts);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The same members and values, but for what texts say.
fn same_shape(one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            assert_eq!(one.len(), other.len(), "a member is gone");
            for (name, value) in one {
                if let Some(other) = other.get(name) {
                    same_shape(value, other);
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            assert_eq!(one.len(), other.len(), "a value is gone");
            one.iter()
                .zip(other)
                .for_each(|(one, other)| same_shape(one, other));
        }
        (Value::String(_), Value::String(_)) => {}
        (one, other) => assert_eq!(one, other),
    }
}
