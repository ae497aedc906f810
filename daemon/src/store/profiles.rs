//! What agents say of themselves, and where they work: one row for each that said something.

use ipc_protocol::auth::Bytes;
use ipc_protocol::id::AgentId;
use ipc_protocol::profile::{
    Capabilities, Capability, InvalidProfile, Place, PlaceId, StatusText, SummaryText,
};
use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// What one agent says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) status: StatusText,
    pub(crate) summary: SummaryText,
    pub(crate) capabilities: Capabilities,
    /// Where it works, where a front-end has said so.
    pub(crate) place: Option<Place>,
}

impl Profile {
    /// The status, if it says one.
    pub(crate) fn status(&self) -> Option<StatusText> {
        Some(self.status.clone()).filter(|text| !text.is_empty())
    }

    /// The summary, if it says one.
    pub(crate) fn summary(&self) -> Option<SummaryText> {
        Some(self.summary.clone()).filter(|text| !text.is_empty())
    }
}

/// What `agent` says; nothing when it never said anything.
pub(crate) fn find(db: &Connection, agent: AgentId) -> rusqlite::Result<Profile> {
    let sql = "SELECT status, summary, capabilities, directory, repository FROM profiles
               WHERE agent = ?1";
    let row = db
        .prepare_cached(sql)?
        .query_row([agent.to_row()], read)
        .optional()?;
    Ok(row.unwrap_or_default())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Profile> {
    let place = |bytes: [u8; 16]| PlaceId(Bytes(bytes));
    let repository = row.get::<_, Option<[u8; 16]>>(4)?.map(place);
    let directory = row.get::<_, Option<[u8; 16]>>(3)?.map(place);
    Ok(Profile {
        status: row.get::<_, String>(0)?.try_into().map_err(damaged)?,
        summary: row.get::<_, String>(1)?.try_into().map_err(damaged)?,
        capabilities: words(&row.get::<_, String>(2)?).map_err(damaged)?,
        place: directory.map(|directory| Place {
            directory,
            repository,
        }),
    })
}

fn words(text: &str) -> Result<Capabilities, InvalidProfile> {
    let words: Result<Vec<Capability>, _> = text.split_whitespace().map(str::parse).collect();
    words?.try_into()
}

fn damaged(_: InvalidProfile) -> FromSqlError {
    FromSqlError::InvalidType
}

/// `agent` says this from now on.
pub(crate) fn put(db: &Connection, agent: AgentId, profile: &Profile) -> rusqlite::Result<()> {
    let sql = "INSERT INTO profiles (agent, status, summary, capabilities, directory, repository)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (agent) DO UPDATE SET status = ?2, summary = ?3, capabilities = ?4,
               directory = ?5, repository = ?6";
    let directory = profile.place.map(|place| place.directory.0.0);
    let repository = profile.place.and_then(|place| place.repository);
    db.prepare_cached(sql)?
        .execute(params![
            agent.to_row(),
            profile.status.as_str(),
            profile.summary.as_str(),
            profile.capabilities.join(" "),
            directory,
            repository.map(|repository| repository.0.0),
        ])
        .map(|_| ())
}

/// Forgets what `agent` said.
pub(crate) fn remove(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM profiles WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}
