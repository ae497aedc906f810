//! Credentials in outgoing mail: refused, masked or let through, before anything is stored.
//!
//! What a credential looks like is `ipc_protocol::leak`'s. A refusal names the rule and the place,
//! never a byte of what stands there: it may be logged.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::leak::{self, Rule, Treatment, UnknownRule};
use ipc_protocol::message::Data;
use serde::Deserialize;

use crate::error::{Done, Fault};

/// What becomes of credentials in outgoing mail, `[secrets]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// What becomes of one whose rule is not among `rules`.
    outgoing: Treatment,
    rules: BTreeMap<RuleName, Treatment>,
}

/// A rule as the configuration names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct RuleName(Rule);

impl TryFrom<String> for RuleName {
    type Error = UnknownRule;

    fn try_from(name: String) -> Result<Self, UnknownRule> {
        Rule::parse(&name).map(Self)
    }
}

impl Secrets {
    fn of(&self, rule: Rule) -> Treatment {
        let own = self.rules.get(&RuleName(rule)).copied();
        own.unwrap_or(self.outgoing)
    }

    fn is(&self, treatment: Treatment) -> impl Fn(Rule) -> bool + Copy {
        move |rule| self.of(rule) == treatment
    }

    fn masks(&self) -> bool {
        Rule::ALL
            .iter()
            .any(|rule| self.of(*rule) == Treatment::Mask)
    }
}

/// What a message may say.
#[derive(Debug)]
pub(crate) struct Clean<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) data: Option<Cow<'a, Data>>,
    /// What was masked in them.
    pub(crate) masked: BTreeSet<Rule>,
}

/// Refuses or masks the credentials in a message.
pub(crate) fn clean<'a>(
    text: &'a str,
    data: Option<&'a Data>,
    secrets: &Secrets,
) -> Done<Clean<'a>> {
    let as_json = data.map(serde_json::to_string).transpose();
    let as_json = as_json.map_err(|_| Fault::Inconsistent("attached data that is no JSON"))?;
    if let Some(found) = leak::find(text, secrets.is(Treatment::Refuse)) {
        return Err(refusal(found.rule, Some(found.at.start)).into());
    }
    let refused = as_json.as_deref();
    let refused = refused.and_then(|json| leak::find(json, secrets.is(Treatment::Refuse)));
    if let Some(found) = refused {
        return Err(refusal(found.rule, None).into());
    }
    let mut clean = Clean {
        text: Cow::Borrowed(text),
        data: data.map(Cow::Borrowed),
        masked: BTreeSet::new(),
    };
    if secrets.masks() {
        mask(&mut clean, as_json.as_deref(), secrets)?;
    }
    Ok(clean)
}

fn mask(clean: &mut Clean<'_>, as_json: Option<&str>, secrets: &Secrets) -> Result<(), Refusal> {
    let wanted = secrets.is(Treatment::Mask);
    if let Some(masked) = leak::mask(&clean.text, wanted).map_err(|_| entangled())? {
        clean.masked.extend(masked.rules);
        clean.text = Cow::Owned(masked.text);
    }
    let masked = as_json.map(|json| leak::mask(json, wanted)).transpose();
    if let Some(masked) = masked.map_err(|_| entangled())?.flatten() {
        // Half a key in a frame has no end but that of its text, which here is that of all data.
        let data = serde_json::from_str(&masked.text).map_err(|_| entangled())?;
        clean.masked.extend(masked.rules);
        clean.data = Some(Cow::Owned(data));
    }
    Ok(())
}

/// The rules whose masks stand in what was stored: what a reply says that comes a second time.
pub(crate) fn masked_in(text: &str, data: Option<&Data>, secrets: &Secrets) -> Vec<Rule> {
    if !secrets.masks() {
        return Vec::new();
    }
    let json = data.and_then(|data| serde_json::to_string(data).ok());
    let json = json.unwrap_or_default();
    let rules = Rule::ALL.iter().copied().filter(|rule| {
        let mask = rule.mask();
        text.contains(&mask) || json.contains(&mask)
    });
    rules.collect()
}

fn refusal(rule: Rule, at: Option<usize>) -> Refusal {
    let place = match at {
        Some(at) => format!("at byte {at} of the text"),
        None => "in the attached data".to_owned(),
    };
    let text = format!(
        "the message holds what looks like a credential ({rule}, {place}); it was not stored"
    );
    let hint = format!(
        "take it out; where it must be sent, whoever runs the daemon sets `{rule} = \"allow\"` (or \
         \"mask\") under [secrets.rules] in config.toml and restarts it"
    );
    Refusal::new(ErrorCode::Forbidden, text).hint(hint)
}

fn entangled() -> Refusal {
    let text = "the message holds what looks like credentials, and they cannot be masked; it was not stored";
    Refusal::new(ErrorCode::Forbidden, text).hint("take them out")
}

#[cfg(test)]
mod tests;
