//! What those of the old server are called here.
//!
//! There, a name was anything that a pattern let through, and two names could differ in case. A
//! name that cannot be one here gets a new one that says where it came from.

use std::collections::{HashMap, HashSet};

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::NAME_CHARS;
use ipc_protocol::name::{InvalidName, Name};
use ipc_protocol::time::Timestamp;
use rand::rngs::StdRng;
use rusqlite::{Connection, OptionalExtension, params};

use super::report::Report;
use crate::store::{adoption, names};

/// Characters of a name that its number leaves alone, however long the number.
const BEGINNING: usize = 21;

/// An agent of ours that stands for one of the old server's.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) agent: AgentId,
    pub(super) name: Name,
}

/// Which name of the old server is which of ours.
#[derive(Debug, Default)]
pub(super) struct Names {
    agents: HashMap<String, Known>,
    /// Agents that have enrolled here: they get mail for their names, and are never senders.
    enrolled: HashMap<String, Known>,
    unclaimed: HashMap<String, Name>,
    /// What the maps above stand for, in small letters.
    taken: HashSet<String>,
    stands: HashSet<AgentId>,
    /// For the beginning of a name, the number to go on with: names that resemble each other must
    /// not cost more, the more of them there are.
    numbers: HashMap<String, u32>,
}

/// Who has a name in our store.
enum Holder {
    Nobody,
    /// An agent that nobody has enrolled as yet.
    Imported(Known),
    Enrolled(Known),
    Alias,
}

/// A new agent: where it is put, and when.
pub(super) struct Making<'a> {
    pub(super) db: &'a Connection,
    pub(super) rng: &'a mut StdRng,
    pub(super) now: Timestamp,
    pub(super) report: &'a mut Report,
}

impl Names {
    /// The agent that stands for `old`, made if there is none. It is never one that has enrolled
    /// here: nothing in an old database proves that it was the same.
    pub(super) fn agent(
        &mut self,
        old: &str,
        seen: Timestamp,
        making: &mut Making<'_>,
    ) -> rusqlite::Result<Known> {
        if let Some(known) = self.agents.get(old) {
            return Ok(known.clone());
        }
        if let Ok(name) = Name::parse(old)
            && let Holder::Enrolled(known) = holder(making.db, &name)?
        {
            self.enrolled.insert(old.to_owned(), known);
        }
        let place = match self.unclaimed.get(old) {
            Some(name) => Place::Free(name.clone()),
            None => self.place(old, making)?,
        };
        let known = match place {
            Place::Free(name) => make(name, seen, making)?,
            Place::Imported(known) => known,
        };
        self.stands.insert(known.agent);
        self.agents.insert(old.to_owned(), known.clone());
        Ok(known)
    }

    /// How many names of the old server are known.
    pub(super) fn number(&self) -> usize {
        self.agents.len().saturating_add(self.unclaimed.len())
    }

    /// Whom mail for `old` is for: an agent, or whoever claims a name.
    pub(super) fn recipient(
        &mut self,
        old: &str,
        making: &mut Making<'_>,
    ) -> rusqlite::Result<(Option<AgentId>, Name)> {
        let known = self.enrolled.get(old).or_else(|| self.agents.get(old));
        if let Some(known) = known {
            return Ok((Some(known.agent), known.name.clone()));
        }
        if let Some(name) = self.unclaimed.get(old) {
            return Ok((None, name.clone()));
        }
        if let Ok(name) = Name::parse(old)
            && let Holder::Enrolled(known) = holder(making.db, &name)?
        {
            self.enrolled.insert(old.to_owned(), known.clone());
            return Ok((Some(known.agent), known.name));
        }
        match self.place(old, making)? {
            Place::Imported(known) => Ok((Some(known.agent), known.name)),
            Place::Free(name) => {
                self.taken.insert(name.folded());
                self.unclaimed.insert(old.to_owned(), name.clone());
                Ok((None, name))
            }
        }
    }

    /// The agent that `old` already stands for.
    pub(super) fn known(&self, old: &str) -> Option<&Known> {
        self.agents.get(old)
    }

