//! Whose mail an agent takes: its rules, whether it holds mail of strangers, and what is held.
//!
//! Held mail lies outside the mailbox, as mail for a name that nobody has does: under the agent's
//! id in the place of a name, which no name can be (an id has a dot). So no fetch, count, notice or
//! search of a mailbox can come upon it, and it expires as such mail does.

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::{LEASE_MS, LIST_ROWS};
use ipc_protocol::message::{BoundaryRule, DeliveryState, EndReason};
use ipc_protocol::name::Name;
use ipc_protocol::request::{BoundaryRow, HeldRow};
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::context::{Context, Effect, View};
use super::{adoption, count, deliveries, names, word};
use crate::error::Done;

/// What `owner` has said of mail from `peer`.
pub(crate) fn rule(
    db: &Connection,
    owner: AgentId,
    peer: AgentId,
) -> rusqlite::Result<BoundaryRule> {
    let sql = "SELECT rule FROM boundaries WHERE owner = ?1 AND peer = ?2";
    let row = db
        .prepare_cached(sql)?
        .query_row([owner.to_row(), peer.to_row()], |row| {
            Ok(word(row.get_ref(0)?)?)
        })
        .optional()?;
    Ok(row.unwrap_or(BoundaryRule::None))
}

/// How many rules `owner` has.
pub(crate) fn number(db: &Connection, owner: AgentId) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM boundaries WHERE owner = ?1";
    db.prepare_cached(sql)?
        .query_row([owner.to_row()], |row| row.get(0))
}

/// Mail from `peer` is `rule` for `owner` from now on.
pub(crate) fn set(
    view: &View<'_>,
    owner: AgentId,
    peer: AgentId,
    rule: BoundaryRule,
) -> rusqlite::Result<()> {
    let (owner, peer) = (owner.to_row(), peer.to_row());
    if rule == BoundaryRule::None {
        let sql = "DELETE FROM boundaries WHERE owner = ?1 AND peer = ?2";
        return view
            .db
            .prepare_cached(sql)?
            .execute([owner, peer])
            .map(|_| ());
    }
    let sql = "INSERT INTO boundaries (owner, peer, rule, made_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (owner, peer) DO UPDATE SET rule = ?3, made_ms = ?4
               WHERE rule <> ?3";
    let now = view.now.wall.as_millis();
    view.db
        .prepare_cached(sql)?
        .execute(params![owner, peer, rule.as_str(), now])
        .map(|_| ())
}

/// The rules of `owner`, by the names that the agents have now.
pub(crate) fn rules(db: &Connection, owner: AgentId) -> rusqlite::Result<Vec<BoundaryRow>> {
    let sql = "SELECT b.peer, n.shown, b.rule, b.made_ms FROM boundaries AS b
               JOIN names AS n ON n.agent = b.peer AND n.until_ms IS NULL
               WHERE b.owner = ?1 ORDER BY n.folded";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([owner.to_row()], |row| {
        Ok(BoundaryRow {
            agent_id: AgentId::from_row(row.get(0)?),
            name: names::read(row.get_ref(1)?)?,
            rule: word(row.get_ref(2)?)?,
            since_ms: Timestamp::from_millis(row.get(3)?),
        })
    })?;
    rows.collect()
}

/// Whether `owner` holds mail of agents that it has not allowed.
pub(crate) fn allows_only(db: &Connection, owner: AgentId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM allow_only WHERE agent = ?1";
    db.prepare_cached(sql)?.exists([owner.to_row()])
}

/// From now on `owner` holds such mail, or takes it.
pub(crate) fn allow_only(view: &View<'_>, owner: AgentId, on: bool) -> rusqlite::Result<()> {
    let sql = if on {
        "INSERT INTO allow_only (agent, made_ms) VALUES (?1, ?2) ON CONFLICT (agent) DO NOTHING"
    } else {
        "DELETE FROM allow_only WHERE agent = ?1 AND ?2"
    };
    view.db
        .prepare_cached(sql)?
        .execute([owner.to_row(), view.now.wall.as_millis()])
        .map(|_| ())
}

/// Whose mail is held for `owner`, the latest first.
pub(crate) fn held(db: &Connection, owner: AgentId) -> Done<Vec<HeldRow>> {
    let sql = "SELECT h.sender, h.number, m.sent_ms, m.sender_name FROM
                   (SELECT sender, count(*) AS number, max(message) AS newest FROM deliveries
                    WHERE unclaimed = ?1 AND state = 'stored' GROUP BY sender) AS h
               JOIN messages AS m ON m.seq = h.newest ORDER BY h.newest DESC LIMIT ?2";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(params![owner.to_string(), LIST_ROWS], |row| {
        Ok((
            AgentId::from_row(row.get(0)?),
            row.get(1)?,
            Timestamp::from_millis(row.get(2)?),
            names::read(row.get_ref(3)?)?,
        ))
    })?;
    let held = rows.map(|row| {
        let (agent_id, messages, latest_ms, name): (_, i64, _, _) = row?;
        Ok(HeldRow {
            agent_id,
            name,
            messages: count(messages)?,
            latest_ms,
        })
    });
    held.collect()
}

