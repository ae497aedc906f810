//! Agents: who exists, and what ends with one that goes.

use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::context::{Context, Effect, View};
use super::{
    auto_checks, boundaries, conversations, credentials, deliveries, freezes, names, notice_files,
    profiles,
};
use crate::audit::event::{AgentEnd, Event};
use crate::error::Done;
use crate::limits::DAY_MS;

/// The incarnation of an agent that nobody has enrolled natively: it was imported, or came over the
/// old port. Its first native enrolment counts the first one.
const UNOWNED: u32 = 0;

/// An agent that has not ended.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    pub(crate) incarnation: u32,
    pub(crate) automatic: bool,
    pub(crate) registered: Timestamp,
    pub(crate) last_seen: Timestamp,
    pub(crate) renamed: Option<Timestamp>,
    pub(crate) offline: Option<Timestamp>,
}

const COLUMNS: &str =
    "agent, incarnation, automatic, registered_ms, last_seen_ms, renamed_ms, offline_ms";

fn read(row: &Row<'_>) -> rusqlite::Result<Agent> {
    let time = |at: Option<i64>| at.map(Timestamp::from_millis);
    Ok(Agent {
        id: AgentId::from_row(row.get(0)?),
        incarnation: row.get(1)?,
        automatic: row.get(2)?,
        registered: Timestamp::from_millis(row.get(3)?),
        last_seen: Timestamp::from_millis(row.get(4)?),
        renamed: time(row.get(5)?),
        offline: time(row.get(6)?),
    })
}

impl Agent {
    /// Whether nobody has enrolled it natively yet: then the shared secret alone claims it.
    pub(crate) const fn is_unowned(&self) -> bool {
        self.incarnation == UNOWNED
    }

    /// When it was last seen, memory and store together.
    pub(crate) fn seen(&self, view: &View<'_>) -> Timestamp {
        view.presence.last_seen(self.id, self.last_seen)
    }

    /// Whether it said that it steps out, and has done nothing since.
    pub(crate) fn stepped_out(&self, view: &View<'_>) -> bool {
        self.offline.is_some_and(|at| at >= self.seen(view))
    }

    /// Whether it has an open connection, or one of its host processes still runs.
    pub(crate) fn is_live(&self, view: &View<'_>) -> rusqlite::Result<bool> {
        if view.presence.is_connected(self.id) {
            return Ok(true);
        }
        if self.stepped_out(view) {
            return Ok(false);
        }
        let hosts = credentials::hosts(view, self.id)?;
        Ok(hosts.iter().any(|host| host.is_running()))
    }

    /// Whether its name is free again: not live, not frozen, and not seen for as long as names are held. One
    /// that came from an older store is held from then on, whenever it was last seen there.
    pub(crate) fn is_forgotten(&self, view: &View<'_>) -> rusqlite::Result<bool> {
        let held = i64::from(view.limits.offline_name_days).saturating_mul(DAY_MS);
        let unseen = view
            .now
            .wall
            .millis_since(self.seen(view).max(self.registered));
        Ok(unseen > held && !self.is_live(view)? && !freezes::by_itself(view.db, self.id)?)
    }
}

/// The agent `id`, unless it has ended.
pub(crate) fn find(db: &Connection, id: AgentId) -> rusqlite::Result<Option<Agent>> {
    let sql = format!("SELECT {COLUMNS} FROM agents WHERE agent = ?1 AND ended_ms IS NULL");
    db.prepare_cached(&sql)?
        .query_row([id.to_row()], read)
        .optional()
}

/// Every agent that has not ended, at most `most`.
pub(crate) fn all(db: &Connection, most: u32) -> rusqlite::Result<Vec<Agent>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM agents WHERE ended_ms IS NULL ORDER BY last_seen_ms DESC LIMIT ?1"
    );
    db.prepare_cached(&sql)?.query_map([most], read)?.collect()
}