    /// Where `old` belongs: its own name if that can be, else one that resembles it.
    fn place(&mut self, old: &str, making: &mut Making<'_>) -> rusqlite::Result<Place> {
        if let Ok(name) = Name::parse(old)
            && let Some(place) = self.usable(name, making.db)?
        {
            return Ok(place);
        }
        let stem = stem(old);
        let beginning: String = stem.chars().take(BEGINNING).collect();
        let beginning = beginning.to_ascii_lowercase();
        let mut number = self.numbers.get(&beginning).copied().unwrap_or(1);
        loop {
            let name = numbered(&stem, number);
            number = number.saturating_add(1);
            if let Ok(name) = name
                && let Some(place) = self.usable(name, making.db)?
            {
                self.numbers.insert(beginning, number);
                making.report.add_name(old, place.name(), reason(old));
                return Ok(place);
            }
        }
    }

    /// `name`, if nobody has it, or one that stands for none of this file yet.
    fn usable(&self, name: Name, db: &Connection) -> rusqlite::Result<Option<Place>> {
        Ok(match holder(db, &name)? {
            Holder::Nobody => {
                let taken = self.taken.contains(&name.folded());
                (!taken).then_some(Place::Free(name))
            }
            Holder::Imported(known) => {
                let taken = self.stands.contains(&known.agent);
                (!taken).then_some(Place::Imported(known))
            }
            Holder::Enrolled(_) | Holder::Alias => None,
        })
    }
}

/// A name in our store that one of the old server's may have.
enum Place {
    Free(Name),
    /// From an earlier migration: the same file again, or another of the same people.
    Imported(Known),
}

impl Place {
    fn name(&self) -> &Name {
        match self {
            Self::Free(name) | Self::Imported(Known { name, .. }) => name,
        }
    }
}

/// What a new name for `old` begins with.
fn stem(old: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let plain: String = old
        .trim()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    match Name::parse(&plain) {
        Err(InvalidName::Reserved) => format!("{plain}-imported"),
        Err(InvalidName::Shape) if plain.is_empty() => "imported".to_owned(),
        Ok(_) | Err(InvalidName::Shape) => plain,
    }
}

fn numbered(stem: &str, number: u32) -> Result<Name, InvalidName> {
    let suffix = match number {
        1 => String::new(),
        _ => format!("-{number}"),
    };
    let room = NAME_CHARS.saturating_sub(suffix.len());
    let text: String = stem.chars().take(room).chain(suffix.chars()).collect();
    Name::parse(&text)
}

fn reason(old: &str) -> &'static str {
    match Name::parse(old) {
        Err(InvalidName::Shape) => "a name is 1 to 32 letters, digits, `_` or `-`",
        Err(InvalidName::Reserved) => "this name is reserved",
        Ok(_) => "another agent has this name, in capital or small letters",
    }
}

fn holder(db: &Connection, name: &Name) -> rusqlite::Result<Holder> {
    let sql = "SELECT agents.agent, shown, incarnation, until_ms IS NOT NULL
               FROM names JOIN agents ON agents.agent = names.agent WHERE folded = ?1";
    let row = db
        .prepare_cached(sql)?
        .query_row([name.folded()], |row| {
            let known = Known {
                agent: AgentId::from_row(row.get(0)?),
                name: names::read(row.get_ref(1)?)?,
            };
            Ok((known, row.get::<_, i64>(2)?, row.get::<_, bool>(3)?))
        })
        .optional()?;
    Ok(match row {
        None => Holder::Nobody,
        Some((_, _, true)) => Holder::Alias,
        Some((known, 0, false)) => Holder::Imported(known),
        Some((known, _, false)) => Holder::Enrolled(known),
    })
}

/// Makes an agent that nobody has enrolled as: incarnation 0, no credential. Its name is held from
/// now on, whenever it was last seen.
fn make(name: Name, seen: Timestamp, making: &mut Making<'_>) -> rusqlite::Result<Known> {
    let agent = AgentId::random(making.rng);
    let sql = "INSERT INTO agents (agent, incarnation, automatic, registered_ms, last_seen_ms)
               VALUES (?1, 0, 0, ?2, ?3)";
    let seen = seen.min(making.now);
    making.db.prepare_cached(sql)?.execute(params![
        agent.to_row(),
        making.now.as_millis(),
        seen.as_millis()
    ])?;
    names::give(making.db, &name, agent)?;
    adoption::adopt_waiting(making.db, making.rng, &name, agent)?;
    making.report.names = making.report.names.saturating_add(1);
    Ok(Known { agent, name })
}
