//! From a phrase to its one meaning, or to the doubt about it.

use ipc_protocol::id::MessageId;
use ipc_protocol::name::Name;

use super::cursor::{Cursor, without_marks};
use super::pattern::{Pattern, Slots, TextKind};
use super::table::{FORMS, Meaning, TRAPS, UNFINISHED};
use super::{Action, AutoCheck, Doubt, Intent, Minutes, Reason, boundary, nearest, words};

/// Characters of a word that an error repeats, at most.
const REPEATED: usize = 40;

/// How the phrase as a whole is put.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// It ends in a question mark.
    asks: bool,
    /// It begins with `can you` or the like.
    politely: bool,
}

/// What `phrase` asks for.
///
/// # Errors
/// [`Doubt`] when that is not certain, with the three nearest forms.
pub(crate) fn understand(phrase: &str) -> Result<Intent, Doubt> {
    let (at, manner) = begin(phrase);
    read(at, manner).map_err(|reason| Doubt {
        reason,
        nearest: nearest::forms(at),
    })
}

/// Passes over what is only polite.
fn begin(phrase: &str) -> (Cursor<'_>, Manner) {
    let start = Cursor::new(phrase).after_all(words::AT_THE_START);
    let asked = start.after_any(words::ASKING_POLITELY);
    let at = asked.map_or(start, |after| after.after_all(words::AT_THE_START));
    let manner = Manner {
        asks: phrase.trim_end().ends_with('?'),
        politely: asked.is_some(),
    };
    (at, manner)
}

fn read(at: Cursor<'_>, manner: Manner) -> Result<Intent, Reason> {
    if let Some(reason) = fitting(TRAPS, at) {
        return Err(reason.clone());
    }
    let mut sure: Option<Intent> = None;
    let mut unsure: Option<Reason> = None;
    for (meaning, forms) in FORMS {
        for form in *forms {
            let Some(slots) = Pattern::new(form).fit(at) else {
                continue;
            };
            // To everybody is a meaning of its own, though `everybody` could be a name.
            if *meaning == Meaning::Send && slots.name.is_some_and(words::is_everyone) {
                continue;
            }
            match intent(*meaning, slots, manner) {
                Ok(intent) if sure.as_ref().is_some_and(|other| *other != intent) => {
                    return Err(Reason::Several);
                }
                Ok(intent) => sure = Some(intent),
                Err(reason) => unsure = unsure.or(Some(reason)),
            }
        }
    }
    sure.ok_or_else(|| {
        let unfinished = || fitting(UNFINISHED, at).cloned();
        unsure.or_else(unfinished).unwrap_or(Reason::Unknown)
    })
}

fn fitting<'t>(table: &'t [(Reason, &[&'static str])], at: Cursor<'_>) -> Option<&'t Reason> {
    let fits = |form: &&'static str| Pattern::new(form).fit(at).is_some();
    let row = table.iter().find(|(_, forms)| forms.iter().any(fits));
    row.map(|(reason, _)| reason)
}

fn intent(meaning: Meaning, slots: Slots<'_>, manner: Manner) -> Result<Intent, Reason> {
    let action = match meaning {
        Meaning::CallMe => return own_name(slots, manner).map(Intent::CallMe),
        Meaning::Register => Action::Register(own_name(slots, manner)?),
        Meaning::Rename => Action::Rename(own_name(slots, manner)?),
        Meaning::Send => Action::Send {
            to: name(slots)?,
            text: text(slots, manner)?,
        },
        Meaning::Broadcast => Action::Broadcast(text(slots, manner)?),
        Meaning::Reply => Action::Reply(answer(slots, manner)?),
        Meaning::Forward => Action::Forward(own_name(slots, manner)?),
        Meaning::Check => Action::Check,
        Meaning::List => Action::List,
        Meaning::Whoami => Action::Whoami,
        Meaning::Status => Action::Status,
        Meaning::AutoCheckStart => {
            no_question(manner)?;
            Action::AutoCheck(AutoCheck::Start(minutes(slots)?))
        }
        Meaning::AutoCheckStop => {
            no_question(manner)?;
            Action::AutoCheck(AutoCheck::Stop)
        }
        Meaning::AutoCheckStatus => Action::AutoCheck(AutoCheck::Status),
    };
    Ok(Intent::Action(action))
}

/// What changes something is done when it is said, not when it is asked about.
const fn no_question(manner: Manner) -> Result<(), Reason> {
    if manner.asks && !manner.politely {
        return Err(Reason::Question);
    }
    Ok(())
}

fn own_name(slots: Slots<'_>, manner: Manner) -> Result<Name, Reason> {
    let name = name(slots)?;
    no_question(manner)?;
    Ok(name)
}

fn name(slots: Slots<'_>) -> Result<Name, Reason> {
    let word = slots.name.ok_or(Reason::NoName)?;
    if words::is_ordinary(word) {
        return Err(Reason::OrdinaryWord(repeated(without_marks(word))));
    }
    Name::parse(word).map_err(|error| Reason::InvalidName {
        word: repeated(word),
        error,
    })
}

fn minutes(slots: Slots<'_>) -> Result<Option<Minutes>, Reason> {
    let Some(word) = slots.minutes else {
        return Ok(None);
    };
    let minutes = Minutes::parse(word).ok_or_else(|| Reason::Minutes(repeated(word)))?;
    Ok(Some(minutes))
}

fn text(slots: Slots<'_>, manner: Manner) -> Result<String, Reason> {
    let (text, kind) = slots.text.ok_or(Reason::NoText)?;
    if text.is_empty() {
        return Err(Reason::NoText);
    }
    // A command reads standard input for it.
    if text == "-" {
        return Err(Reason::NotAText(repeated(text)));
    }
    if !slots.colon
        && let Some(word) = boundary::doubtful_word(text, kind)
    {
        return Err(Reason::Unclear(repeated(word)));
    }
    let may_ask = slots.colon || kind == TextKind::Question;
    if manner.politely && manner.asks && !may_ask {
        return Err(Reason::PoliteQuestion);
    }
    Ok(text.to_owned())
}

/// The text of a reply. The command takes a first word that is an id for the message to answer.
fn answer(slots: Slots<'_>, manner: Manner) -> Result<String, Reason> {
    let text = text(slots, manner)?;
    if text.parse::<MessageId>().is_ok() {
        return Err(Reason::NotAText(repeated(&text)));
    }
    Ok(text)
}

fn repeated(word: &str) -> String {
    let mut shown: String = word.chars().take(REPEATED).collect();
    if shown.len() < word.len() {
        shown.push('…');
    }
    shown
}