/// Agents that have not ended and that the store has not heard of since `before` (nor were they
/// new then), the longest
/// unseen first, at most `most`.
pub(crate) fn unseen_since(
    db: &Connection,
    before: Timestamp,
    most: u32,
) -> rusqlite::Result<Vec<Agent>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM agents WHERE ended_ms IS NULL AND last_seen_ms < ?1
         AND registered_ms < ?1 ORDER BY last_seen_ms LIMIT ?2"
    );
    db.prepare_cached(&sql)?
        .query_map(params![before.as_millis(), most], read)?
        .collect()
}

/// How many agents have not ended.
pub(crate) fn number(db: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT count(*) FROM names WHERE until_ms IS NULL";
    db.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Makes a new agent without a name.
pub(crate) fn create(context: &mut Context<'_>, automatic: bool) -> rusqlite::Result<AgentId> {
    insert(context, automatic, UNOWNED.saturating_add(1))
}

/// Makes a new agent without a name that is nobody's until its first native enrolment.
pub(crate) fn create_unowned(context: &mut Context<'_>) -> rusqlite::Result<AgentId> {
    insert(context, false, UNOWNED)
}

fn insert(
    context: &mut Context<'_>,
    automatic: bool,
    incarnation: u32,
) -> rusqlite::Result<AgentId> {
    let id = AgentId::random(context.rng);
    let now = context.now.wall.as_millis();
    let sql = "INSERT INTO agents (agent, incarnation, automatic, registered_ms, last_seen_ms)
               VALUES (?1, ?2, ?3, ?4, ?4)";
    let row = params![id.to_row(), incarnation, automatic, now];
    context.db.prepare_cached(sql)?.execute(row)?;
    Ok(id)
}

/// Counts one more incarnation of `id`: whoever has the name now need not be whom one knew.
pub(crate) fn reincarnate(db: &Connection, id: AgentId) -> rusqlite::Result<()> {
    let sql = "UPDATE agents SET incarnation = incarnation + 1 WHERE agent = ?1";
    db.prepare_cached(sql)?.execute([id.to_row()]).map(|_| ())
}

/// Notes that `id` has chosen a name itself at `now`.
pub(crate) fn renamed(db: &Connection, id: AgentId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE agents SET renamed_ms = ?2, automatic = 0 WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([id.to_row(), now.as_millis()])
        .map(|_| ())
}

/// Notes that `id` steps out at `now`.
pub(crate) fn step_out(db: &Connection, id: AgentId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE agents SET offline_ms = ?2, last_seen_ms = ?2 WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([id.to_row(), now.as_millis()])
        .map(|_| ())
}

/// Notes that `id` was seen at `now`, if that is later than what is known.
pub(crate) fn seen(db: &Connection, id: AgentId, now: Timestamp) -> rusqlite::Result<()> {
    let sql = "UPDATE agents SET last_seen_ms = max(last_seen_ms, ?2) WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([id.to_row(), now.as_millis()])
        .map(|_| ())
}

/// Ends the agent: its names are free, its groups left, its credentials void, its waiting mail refused and
/// the senders told. Says how many messages that were.
pub(crate) fn end(context: &mut Context<'_>, id: AgentId, why: AgentEnd) -> Done<u64> {
    let reason = why.told();
    let name = names::current(context.db, id)?;
    context.effects.push(Effect::Audited(Event::AgentEnded {
        agent: id,
        name,
        reason: why,
    }));
    let refused = deliveries::end_waiting(context, id, reason)?;
    conversations::leave_all(context, id)?;
    let held = boundaries::end_held(context, id, None, reason)?;
    credentials::void_all(context, id, why.into())?;
    names::take_all(context.db, id)?;
    auto_checks::remove(context.db, id)?;
    profiles::remove(context.db, id)?;
    boundaries::remove(context.db, id)?;
    if freezes::thaw(context.db, id)? {
        context.effects.push(Effect::Thawed(Some(id)));
    }
    if notice_files::end(context.db, id)? {
        context.effects.push(Effect::NoticesOff(id));
    }
    let sql = "UPDATE agents SET ended_ms = ?2 WHERE agent = ?1";
    context
        .db
        .prepare_cached(sql)?
        .execute([id.to_row(), context.now.wall.as_millis()])?;
    context.effects.push(Effect::RecipientGone);
    Ok(refused.saturating_add(held))
}
