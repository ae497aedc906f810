//! Credentials in attached data: in each of its strings by itself, as it reads and not as it is
//! written in JSON, where a line break is a letter behind a backslash. Then in all of its values
//! together, as lines: a key in a PEM block may be cut into them, and a name may stand in one
//! (`{"name": "AWS_SECRET_ACCESS_KEY", "value": …}`).
//!
//! Nothing that was cut within a line is found. To find it, strings would have to be put together that
//! never were one word, and in lists of ids, digests and halves of names whatever has a prefix would then
//! be a credential; and no accident cuts a key there.
//!
//! What always holds: a string is looked at behind the name that it has, which may be what makes it
//! a credential, and behind the nearest name around it that does (`{"SecretAccessKey": {"S": …}}`), of
//! which only what the rules know is put before it, so that long names cost nothing; names stay as they are, or two could become one; what is masked ends in its string.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shapes::{Scan, name_in};
use super::{Entangled, Found, Rule, find, mask};
use crate::message::Data;

/// What stands between a name and its value: in JSON, and for the rules that want a name.
const JOINT: &str = "\":\"";

/// Fewest bytes of a credential that a name makes one: shorter strings are not put behind it.
pub(super) const NAMED: usize = 40;

/// The nearest name around a value that makes a credential of what stands beside it, if there is one.
type Around = Option<&'static str>;

/// Where in attached data something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// In the name of a member, or it begins there.
    Name,
    /// In a value.
    Value,
}

/// A credential in attached data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundIn {
    /// What it looks like.
    pub rule: Rule,
    /// Where it stands.
    pub part: Part,
}

/// Attached data with its credentials masked.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskedData {
    /// The data.
    pub data: Data,
    /// What was masked.
    pub rules: BTreeSet<Rule>,
}

/// Why attached data cannot be masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unmaskable {
    /// A name is one, and names are not changed.
    #[error("what looks like a credential ({0}) is the name of a member")]
    Name(Rule),
    /// What looks like credentials cannot be told apart, or goes through several strings.
    #[error(transparent)]
    Entangled(#[from] Entangled),
}

/// The first credential in `data` of a rule that is `wanted`.
pub fn find_in(data: &Data, wanted: impl Fn(Rule) -> bool) -> Option<FoundIn> {
    let mut members = data.iter();
    let found = members.find_map(|(name, value)| in_member(name, value, None, &wanted));
    found.or_else(|| across(data, &wanted))
}

/// `data` with `[masked: RULE]` for every credential of a rule that is `wanted` in its values;
/// nothing if there is none.
///
/// # Errors
/// [`Unmaskable`], for one that is no part of a single value.
pub fn mask_in(
    data: &Data,
    wanted: impl Fn(Rule) -> bool,
) -> Result<Option<MaskedData>, Unmaskable> {
    let mut masking = Masking {
        wanted,
        rules: BTreeSet::new(),
    };
    let mut data = data.clone();
    for (name, value) in &mut data {
        masking.member(name, value, None)?;
    }
    let Masking { wanted, rules } = masking;
    match find_in(&data, wanted) {
        Some(_) => Err(Entangled.into()),
        None => Ok((!rules.is_empty()).then_some(MaskedData { data, rules })),
    }
}

