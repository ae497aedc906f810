//! Credentials in attached data: in each of its texts, and across them.
//!
//! Each text is looked at by itself, as it was written: in JSON a line break is `\n`, and what stands
//! behind it would look like the rest of a word. Then the whole is looked at as JSON: a name tells what
//! its value is, and a key may be cut into lines, each a text of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Entangled, Rule, find, mask};
use crate::json;
use crate::limits::JSON_DEPTH;
use crate::message::Data;

/// Attached data with its credentials masked.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskedData {
    /// The data.
    pub data: Data,
    /// What was masked.
    pub rules: BTreeSet<Rule>,
}

/// The rule of a credential in `data`, of one that is `wanted`.
pub fn find_in(data: &Data, wanted: impl Fn(Rule) -> bool) -> Option<Rule> {
    let mut members = data.iter();
    let in_texts = members.find_map(|(name, value)| member(name, value, &wanted));
    in_texts.or_else(|| find(&written(data)?, &wanted).map(|found| found.rule))
}

/// `data` with `[masked: RULE]` for every credential of a rule that is `wanted`; nothing if there is
/// none.
///
/// # Errors
/// [`Entangled`], where that would leave no data, or take more out of it than credentials.
pub fn mask_in(
    data: &Data,
    wanted: impl Fn(Rule) -> bool,
) -> Result<Option<MaskedData>, Entangled> {
    let mut rules = BTreeSet::new();
    let mut clean = members(data, &wanted, &mut rules)?;
    let whole = written(&clean).ok_or(Entangled)?;
    if let Some(masked) = mask(&whole, &wanted)? {
        // A half key that begins in one text has no end but that of all data.
        let object = json::parse_object(masked.text.as_bytes(), JSON_DEPTH);
        clean = object.map_err(|_| Entangled)?.into_iter().collect();
        rules.extend(masked.rules);
    }
    if rules.is_empty() {
        return Ok(None);
    }
    if find_in(&clean, &wanted).is_some() {
        return Err(Entangled);
    }
    Ok(Some(MaskedData { data: clean, rules }))
}

fn written(data: &Data) -> Option<String> {
    serde_json::to_string(data).ok()
}

fn member(name: &str, value: &Value, wanted: &impl Fn(Rule) -> bool) -> Option<Rule> {
    let in_name = find(name, wanted).map(|found| found.rule);
    in_name.or_else(|| within(value, wanted))
}

/// As deep as the value is, which [`JSON_DEPTH`] bounds.
fn within(value: &Value, wanted: &impl Fn(Rule) -> bool) -> Option<Rule> {
    match value {
        Value::String(text) => find(text, wanted).map(|found| found.rule),
        Value::Array(values) => values.iter().find_map(|value| within(value, wanted)),
        Value::Object(object) => object
            .iter()
            .find_map(|(name, value)| member(name, value, wanted)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The same members with their texts masked. Two names of which one would be left are entangled.
fn members<'a, M: FromIterator<(String, Value)>>(
    of: impl IntoIterator<Item = (&'a String, &'a Value)>,
    wanted: &impl Fn(Rule) -> bool,
    rules: &mut BTreeSet<Rule>,
) -> Result<M, Entangled> {
    let mut names = BTreeSet::new();
    let mut member = |(name, value): (&String, &Value)| {
        let name = text(name, wanted, rules)?;
        let is_new = names.insert(name.clone());
        let value = masked(value, wanted, rules)?;
        is_new.then_some((name, value)).ok_or(Entangled)
    };
    of.into_iter().map(&mut member).collect()
}

fn masked(
    value: &Value,
    wanted: &impl Fn(Rule) -> bool,
    rules: &mut BTreeSet<Rule>,
) -> Result<Value, Entangled> {
    Ok(match value {
        Value::String(string) => Value::String(text(string, wanted, rules)?),
        Value::Array(values) => {
            let values = values.iter().map(|value| masked(value, wanted, rules));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        Value::Object(object) => Value::Object(members::<Map<_, _>>(object, wanted, rules)?),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

fn text(
    text: &str,
    wanted: &impl Fn(Rule) -> bool,
    rules: &mut BTreeSet<Rule>,
) -> Result<String, Entangled> {
    Ok(match mask(text, wanted)? {
        Some(masked) => {
            rules.extend(masked.rules);
            masked.text
        }
        None => text.to_owned(),
    })
}
