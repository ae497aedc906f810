//! Conversations: between two agents, made with their first message; and groups.
//!
//! A conversation is forgotten with its last message: one between two agents at once, a group when
//! nobody is in it any more. Members are agents, so that a rename changes nothing.

use std::collections::HashMap;

use ipc_protocol::conversation::Title;
use ipc_protocol::id::{AgentId, ConversationId};
use ipc_protocol::limits::LEASE_MS;
use ipc_protocol::message::{IdempotencyKey, SystemEvent};
use ipc_protocol::name::Name;
use ipc_protocol::time::Timestamp;
use rand::CryptoRng;
use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension, params};

use super::context::{Context, View};
use super::{count, deliveries, names};
use crate::error::Done;

/// What a conversation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Between two agents.
    Direct,
    /// A group of this title.
    Group(Title),
}

/// The conversation `id`, if `agent` is in it.
pub(crate) fn of_member(
    db: &Connection,
    id: ConversationId,
    agent: AgentId,
) -> rusqlite::Result<Option<Sort>> {
    let sql = "SELECT title FROM conversations JOIN members USING (conversation)
               WHERE conversation = ?1 AND agent = ?2";
    db.prepare_cached(sql)?
        .query_row([id.to_row(), agent.to_row()], |row| sort(row.get_ref(0)?))
        .optional()
}

/// Whether the conversation `id` is a group, whoever is in it.
pub(crate) fn is_group(db: &Connection, id: ConversationId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM conversations WHERE conversation = ?1 AND title IS NOT NULL";
    db.prepare_cached(sql)?.exists([id.to_row()])
}

fn sort(title: ValueRef<'_>) -> rusqlite::Result<Sort> {
    Ok(match read_title(title)? {
        None => Sort::Direct,
        Some(title) => Sort::Group(title),
    })
}

/// Reads a column that holds a title, or nothing.
pub(crate) fn read_title(value: ValueRef<'_>) -> Result<Option<Title>, FromSqlError> {
    let title = value.as_str_or_null()?.map(Title::parse).transpose();
    title.map_err(|_| FromSqlError::InvalidType)
}

/// The conversation between two agents; made if there is none.
pub(crate) fn direct(
    db: &Connection,
    rng: &mut impl CryptoRng,
    one: AgentId,
    other: AgentId,
) -> rusqlite::Result<ConversationId> {
    let (one, other) = (one.to_row(), other.to_row());
    let (first, second) = (one.min(other), one.max(other));
    let sql = "SELECT conversation FROM conversations WHERE first = ?1 AND second = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row([first, second], |row| row.get(0))
        .optional()?;
    if let Some(found) = found {
        return Ok(ConversationId::from_row(found));
    }
    let id = ConversationId::random(rng);
    let sql = "INSERT INTO conversations (conversation, first, second) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?
        .execute([id.to_row(), first, second])?;
    for agent in [first, second] {
        let sql = "INSERT INTO members (conversation, agent, after) VALUES (?1, ?2, 0)";
        db.prepare_cached(sql)?.execute([id.to_row(), agent])?;
    }
    Ok(id)
}

/// Makes a group that nobody is in yet.
pub(crate) fn create(
    context: &mut Context<'_>,
    title: &Title,
    maker: AgentId,
    key: Option<&IdempotencyKey>,
) -> rusqlite::Result<ConversationId> {
    let id = ConversationId::random(context.rng);
    let sql = "INSERT INTO conversations (conversation, title, maker, key) VALUES (?1, ?2, ?3, ?4)";
    context.db.prepare_cached(sql)?.execute(params![
        id.to_row(),
        title.as_str(),
        maker.to_row(),
        key.map(IdempotencyKey::as_str)
    ])?;
    Ok(id)
}

/// The group that `maker` made under `key`, and its title.
pub(crate) fn made(
    db: &Connection,
    maker: AgentId,
    key: &IdempotencyKey,
) -> rusqlite::Result<Option<(ConversationId, Option<Title>)>> {
    let sql = "SELECT conversation, title FROM conversations WHERE maker = ?1 AND key = ?2";
    db.prepare_cached(sql)?
        .query_row(params![maker.to_row(), key.as_str()], |row| {
            let id = ConversationId::from_row(row.get(0)?);
            Ok((id, read_title(row.get_ref(1)?)?))
        })
        .optional()
}

/// Puts `agent` into the group `id`; says whether it was not in it.
pub(crate) fn join(db: &Connection, id: ConversationId, agent: AgentId) -> rusqlite::Result<bool> {
    let sql = "INSERT INTO members (conversation, agent, after)
               VALUES (?1, ?2, (SELECT coalesce(max(seq), 0) FROM messages))
               ON CONFLICT DO NOTHING";
    let changed = db
        .prepare_cached(sql)?
        .execute([id.to_row(), agent.to_row()])?;
    Ok(changed > 0)
}

/// Takes `agent` out of the conversation `id`, and tells those who are left in a group.
pub(crate) fn leave(
    context: &mut Context<'_>,
    id: ConversationId,
    agent: AgentId,
    name: &Name,
) -> Done<()> {
    let sort = of_member(context.db, id, agent)?;
    let sql = "DELETE FROM members WHERE conversation = ?1 AND agent = ?2";
    context
        .db
        .prepare_cached(sql)?
        .execute([id.to_row(), agent.to_row()])?;
    if let Some(Sort::Group(_)) = sort {
        let left = members(context.db, id)?;
        let event = SystemEvent::MemberLeft {
            conversation_id: id,
            name: name.clone(),
        };
        deliveries::tell(context, &left, &event)?;
    }
    Ok(forget_if_over(context.db, id)?)
}

