//! Reading the log, for `ipc admin audit show`: what it says, not whether it is true. Whoever reads it
//! has shut itself in: the lines may be anybody's.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::Path;

use ipc_protocol::id::AgentId;
use ipc_protocol::name::{Name, Peer};
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::chain::Sequence;
use super::files::{self, LogError};
use super::verify::record;
use crate::limits::AUDIT_FILE_BYTES;
use crate::sandbox::Inside;

/// Fields that name an agent by its id.
const AGENTS: [&str; 2] = ["agent", "peer"];

/// Fields that name an agent by its name.
const NAMES: [&str; 3] = ["name", "old", "new"];

/// Files that hold the latest records: what was written last may be in the one before the last.
const LATEST: usize = 2;

/// One record.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Record(Map<String, Value>);

impl Record {
    fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field)?.as_str()
    }

    /// Its number.
    pub fn sequence(&self) -> Option<u64> {
        self.0.get("n")?.as_u64()
    }

    /// When it happened.
    pub fn at(&self) -> Option<Timestamp> {
        Timestamp::from_rfc3339(self.text("t")?)
    }

    /// What happened.
    pub fn event(&self) -> &str {
        self.text("event").unwrap_or("?")
    }

    /// Whether somebody was refused something.
    pub fn is_denial(&self) -> bool {
        matches!(self.event(), "denied" | "more_denied")
    }

    /// What else it says: fields and values, in order of the fields.
    pub fn facts(&self) -> impl Iterator<Item = (&str, &Value)> {
        let told = ["n", "t", "event", "h"];
        let all = self.0.iter().map(|(field, value)| (field.as_str(), value));
        all.filter(move |(field, _)| !told.contains(field))
    }

    /// The agents that it names by their ids.
    pub fn agents(&self) -> impl Iterator<Item = AgentId> {
        AGENTS
            .iter()
            .filter_map(|field| self.text(field)?.parse().ok())
    }

    fn names(&self, name: &Name) -> bool {
        let is = |text: &str| Name::parse(text).is_ok_and(|named| named.same_as(name));
        NAMES.iter().any(|field| self.text(field).is_some_and(is))
    }
}

/// Which records are wanted.
#[derive(Debug, Default)]
pub struct Wanted {
    /// From then on.
    pub since: Option<Timestamp>,
    /// Of this agent: by its id, or by any name that it had.
    pub agent: Option<Peer>,
    /// Refusals only.
    pub denied: bool,
    /// The latest so many.
    pub limit: usize,
}

/// What was wanted, and what is known of those in it.
#[derive(Debug, Default, Serialize)]
pub struct Page {
    /// The records, the earliest first.
    pub records: Vec<Record>,
    /// How many more there are, earlier.
    pub earlier: u64,
    /// Lines that are no records.
    pub unreadable: u64,
    /// What agents are called, as far as the log says.
    #[serde(skip)]
    pub names: HashMap<AgentId, String>,
}

/// Reads what is `wanted` of the log in `directory`.
///
/// # Errors
/// [`LogError`] when there is none, or it cannot be read.
pub fn read(directory: &Path, wanted: &Wanted, _inside: &Inside) -> Result<Page, LogError> {
    page(directory, wanted)
}

/// The same for whoever wrote the log.
pub(super) fn page(directory: &Path, wanted: &Wanted) -> Result<Page, LogError> {
    drop(private::open_directory(directory)?);
    let mut page = Page::default();
    let mut kept = VecDeque::new();
    let ids = ids(directory, wanted)?;
    each(directory, |record| {
        let Some(record) = record else {
            page.unreadable = page.unreadable.saturating_add(1);
            return;
        };
        learn(&record, &mut page.names);
        if is_wanted(&record, wanted, &ids) {
            kept.push_back(record);
            if kept.len() > wanted.limit {
                kept.pop_front();
                page.earlier = page.earlier.saturating_add(1);
            }
        }
    })?;
    page.records = kept.into();
    Ok(page)
}

/// The agents that had the name which is asked for.
fn ids(directory: &Path, wanted: &Wanted) -> Result<HashSet<AgentId>, LogError> {
    let mut ids = HashSet::new();
    match &wanted.agent {
        None => {}
        Some(Peer::Agent(id)) => drop(ids.insert(*id)),
        Some(Peer::Name(name)) => each(directory, |record| {
            if let Some(record) = record.filter(|record| record.names(name)) {
                ids.extend(record.agents().take(1));
            }
        })?,
    }
    Ok(ids)
}

fn is_wanted(record: &Record, wanted: &Wanted, ids: &HashSet<AgentId>) -> bool {
    let is_late = match (wanted.since, record.at()) {
        (Some(since), Some(at)) => at >= since,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let is_theirs = match &wanted.agent {
        None => true,
        Some(Peer::Agent(_)) => record.agents().any(|id| ids.contains(&id)),
        Some(Peer::Name(name)) => record.names(name) || record.agents().any(|id| ids.contains(&id)),
    };
    is_late && is_theirs && (record.is_denial() || !wanted.denied)
}

fn learn(record: &Record, names: &mut HashMap<AgentId, String>) {
    let name = record.text("new").or_else(|| record.text("name"));
    if let (Some(id), Some(name)) = (record.agents().next(), name) {
        names.insert(id, name.to_owned());
    }
}

/// Whether one of the latest records says the same as `text`, which is one of any number, at the same time.
pub(super) fn ends_with_one_like(directory: &Path, text: &str) -> Result<bool, LogError> {
    let told = |record: &Record| {
        let mut told = record.0.clone();
        told.retain(|field, _| !matches!(field.as_str(), "n" | "h"));
        told
    };
    let wanted = record(text).map(Record).as_ref().map(told);
    let mut found = false;
    let all = files::list(directory)?;
    let latest = all.get(all.len().saturating_sub(LATEST)..);
    each_of(directory, latest.unwrap_or_default(), |record| {
        found |= record.is_some_and(|record| Some(told(&record)) == wanted);
    })?;
    Ok(found)
}

fn each(directory: &Path, look: impl FnMut(Option<Record>)) -> Result<(), LogError> {
    each_of(directory, &files::list(directory)?, look)
}

fn each_of(
    directory: &Path,
    files: &[Sequence],
    mut look: impl FnMut(Option<Record>),
) -> Result<(), LogError> {
    for first in files.iter().copied() {
        let path = files::path(directory, first);
        let bytes = match private::read_file(&path, AUDIT_FILE_BYTES.saturating_mul(2)) {
            Ok(bytes) => bytes,
            // Its time had come meanwhile.
            Err(error) if error.is_missing() => continue,
            Err(error) => return Err(error.into()),
        };
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_inclusive('\n');
        let lines = whole.filter_map(|line| line.strip_suffix('\n'));
        lines.for_each(|line| look(record(line).map(Record)));
    }
    Ok(())
}
