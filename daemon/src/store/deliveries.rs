//! Deliveries: one message on its way to one recipient.
//!
//! `stored` → `offered` (leased to a front-end) → `delivered` → `answered`; or an end: `expired`,
//! `refused`. Mail for a name that nobody has lies under the name until somebody claims it.

use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::limits::LEASE_MS;
use ipc_protocol::message::{DeliveryState, EndReason, Handover, Kind, SystemEvent};
use ipc_protocol::name::Name;
use ipc_protocol::request::{RecipientOutcome, SentTo};
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, params};

use super::context::{Context, Effect, View};
use super::messages::{self, Seq};
use super::{count, names};
use crate::error::Done;
use crate::wanted::Envelope;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The agent; nothing while nobody has the name.
    pub(crate) agent: Option<AgentId>,
    /// What the recipient is called.
    pub(crate) name: Name,
    /// The old name that the message was addressed to.
    pub(crate) via_alias: Option<Name>,
    /// Why this one gets nothing, where others do.
    pub(crate) left_out: Option<EndReason>,
    /// How it comes there.
    pub(crate) handling: Handling,
}

impl Destination {
    /// Into the mailbox of `agent`, called `name`, or of whoever claims that; whoever waits there
    /// wakes.
    pub(crate) const fn new(agent: Option<AgentId>, name: Name) -> Self {
        Self {
            agent,
            name,
            via_alias: None,
            left_out: None,
            handling: Handling::Rings,
        }
    }
}

/// How a message comes to its recipient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Handling {
    /// Into the mailbox; whoever waits there wakes.
    #[default]
    Rings,
    /// Into the mailbox; nobody wakes.
    Quiet,
    /// Not into the mailbox before its owner says so (`store/boundaries.rs`).
    Held,
}

/// Puts message `seq` in `envelope` on its way to `to`.
pub(crate) fn insert(
    context: &mut Context<'_>,
    seq: Seq,
    envelope: &Envelope,
    to: &Destination,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO deliveries
               (message, sender, agent, unclaimed, name, via_alias, reason, state, ended_ms, ping)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7,
                       iif(?7 IS NULL, 'stored', 'refused'), iif(?7 IS NULL, NULL, ?8), ?9)";
    let (agent, outside) = match (to.agent, to.handling) {
        (Some(agent), Handling::Held) => (None, Some(agent.to_string())),
        (Some(agent), Handling::Rings | Handling::Quiet) => (Some(agent), None),
        (None, _) => (None, Some(to.name.folded())),
    };
    context.db.prepare_cached(sql)?.execute(params![
        seq.0,
        envelope.sender.map(AgentId::to_row),
        agent.map(AgentId::to_row),
        outside,
        to.name.as_str(),
        to.via_alias.as_ref().map(Name::as_str),
        to.left_out.map(EndReason::as_str),
        context.now.wall.as_millis(),
        envelope.kind == Kind::Ping,
    ])?;
    let arrives = agent.filter(|_| to.left_out.is_none());
    context
        .effects
        .extend(arrives.map(|agent| match to.handling {
            Handling::Quiet => Effect::QuietMailAvailable(agent),
            // What is held has no `agent` here, and comes to nobody.
            Handling::Rings | Handling::Held => Effect::MessageArrived(agent, *envelope),
        }));
    Ok(())
}

/// Tells `agents` of something, as a notice of the daemon's own. No limit counts these.
pub(crate) fn tell(
    context: &mut Context<'_>,
    agents: &[(AgentId, Name)],
    event: &SystemEvent,
) -> Done<()> {
    if agents.is_empty() {
        return Ok(());
    }
    let seq = messages::insert_notice(context, event)?;
    let envelope = Envelope {
        sender: None,
        conversation: None,
        kind: Kind::System,
        reply_to: None,
    };
    for (agent, name) in agents {
        let to = Destination::new(Some(*agent), name.clone());
        insert(context, seq, &envelope, &to)?;
    }
    Ok(())
}