/// Takes an agent that ends out of every conversation that it is in.
pub(crate) fn leave_all(context: &mut Context<'_>, agent: AgentId) -> Done<()> {
    let Some(name) = names::current(context.db, agent)? else {
        return Ok(());
    };
    let all: Vec<_> = {
        let sql = "SELECT conversation FROM members WHERE agent = ?1";
        let mut query = context.db.prepare_cached(sql)?;
        let rows = query.query_map([agent.to_row()], |row| {
            row.get(0).map(ConversationId::from_row)
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for id in all {
        leave(context, id, agent, &name)?;
    }
    Ok(())
}

/// Forgets the conversation `id` if it holds no message, and nobody either or only ever two.
pub(crate) fn forget_if_over(db: &Connection, id: ConversationId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM conversations WHERE conversation = ?1
               AND NOT EXISTS (SELECT 1 FROM messages WHERE conversation = ?1)
               AND (title IS NULL OR NOT EXISTS
                    (SELECT 1 FROM members WHERE conversation = ?1))";
    db.prepare_cached(sql)?.execute([id.to_row()]).map(|_| ())
}

/// Who is in the conversation `id`, in alphabetical order.
pub(crate) fn members(
    db: &Connection,
    id: ConversationId,
) -> rusqlite::Result<Vec<(AgentId, Name)>> {
    let sql = "SELECT members.agent, shown FROM members JOIN names ON names.agent = members.agent
               WHERE conversation = ?1 AND until_ms IS NULL ORDER BY folded";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([id.to_row()], |row| {
        Ok((
            AgentId::from_row(row.get(0)?),
            names::read(row.get_ref(1)?)?,
        ))
    })?;
    rows.collect()
}

/// How many groups `agent` is in.
pub(crate) fn groups(db: &Connection, agent: AgentId) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM members JOIN conversations USING (conversation)
               WHERE agent = ?1 AND title IS NOT NULL";
    db.prepare_cached(sql)?
        .query_row([agent.to_row()], |row| row.get(0))
}

/// How many conversations `agent` is in.
pub(crate) fn number(db: &Connection, agent: AgentId) -> Done<u64> {
    let sql = "SELECT count(*) FROM members WHERE agent = ?1";
    let number = db
        .prepare_cached(sql)?
        .query_row([agent.to_row()], |row| row.get(0))?;
    Ok(count(number)?)
}

/// A conversation as one who is in it sees it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: ConversationId,
    pub(crate) title: Option<Title>,
    pub(crate) unread: u64,
    /// When its last message was stored, of those since this member came.
    pub(crate) last: Option<Timestamp>,
}

/// The conversations that `agent` is in, or only `one` of them, the latest first.
pub(crate) fn seen_by(
    view: &View<'_>,
    agent: AgentId,
    one: Option<ConversationId>,
    limit: u32,
) -> Done<Vec<Seen>> {
    // A message that came while an agent was in a conversation is one that it sent or got.
    let sql = "SELECT c.conversation, c.title,
               (SELECT max(seq) FROM messages
                WHERE conversation = c.conversation AND seq > me.after) AS newest, me.after
               FROM members AS me JOIN conversations AS c USING (conversation)
               WHERE me.agent = ?1 AND (?2 IS NULL OR c.conversation = ?2)
               ORDER BY coalesce(newest, me.after) DESC, c.conversation LIMIT ?3";
    let sql = format!(
        "SELECT conversation, title, (SELECT sent_ms FROM messages WHERE seq = newest)
         FROM ({sql}) ORDER BY coalesce(newest, after) DESC, conversation"
    );
    let unread = unread(view, agent)?;
    let only = one.map(ConversationId::to_row);
    let mut query = view.db.prepare_cached(&sql)?;
    let rows = query.query_map(params![agent.to_row(), only, limit], |row| {
        let id = ConversationId::from_row(row.get(0)?);
        Ok(Seen {
            id,
            title: read_title(row.get_ref(1)?)?,
            unread: unread.get(&id).copied().unwrap_or(0),
            last: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How much waits for `agent` in each conversation, leased mail not counted.
fn unread(view: &View<'_>, agent: AgentId) -> Done<HashMap<ConversationId, u64>> {
    let sql = "SELECT m.conversation, count(*)
               FROM deliveries AS d JOIN messages AS m ON m.seq = d.message
               WHERE d.agent = ?1 AND d.state IN ('stored', 'offered')
               AND m.conversation IS NOT NULL
               AND (d.lease_until_ms IS NULL OR d.lease_until_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3)
               GROUP BY m.conversation";
    let now = view.now.wall.as_millis();
    let mut query = view.db.prepare_cached(sql)?;
    let mut unread = HashMap::new();
    for row in query.query_map(params![agent.to_row(), now, LEASE_MS], |row| {
        Ok((ConversationId::from_row(row.get(0)?), row.get(1)?))
    })? {
        let (id, number) = row?;
        unread.insert(id, count(number)?);
    }
    Ok(unread)
}
