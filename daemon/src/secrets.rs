//! Credentials in what an agent gives to others, mail above all: refused, masked or let through, before anything is stored.
//!
//! What a credential looks like is `ipc_protocol::leak`'s. A refusal names the rule and the place,
//! never a byte of what stands there: it may be logged.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::leak::{self, FoundIn, Part, Rule, Treatment, UnknownRule, Unmaskable};
use ipc_protocol::message::Data;
use ipc_protocol::profile::OneLine;
use ipc_protocol::request::{Text, Texts};
use serde::Deserialize;

use crate::error::Done;

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
    if let Some(found) = leak::find(text, secrets.is(Treatment::Refuse)) {
        return Err(refusal(found.rule, Place::Text(found.at.start)).into());
    }
    let refused = data.and_then(|data| leak::find_in(data, secrets.is(Treatment::Refuse)));
    if let Some(FoundIn { rule, part }) = refused {
        return Err(refusal(rule, Place::Data(part)).into());
    }
    let mut clean = Clean {
        text: Cow::Borrowed(text),
        data: data.map(Cow::Borrowed),
        masked: BTreeSet::new(),
    };
    if secrets.masks() {
        mask(&mut clean, data, secrets)?;
    }
    Ok(clean)
}

fn mask(clean: &mut Clean<'_>, data: Option<&Data>, secrets: &Secrets) -> Result<(), Refusal> {
    let wanted = secrets.is(Treatment::Mask);
    if let Some(masked) = leak::mask(&clean.text, wanted).map_err(|_| entangled())? {
        clean.masked.extend(masked.rules);
        clean.text = Cow::Owned(masked.text);
    }
    let masked = data.map(|data| leak::mask_in(data, wanted)).transpose();
    let masked = masked.map_err(|why| match why {
        Unmaskable::Name(rule) => refusal(rule, Place::Data(Part::Name)),
        Unmaskable::Entangled(_) => entangled(),
    })?;
    if let Some(masked) = masked.flatten() {
        clean.masked.extend(masked.rules);
        clean.data = Some(Cow::Owned(masked.data));
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

/// Refuses or masks the credentials in what else of `request` others get to see; messages go through
/// [`clean`], where they are stored.
pub(crate) fn screen(request: &mut impl Texts, secrets: &Secrets) -> Result<(), Refusal> {
    request.each_text(&mut |text| match text {
        Text::Message(..) => Ok(()),
        Text::Line(what, line) => screen_line(what, line, secrets),
        Text::Word(what, word) => screen_word(what, word, secrets),
    })
}

fn screen_line(
    what: &'static str,
    line: &mut dyn OneLine,
    secrets: &Secrets,
) -> Result<(), Refusal> {
    if let Some(found) = leak::find(line.text(), secrets.is(Treatment::Refuse)) {
        return Err(refusal(found.rule, Place::Line(what)));
    }
    let wanted = secrets.is(Treatment::Mask);
    if let Some(masked) = leak::mask(line.text(), wanted).map_err(|_| entangled())? {
        line.put(&masked.text);
        // What was cut off may have been what told something from a credential.
        if leak::find(line.text(), wanted).is_some() {
            return Err(entangled());
        }
    }
    Ok(())
}

/// Refuses a name or word that is one: it cannot be masked and still be a name.
pub(crate) fn screen_word(
    what: &'static str,
    word: &str,
    secrets: &Secrets,
) -> Result<(), Refusal> {
    let is_kept = |rule| match secrets.of(rule) {
        Treatment::Refuse | Treatment::Mask => true,
        Treatment::Allow => false,
    };
    match leak::find(word, is_kept) {
        Some(found) => Err(refusal(found.rule, Place::Word(what))),
        None => Ok(()),
    }
}

/// Where a credential stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the text, at this byte.
    Text(usize),
    Data(Part),
    /// In what is called so.
    Line(&'static str),
    Word(&'static str),
}

fn refusal(rule: Rule, place: Place) -> Refusal {
    let holder = match place {
        Place::Text(_) | Place::Data(_) => "message",
        Place::Line(what) | Place::Word(what) => what,
    };
    let (place, or_mask) = match place {
        Place::Text(at) => (format!(", at byte {at} of the text"), true),
        Place::Data(Part::Value) => (", in the attached data".to_owned(), true),
        // Two names that were masked could be one: they never are.
        Place::Data(Part::Name) => (", in a name in the attached data".to_owned(), false),
        Place::Line(_) => (String::new(), true),
        Place::Word(_) => (String::new(), false),
    };
    let or_mask = if or_mask { " (or \"mask\")" } else { "" };
    let text = format!(
        "the {holder} holds what looks like a credential ({rule}{place}); it was not stored"
    );
    let hint = format!(
        "take it out; where it must be sent, whoever runs the daemon sets `{rule} = \"allow\"`{or_mask} \
         under [secrets.rules] in config.toml and restarts it"
    );
    Refusal::new(ErrorCode::Forbidden, text).hint(hint)
}

fn entangled() -> Refusal {
    let text =
        "the text holds what looks like credentials, and they cannot be masked; it was not stored";
    Refusal::new(ErrorCode::Forbidden, text).hint("take them out")
}

#[cfg(test)]
mod tests;
