//! Who is frozen: agents, each by itself, and everybody at once. The two do not touch one another.

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::LIST_ROWS;
use ipc_protocol::request::{Freeze, Freezes, Frozen as Whom, FrozenRow};
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{count, names};
use crate::error::Done;
use crate::frozen::Frozen;

/// Whether everybody is frozen.
pub(crate) fn everybody(db: &Connection) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM standstill")?.exists([])
}

/// Whether `agent` is frozen by itself.
pub(crate) fn by_itself(db: &Connection, agent: AgentId) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM frozen WHERE agent = ?1")?
        .exists([agent.to_row()])
}

/// Freezes `agent`; says whether it was not.
pub(crate) fn freeze(db: &Connection, agent: AgentId, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT OR IGNORE INTO frozen (agent, frozen_ms) VALUES (?1, ?2)";
    let row = params![agent.to_row(), now.as_millis()];
    Ok(db.prepare_cached(sql)?.execute(row)? > 0)
}

/// Thaws `agent`; says whether it was frozen by itself.
pub(crate) fn thaw(db: &Connection, agent: AgentId) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM frozen WHERE agent = ?1";
    Ok(db.prepare_cached(sql)?.execute([agent.to_row()])? > 0)
}

/// Freezes everybody; says whether that was not so.
pub(crate) fn freeze_everybody(db: &Connection, now: Timestamp) -> rusqlite::Result<bool> {
    let sql = "INSERT OR IGNORE INTO standstill (one, since_ms) VALUES (1, ?1)";
    Ok(db.prepare_cached(sql)?.execute([now.as_millis()])? > 0)
}

/// Lets everybody go on who is not frozen by itself; says whether everybody was frozen.
pub(crate) fn thaw_everybody(db: &Connection) -> rusqlite::Result<bool> {
    Ok(db.prepare_cached("DELETE FROM standstill")?.execute([])? > 0)
}

/// Since when everybody is frozen; nothing when not everybody is.
fn everybody_since(db: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    db.prepare_cached("SELECT since_ms FROM standstill")?
        .query_row([], |row| row.get(0).map(Timestamp::from_millis))
        .optional()
}

/// The freeze that holds `agent`: its own, else everybody's.
pub(crate) fn of(db: &Connection, agent: AgentId) -> rusqlite::Result<Option<Freeze>> {
    let own = db
        .prepare_cached("SELECT frozen_ms FROM frozen WHERE agent = ?1")?
        .query_row([agent.to_row()], |row| {
            row.get(0).map(Timestamp::from_millis)
        })
        .optional()?;
    let freeze = |whom| move |since_ms| Freeze { whom, since_ms };
    match own {
        Some(_) => Ok(own.map(freeze(Whom::Agent))),
        None => Ok(everybody_since(db)?.map(freeze(Whom::Everybody))),
    }
}

/// How many are frozen, and whether `asker` is.
pub(crate) fn overview(db: &Connection, asker: Option<AgentId>) -> Done<Freezes> {
    let agents = db
        .prepare_cached("SELECT count(*) FROM frozen")?
        .query_row([], |row| row.get(0))?;
    Ok(Freezes {
        agents: count(agents)?,
        everybody_since_ms: everybody_since(db)?,
        you: match asker {
            Some(agent) => of(db, agent)?,
            None => None,
        },
    })
}

/// Tells `memory` who is frozen, at a start.
pub(crate) fn begin(db: &Connection, memory: &Frozen) -> rusqlite::Result<()> {
    let agents = db
        .prepare_cached("SELECT agent FROM frozen")?
        .query_map([], |row| row.get(0).map(AgentId::from_row))?
        .collect::<Result<_, _>>()?;
    memory.begin(everybody(db)?, agents);
    Ok(())
}

/// The agents that are frozen by themselves, by name, and since when; at most as many as a list has rows.
pub(crate) fn rows(db: &Connection) -> rusqlite::Result<Vec<FrozenRow>> {
    let sql = "SELECT agent, shown, frozen_ms FROM frozen JOIN names USING (agent)
               WHERE until_ms IS NULL ORDER BY folded LIMIT ?1";
    db.prepare_cached(sql)?
        .query_map([LIST_ROWS], |row| {
            Ok(FrozenRow {
                agent_id: AgentId::from_row(row.get(0)?),
                name: names::read(row.get_ref(1)?)?,
                since_ms: Timestamp::from_millis(row.get(2)?),
            })
        })?
        .collect()
}
