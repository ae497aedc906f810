//! For which agents a file of what waits is kept: one row for each.

use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension};

/// Since when a file is kept for `agent`; nothing when none is.
pub(crate) fn since(db: &Connection, agent: AgentId) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT since_ms FROM notice_files WHERE agent = ?1";
    db.prepare_cached(sql)?
        .query_row([agent.to_row()], |row| {
            row.get(0).map(Timestamp::from_millis)
        })
        .optional()
}

/// A file is kept for `agent` from `now` on, unless one is already.
pub(crate) fn begin(db: &Connection, agent: AgentId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "INSERT INTO notice_files (agent, since_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    db.prepare_cached(sql)?
        .execute([agent.to_row(), now.as_millis()])
        .map(|_| ())
}

/// None is kept any more; says whether one was.
pub(crate) fn end(db: &Connection, agent: AgentId) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM notice_files WHERE agent = ?1";
    let ended = db.prepare_cached(sql)?.execute([agent.to_row()])?;
    Ok(ended > 0)
}

/// All agents for which one is kept.
pub(crate) fn all(db: &Connection) -> rusqlite::Result<Vec<AgentId>> {
    let mut query = db.prepare_cached("SELECT agent FROM notice_files ORDER BY agent")?;
    query
        .query_map([], |row| row.get(0).map(AgentId::from_row))?
        .collect()
}
