//! What is forgotten with time, a little at a go, so that the writer is never held for long.

use ipc_protocol::message::EndReason;
use ipc_protocol::time::Timestamp;
use rusqlite::params;

use super::context::Context;
use super::{agents, deliveries};
use crate::error::Done;
use crate::limits::{ALIAS_MS, DAY_MS, SESSION_IDLE_MS};

/// Rows that one go looks at.
const GO: u32 = 200;

/// Forgets a little of what is old; says whether there may be more.
pub(crate) fn sweep(context: &mut Context<'_>) -> Done<bool> {
    let days = |days: u32| days_before(context.now.wall, days);
    let unclaimed = days(context.limits.unclaimed_days);
    let read = days(context.limits.read_days);
    let expired = deliveries::expire_unclaimed(context, unclaimed, GO)?;
    let deleted = delete_messages(context, read)?;
    let forgotten = forget_agents(context)?;
    delete_names(context)?;
    delete_sessions(context)?;
    give_pages_back(context)?;
    let full = u64::from(GO);
    Ok(expired >= full || deleted >= full || forgotten >= full)
}

/// Shortens the file by up to 64 pages; SQLite gives one back with each step.
fn give_pages_back(context: &Context<'_>) -> rusqlite::Result<()> {
    let mut vacuum = context.db.prepare_cached("PRAGMA incremental_vacuum(64)")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.plus_millis(i64::from(days).saturating_mul(DAY_MS).saturating_neg())
}

/// Deletes messages that are old and wait for nobody.
fn delete_messages(context: &Context<'_>, before: Timestamp) -> Done<u64> {
    let sql = "DELETE FROM messages WHERE seq IN (
                   SELECT seq FROM messages AS m WHERE sent_ms < ?1 AND NOT EXISTS
                   (SELECT 1 FROM deliveries WHERE message = m.seq
                    AND state IN ('stored', 'offered'))
                   ORDER BY sent_ms LIMIT ?2)";
    let deleted = context
        .db
        .prepare_cached(sql)?
        .execute(params![before.as_millis(), GO])?;
    Ok(u64::try_from(deleted).unwrap_or(u64::MAX))
}

/// Frees the names of agents that have been away too long, and of agents that a program named and
/// that left nothing behind after a day.
fn forget_agents(context: &mut Context<'_>) -> Done<u64> {
    let mut forgotten = 0_u64;
    let day_ago = days_before(context.now.wall, 1);
    for agent in agents::all(context.db, 10_000)?.into_iter().rev() {
        let brief = agent.automatic
            && agent.seen(context) < day_ago
            && deliveries::waiting(context, agent.id)?.0 == 0
            && !agent.is_live(context)?;
        if brief || agent.is_forgotten(context)? {
            agents::end(context, agent.id, EndReason::RecipientForgotten)?;
            forgotten = forgotten.saturating_add(1);
            if forgotten >= u64::from(GO) {
                break;
            }
        }
    }
    Ok(forgotten)
}

fn delete_names(context: &Context<'_>) -> rusqlite::Result<()> {
    let sql = "DELETE FROM names WHERE until_ms IS NOT NULL AND until_ms NOT BETWEEN ?1 AND ?2";
    let now = context.now.wall.as_millis();
    context
        .db
        .prepare_cached(sql)?
        .execute([now, now.saturating_add(ALIAS_MS)])?;
    // An ended agent is kept for as long as a message of its own is.
    let sql = "DELETE FROM agents WHERE ended_ms IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM messages WHERE sender = agent)
               AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.agent = agents.agent)
               AND NOT EXISTS (SELECT 1 FROM idempotency WHERE idempotency.agent = agents.agent)";
    context.db.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn delete_sessions(context: &Context<'_>) -> rusqlite::Result<()> {
    // Uses are written down within ten minutes, so a session unused for a day is unused indeed.
    let sql = "DELETE FROM credentials WHERE kind = 'session'
               AND (expires_ms < ?1 OR last_used_ms < ?2)";
    let now = context.now.wall;
    let unused = now.plus_millis(SESSION_IDLE_MS.saturating_mul(2).saturating_neg());
    context
        .db
        .prepare_cached(sql)?
        .execute([now.as_millis(), unused.as_millis()])
        .map(|_| ())
}
