//! Credentials of other systems in a text: found by the formats that their makers gave them, so
//! that mail does not carry them on by accident.
//!
//! What always holds: time linear in the text; nothing is told of what was found but its rule and
//! its place; a masked text has no match left. Whoever wants to get a credential through can take
//! it apart: this is a net for accidents, not a wall. Our own tokens are [`crate::token`]'s.

mod data;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod rules;
mod shapes;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use data::{FoundIn, MaskedData, Part, Unmaskable, find_in, mask_in};
pub use rules::{Rule, UnknownRule};
use shapes::Scan;

/// How often a text is gone through at most: masking one credential can uncover another beside it, which
/// in a text that was not made for it happens once; the last finds nothing more.
const PASSES: usize = 3;

/// A credential in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it looks like.
    pub rule: Rule,
    /// Where it stands, in bytes.
    pub at: Range<usize>,
}

/// The first credential in `text` of a rule that is `wanted`.
pub fn find(text: &str, wanted: impl Fn(Rule) -> bool) -> Option<Found> {
    Scan::of(text).next(0, &wanted)
}

/// A text with its credentials masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// The text.
    pub text: String,
    /// What was masked.
    pub rules: BTreeSet<Rule>,
}

/// More is uncovered with every mask: nobody writes such a text by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what looks like credentials cannot be told apart")]
pub struct Entangled;

/// `text` with `[masked: RULE]` for every credential of a rule that is `wanted`; nothing if there
/// is none.
///
/// # Errors
/// [`Entangled`], for a text that was made for it.
pub fn mask(text: &str, wanted: impl Fn(Rule) -> bool) -> Result<Option<Masked>, Entangled> {
    let mut rules = BTreeSet::new();
    let mut masked = None;
    for _ in 0..PASSES {
        let Some(next) = once(masked.as_deref().unwrap_or(text), &wanted, &mut rules)? else {
            return Ok(masked.map(|text| Masked { text, rules }));
        };
        masked = Some(next);
    }
    Err(Entangled)
}

/// Masks what is found in one go; nothing if nothing is.
fn once(
    text: &str,
    wanted: &impl Fn(Rule) -> bool,
    rules: &mut BTreeSet<Rule>,
) -> Result<Option<String>, Entangled> {
    let mut masked = None;
    let mut from = 0;
    let mut scan = Scan::of(text);
    while let Some(found) = scan.next(from, wanted) {
        let so_far = masked.get_or_insert_with(String::new);
        // Credentials begin and end with ASCII, so that this is never between two of its bytes.
        so_far.push_str(text.get(from..found.at.start).ok_or(Entangled)?);
        so_far.push_str(&found.rule.mask());
        rules.insert(found.rule);
        from = found.at.end;
    }
    if let Some(so_far) = &mut masked {
        so_far.push_str(text.get(from..).ok_or(Entangled)?);
    }
    Ok(masked)
}

/// What becomes of a message with a credential in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// It is not stored.
    #[default]
    Refuse,
    /// It is stored without the credential.
    Mask,
    /// It is stored as it is.
    Allow,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