/// How many messages from agents wait in the mailbox of `agent`, and how many of them from `sender`.
pub(crate) fn waiting_for(
    db: &Connection,
    agent: AgentId,
    sender: AgentId,
) -> rusqlite::Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(sender = ?2), 0) FROM deliveries
               WHERE agent = ?1 AND state IN ('stored', 'offered') AND sender IS NOT NULL";
    db.prepare_cached(sql)?
        .query_row([agent.to_row(), sender.to_row()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
}

/// The same for mail that waits for whoever claims `name`.
pub(crate) fn waiting_for_name(
    db: &Connection,
    name: &Name,
    sender: AgentId,
) -> rusqlite::Result<(u32, u32)> {
    let sql = "SELECT count(*), coalesce(sum(sender = ?2), 0) FROM deliveries
               WHERE unclaimed = ?1 AND state = 'stored'";
    db.prepare_cached(sql)?
        .query_row(params![name.folded(), sender.to_row()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
}

/// For how many names that nobody has mail of `sender` waits, `name` not counted.
pub(crate) fn other_unclaimed_names(
    db: &Connection,
    name: &Name,
    sender: AgentId,
) -> rusqlite::Result<u32> {
    let sql = "SELECT count(DISTINCT unclaimed) FROM deliveries
               WHERE unclaimed IS NOT NULL AND sender = ?2 AND unclaimed <> ?1
               AND instr(unclaimed, '.') = 0
               AND state = 'stored'";
    db.prepare_cached(sql)?
        .query_row(params![name.folded(), sender.to_row()], |row| row.get(0))
}

/// How much waits for `agent` unleased, and when the first lease ends. Pings do not wait.
pub(crate) fn waiting(view: &View<'_>, agent: AgentId) -> Done<(u64, Option<Timestamp>)> {
    // A lease that ends later than a lease lasts was written before the clock was set back.
    let sql = "SELECT count(*) FILTER (WHERE NOT leased), min(lease_until_ms) FILTER (WHERE leased)
               FROM (SELECT lease_until_ms,
                     coalesce(lease_until_ms BETWEEN ?2 + 1 AND ?2 + ?3, 0) AS leased
                     FROM deliveries WHERE agent = ?1 AND state IN ('stored', 'offered')
                     AND NOT ping)";
    let now = view.now.wall.as_millis();
    let (free, until): (i64, Option<i64>) = view
        .db
        .prepare_cached(sql)?
        .query_row(params![agent.to_row(), now, LEASE_MS], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok((count(free)?, until.map(Timestamp::from_millis)))
}

/// Leases a delivery; says until when.
pub(crate) fn lease(view: &View<'_>, delivery: i64) -> rusqlite::Result<Timestamp> {
    let until = view.now.wall.plus_millis(LEASE_MS);
    let sql = "UPDATE deliveries SET state = 'offered', offers = offers + 1,
               offered_ms = coalesce(offered_ms, ?2), lease_until_ms = ?3 WHERE delivery = ?1";
    let now = view.now.wall.as_millis();
    view.db
        .prepare_cached(sql)?
        .execute([delivery, now, until.as_millis()])?;
    Ok(until)
}

/// Message `id` was handed to `agent`: says whether it was not delivered before.
pub(crate) fn acknowledge(
    view: &View<'_>,
    agent: AgentId,
    id: MessageId,
    how: Handover,
) -> rusqlite::Result<bool> {
    let sql = "UPDATE deliveries SET state = 'delivered', delivered_ms = ?3, handover = ?4,
               lease_until_ms = NULL
               WHERE agent = ?1 AND state IN ('stored', 'offered')
               AND offers > 0 AND message = (SELECT seq FROM messages WHERE id = ?2)";
    let now = view.now.wall.as_millis();
    let changed = view.db.prepare_cached(sql)?.execute(params![
        agent.to_row(),
        id.to_row(),
        now,
        how.as_str()
    ])?;
    Ok(changed > 0)
}

/// Gives the lease on message `id` back: says whether there was one.
pub(crate) fn give_back(view: &View<'_>, agent: AgentId, id: MessageId) -> rusqlite::Result<bool> {
    let sql = "UPDATE deliveries SET lease_until_ms = NULL
               WHERE agent = ?1 AND state = 'offered' AND lease_until_ms IS NOT NULL
               AND message = (SELECT seq FROM messages WHERE id = ?2)";
    let changed = view
        .db
        .prepare_cached(sql)?
        .execute([agent.to_row(), id.to_row()])?;
    Ok(changed > 0)
}

/// A final reply of `agent` to message `seq` exists: whoever answered has read it.
pub(crate) fn answered(
    view: &View<'_>,
    agent: AgentId,
    seq: Seq,
    answer: MessageId,
) -> rusqlite::Result<()> {
    let sql = "UPDATE deliveries SET state = 'answered', answered_ms = ?3, lease_until_ms = NULL,
               answer = ?4
               WHERE agent = ?1 AND message = ?2 AND state IN ('stored', 'offered', 'delivered')";
    let now = view.now.wall.as_millis();
    view.db
        .prepare_cached(sql)?
        .execute(params![agent.to_row(), seq.0, now, answer.to_row()])
        .map(|_| ())
}

/// The recipients of message `seq`, as they stand now.
pub(crate) fn recipients(db: &Connection, seq: Seq) -> rusqlite::Result<Vec<SentTo>> {
    let sql = "SELECT name, agent, via_alias, reason = 'mailbox_full', instr(unclaimed, '.') > 0
               FROM deliveries
               WHERE message = ?1 ORDER BY delivery";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([seq.0], |row| {
        let alias = row
            .get::<_, Option<String>>(2)?
            .and_then(|text| Name::parse(&text).ok());
        let left_out = row.get::<_, Option<bool>>(3)?.unwrap_or(false);
        let outcome = match (row.get::<_, Option<i64>>(1)?, alias) {
            (None, _) if row.get::<_, Option<bool>>(4)? == Some(true) => RecipientOutcome::Held,
            (Some(_), None) if left_out => RecipientOutcome::LeftOut {
                reason: EndReason::MailboxFull,
            },
            (None, _) => RecipientOutcome::Unclaimed { did_you_mean: None },
            (Some(_), Some(from)) => RecipientOutcome::Forwarded { from },
            (Some(_), None) => RecipientOutcome::Stored,
        };
        Ok(SentTo {
            name: names::read(row.get_ref(0)?)?,
            outcome,
        })
    })?;
    rows.collect()
}

/// A delivery that is to end.
#[derive(Debug)]
pub(super) struct Ending {
    delivery: i64,
    message: MessageId,
    sender: Option<AgentId>,
    name: Name,
}

/// Ends everything that waits for `agent`, and tells the senders; says how many.
pub(crate) fn end_waiting(
    context: &mut Context<'_>,
    agent: AgentId,
    reason: EndReason,
) -> Done<u64> {
    let sql = "SELECT d.delivery, m.id, d.sender, d.name FROM deliveries AS d
               JOIN messages AS m ON m.seq = d.message
               WHERE d.agent = ?1 AND d.state IN ('stored', 'offered')";
    let mut endings = endings(context.db, sql, params![agent.to_row()])?;
    for ending in &mut endings {
        // Of notes to itself it is told no more: nobody would read that.
        ending.sender = ending.sender.filter(|sender| *sender != agent);
    }
    end(context, endings, DeliveryState::Refused, reason)
}

/// Ends mail for names that nobody claimed since `before`, at most `limit`; says how many.
pub(crate) fn expire_unclaimed(
    context: &mut Context<'_>,
    before: Timestamp,
    limit: u32,
) -> Done<u64> {
    let sql = "SELECT d.delivery, m.id, d.sender, d.name FROM deliveries AS d
               JOIN messages AS m ON m.seq = d.message
               WHERE d.unclaimed IS NOT NULL AND d.state = 'stored' AND m.sent_ms < ?1 LIMIT ?2";
    let endings = endings(context.db, sql, params![before.as_millis(), limit])?;
    end(context, endings, DeliveryState::Expired, EndReason::TooOld)
}

pub(super) fn endings(
    db: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<Ending>> {
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map(params, |row| {
        Ok(Ending {
            delivery: row.get(0)?,
            message: MessageId::from_row(row.get(1)?),
            sender: row.get::<_, Option<i64>>(2)?.map(AgentId::from_row),
            name: names::read(row.get_ref(3)?)?,
        })
    })?;
    rows.collect()
}

pub(super) fn end(
    context: &mut Context<'_>,
    endings: Vec<Ending>,
    state: DeliveryState,
    reason: EndReason,
) -> Done<u64> {
    let mut ended = 0_u64;
    for ending in endings {
        let sql = "UPDATE deliveries SET state = ?2, ended_ms = ?3, reason = ?4,
                   lease_until_ms = NULL WHERE delivery = ?1";
        context.db.prepare_cached(sql)?.execute(params![
            ending.delivery,
            state.as_str(),
            context.now.wall.as_millis(),
            reason.as_str()
        ])?;
        ended = ended.saturating_add(1);
        let Some(sender) = ending.sender else {
            continue;
        };
        let Some(name) = names::current(context.db, sender)? else {
            continue;
        };
        let (message_id, to) = (ending.message, ending.name);
        let event = if state == DeliveryState::Expired {
            SystemEvent::Expired { message_id, to }
        } else {
            SystemEvent::Refused {
                message_id,
                to,
                reason,
            }
        };
        tell(context, &[(sender, name)], &event)?;
    }
    Ok(ended)
}
