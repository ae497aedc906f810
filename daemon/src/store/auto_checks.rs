//! When agents are told of waiting mail, and what they have been told: one row for each agent that
//! chose a mode or was told of something.

use ipc_protocol::id::AgentId;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::messages::Seq;
use super::word;

/// How one agent is told.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AutoCheckRow {
    pub(crate) mode: AutoCheckMode,
    /// How often; with the mode `every`, and only there.
    pub(crate) minutes: Option<u32>,
    /// When the mode was chosen.
    pub(crate) started: Option<Timestamp>,
    /// When the agent was last told.
    pub(crate) told: Option<Timestamp>,
    /// The latest message that waited when the agent was told, until it fetches.
    pub(crate) outstanding: Option<Seq>,
}

/// How `agent` is told; the default when nothing was ever set.
pub(crate) fn find(db: &Connection, agent: AgentId) -> rusqlite::Result<AutoCheckRow> {
    let sql = "SELECT mode, minutes, started_ms, told_ms, outstanding FROM auto_checks
               WHERE agent = ?1";
    let row = db
        .prepare_cached(sql)?
        .query_row([agent.to_row()], |row| {
            Ok(AutoCheckRow {
                mode: word(row.get_ref(0)?)?,
                minutes: row.get(1)?,
                started: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
                told: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                outstanding: row.get::<_, Option<i64>>(4)?.map(Seq),
            })
        })
        .optional()?;
    Ok(row.unwrap_or_default())
}

/// `agent` is told in another way from `now` on.
pub(crate) fn choose(
    db: &Connection,
    agent: AgentId,
    mode: AutoCheckMode,
    minutes: Option<u32>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO auto_checks (agent, mode, minutes, started_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (agent) DO UPDATE SET mode = ?2, minutes = ?3, started_ms = ?4";
    let now = now.as_millis();
    db.prepare_cached(sql)?
        .execute(params![agent.to_row(), mode.as_str(), minutes, now])
        .map(|_| ())
}

/// `agent` is told at `now` of everything up to message `newest`.
pub(crate) fn told(
    db: &Connection,
    agent: AgentId,
    newest: Seq,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO auto_checks (agent, mode, told_ms, outstanding)
               VALUES (?1, 'arrival', ?2, ?3)
               ON CONFLICT (agent) DO UPDATE SET told_ms = ?2, outstanding = ?3";
    db.prepare_cached(sql)?
        .execute([agent.to_row(), now.as_millis(), newest.0])
        .map(|_| ())
}

/// What `agent` was told is over: it has looked, or begins anew.
pub(crate) fn settle(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "UPDATE auto_checks SET outstanding = NULL
               WHERE agent = ?1 AND outstanding IS NOT NULL";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}

/// Forgets how `agent` was told.
pub(crate) fn remove(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM auto_checks WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}