fn in_member(
    name: &str,
    value: &Value,
    around: Around,
    wanted: &impl Fn(Rule) -> bool,
) -> Option<FoundIn> {
    let (start, text) = joined(name, value);
    let found = find(&text, wanted).map(|found| FoundIn {
        rule: found.rule,
        part: part(&found, start),
    });
    match value {
        // It was looked at behind its name, where nothing hides that stands in it alone.
        Value::String(text) => found.or_else(|| behind(around?, text, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => found,
        Value::Array(_) | Value::Object(_) => {
            found.or_else(|| in_value(value, name_in(name).or(around), wanted))
        }
    }
}

/// As deep as the value is, which [`crate::limits::JSON_DEPTH`] bounds.
fn in_value(value: &Value, around: Around, wanted: &impl Fn(Rule) -> bool) -> Option<FoundIn> {
    match value {
        Value::String(text) => {
            let found = in_text(text, wanted);
            found.or_else(|| behind(around?, text, wanted))
        }
        Value::Array(values) => {
            let mut each = values.iter();
            let found = each.find_map(|value| in_value(value, around, wanted));
            found.or_else(|| in_text(&lines(values), wanted))
        }
        Value::Object(members) => {
            let mut members = members.iter();
            members.find_map(|(name, value)| in_member(name, value, around, wanted))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn in_text(text: &str, wanted: &impl Fn(Rule) -> bool) -> Option<FoundIn> {
    find(text, wanted).map(|found| FoundIn {
        rule: found.rule,
        part: Part::Value,
    })
}

/// In a string behind a name around it: no credential begins in that.
fn behind(around: &str, text: &str, wanted: &impl Fn(Rule) -> bool) -> Option<FoundIn> {
    (text.len() >= NAMED).then_some(())?;
    in_text(&[around, JOINT, text].concat(), wanted)
}

/// What goes over several values, wherever in the data they stand: none of them has it in it by itself.
fn across(data: &Data, wanted: &impl Fn(Rule) -> bool) -> Option<FoundIn> {
    let mut values = Vec::new();
    for value in data.values() {
        strings(value, &mut values);
    }
    let text = values.join("\n");
    let mut scan = Scan::of(&text);
    let mut from = 0;
    while let Some(found) = scan.next(from, wanted) {
        from = found.at.end;
        if is_sure(found.rule, text.get(found.at)?) {
            return Some(FoundIn {
                rule: found.rule,
                part: Part::Value,
            });
        }
    }
    None
}

/// The strings of a value, in its order.
fn strings<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => all.push(text),
        Value::Array(values) => values.iter().for_each(|value| strings(value, all)),
        Value::Object(members) => members.values().for_each(|value| strings(value, all)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether what was found over values that need not belong together is no accident: a PEM block has an end.
fn is_sure(rule: Rule, credential: &str) -> bool {
    if rule == Rule::PrivateKey {
        credential.contains("-----END ")
    } else {
        true
    }
}

/// A name and the string that it has, and where that begins.
fn joined(name: &str, value: &Value) -> (usize, String) {
    let text = [name, JOINT, value.as_str().unwrap_or_default()].concat();
    (name.len().saturating_add(JOINT.len()), text)
}

/// The strings of an array: a key in a PEM block may be cut into its lines.
fn lines(values: &[Value]) -> String {
    let lines: Vec<_> = values.iter().filter_map(Value::as_str).collect();
    lines.join("\n")
}

const fn part(found: &Found, value_start: usize) -> Part {
    if found.at.start < value_start {
        Part::Name
    } else {
        Part::Value
    }
}

struct Masking<W> {
    wanted: W,
    rules: BTreeSet<Rule>,
}

impl<W: Fn(Rule) -> bool> Masking<W> {
    fn member(&mut self, name: &str, value: &mut Value, around: Around) -> Result<(), Unmaskable> {
        let (start, text) = joined(name, value);
        let found = find(&text, &self.wanted);
        if let Some(found) = found.filter(|found| part(found, start) == Part::Name) {
            return Err(Unmaskable::Name(found.rule));
        }
        match value {
            Value::String(text) => {
                self.text(&[name, JOINT], text)?;
                around.map_or(Ok(()), |around| self.behind(around, text))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::Array(_) | Value::Object(_) => self.value(value, name_in(name).or(around)),
        }
    }

    fn value(&mut self, value: &mut Value, around: Around) -> Result<(), Unmaskable> {
        match value {
            Value::String(text) => {
                self.text(&[], text)?;
                around.map_or(Ok(()), |around| self.behind(around, text))
            }
            Value::Array(values) => {
                let mut values = values.iter_mut();
                values.try_for_each(|value| self.value(value, around))
            }
            Value::Object(members) => {
                let mut members = members.iter_mut();
                members.try_for_each(|(name, value)| self.member(name, value, around))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
        }
    }

    fn behind(&mut self, around: &str, text: &mut String) -> Result<(), Unmaskable> {
        if text.len() < NAMED {
            return Ok(());
        }
        self.text(&[around, JOINT], text)
    }

    /// Masks what is a credential in `text` or is one behind what stands before it, which stays.
    fn text(&mut self, before: &[&str], text: &mut String) -> Result<(), Unmaskable> {
        let before = before.concat();
        if let Some(masked) = mask(&[&before, text.as_str()].concat(), &self.wanted)? {
            masked
                .text
                .strip_prefix(&before)
                .ok_or(Entangled)?
                .clone_into(text);
            self.rules.extend(masked.rules);
        }
        Ok(())
    }
}