/// How much is held for `owner`, and how much of it from `sender`.
pub(crate) fn waiting(
    db: &Connection,
    owner: AgentId,
    sender: AgentId,
) -> rusqlite::Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(sender = ?2), 0) FROM deliveries
               WHERE unclaimed = ?1 AND state = 'stored'";
    db.prepare_cached(sql)?
        .query_row(params![owner.to_string(), sender.to_row()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
}

/// What is held for `owner` comes into its mailbox: all of it, or what one agent sent. Says how
/// much.
pub(crate) fn release(
    context: &mut Context<'_>,
    owner: AgentId,
    from: Option<AgentId>,
    rings: bool,
) -> Done<u64> {
    let sql = "UPDATE deliveries SET agent = ?2, unclaimed = NULL
               WHERE unclaimed = ?1 AND state = 'stored' AND (?3 IS NULL OR sender = ?3)";
    let under = owner.to_string();
    adoption::give_conversation(context.view.db, context.rng, &under, owner, from)?;
    let from = from.map(AgentId::to_row);
    let released = context
        .db
        .prepare_cached(sql)?
        .execute(params![under, owner.to_row(), from])?;
    if released > 0 {
        context.effects.push(if rings {
            Effect::MailAvailable(owner)
        } else {
            Effect::QuietMailAvailable(owner)
        });
    }
    Ok(u64::try_from(released).unwrap_or(u64::MAX))
}

/// Mail of `sender` that lies under `name` is held for `owner`, who is about to have the name.
pub(crate) fn hold(
    db: &Connection,
    name: &Name,
    owner: AgentId,
    sender: AgentId,
) -> rusqlite::Result<()> {
    let sql = "UPDATE deliveries SET unclaimed = ?2
               WHERE unclaimed = ?1 AND state = 'stored' AND sender = ?3";
    db.prepare_cached(sql)?
        .execute(params![name.folded(), owner.to_string(), sender.to_row()])
        .map(|_| ())
}

/// The agents that have mail under `name`, which nobody has.
pub(crate) fn senders_to(db: &Connection, name: &Name) -> rusqlite::Result<Vec<AgentId>> {
    let sql = "SELECT DISTINCT sender FROM deliveries
               WHERE unclaimed = ?1 AND state = 'stored' AND sender IS NOT NULL";
    let mut query = db.prepare_cached(sql)?;
    query
        .query_map([name.folded()], |row| row.get(0).map(AgentId::from_row))?
        .collect()
}

/// Ends what is held for `owner`, all of it or what one agent sent; says how many.
pub(crate) fn end_held(
    context: &mut Context<'_>,
    owner: AgentId,
    from: Option<AgentId>,
    reason: EndReason,
) -> Done<u64> {
    let from = from.map(AgentId::to_row);
    let endings = deliveries::endings(context.db, OUTSIDE, params![owner.to_string(), from])?;
    deliveries::end(context, endings, DeliveryState::Refused, reason)
}

/// Ends mail of `sender` for a name that nobody has; says how many.
pub(crate) fn end_unclaimed(
    context: &mut Context<'_>,
    name: &Name,
    sender: AgentId,
    reason: EndReason,
) -> Done<u64> {
    let endings =
        deliveries::endings(context.db, OUTSIDE, params![name.folded(), sender.to_row()])?;
    deliveries::end(context, endings, DeliveryState::Refused, reason)
}

/// What lies outside any mailbox under one name or id, from one sender or from all.
const OUTSIDE: &str = "SELECT d.delivery, m.id, d.sender, d.name FROM deliveries AS d
     JOIN messages AS m ON m.seq = d.message
     WHERE d.unclaimed = ?1 AND d.state = 'stored' AND (?2 IS NULL OR d.sender = ?2)";

/// How much of what can be fetched for `agent` comes from agents that it has muted.
pub(crate) fn muted(view: &View<'_>, agent: AgentId) -> Done<u64> {
    let sql = "SELECT count(*) FROM deliveries WHERE agent = ?1 AND state IN ('stored', 'offered')
               AND (lease_until_ms IS NULL OR lease_until_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3)
               AND sender IN (SELECT peer FROM boundaries WHERE owner = ?1 AND rule = 'mute')";
    let now = view.now.wall.as_millis();
    let muted = view
        .db
        .prepare_cached(sql)?
        .query_row([agent.to_row(), now, LEASE_MS], |row| row.get(0))?;
    Ok(count(muted)?)
}

/// Whoever has the name of `agent` now need not be whom others allowed.
pub(crate) fn distrust(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM boundaries WHERE peer = ?1 AND rule = 'allow'";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}

/// Forgets the rules of `agent`, and those that others have for it.
pub(crate) fn remove(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM boundaries WHERE owner = ?1 OR peer = ?1";
    db.prepare_cached(sql)?.execute([agent.to_row()])?;
    let sql = "DELETE FROM allow_only WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}
