//! What of a mailbox can be offered to whoever asks for it, and when more of that can.

use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::limits::{LEASE_MS, PING_MS};
use ipc_protocol::message::Kind;
use ipc_protocol::time::Timestamp;
use rusqlite::params;

use super::context::View;
use super::messages::Seq;
use crate::wanted::Wanted;

/// A delivery that can be offered.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) delivery: i64,
    pub(crate) message: Seq,
}

/// What of the mailbox of ?1 is wanted at ?2: answers to ?3, sent by ?4, of kind ?5, said in ?9; and
/// pings with ?6, while they can be answered.
macro_rules! wanted {
    () => {
        "d.agent = ?1 AND d.state IN ('stored', 'offered')
         AND (NOT d.ping OR (SELECT sent_ms FROM messages WHERE seq = d.message) > ?2 - ?7)
         AND (d.ping AND ?6 OR
              (?3 IS NULL OR ?3 = (SELECT reply_to FROM messages WHERE seq = d.message))
              AND (?4 IS NULL OR ?4 = d.sender)
              AND (?9 IS NULL OR ?9 = (SELECT conversation FROM messages WHERE seq = d.message))
              AND iif(?5 IS NULL, NOT d.ping,
                      ?5 = (SELECT kind FROM messages WHERE seq = d.message)))"
    };
}

/// What is `wanted` of the mailbox of `agent` and is not leased, oldest first.
pub(crate) fn offerable(
    view: &View<'_>,
    agent: AgentId,
    wanted: &Wanted,
    limit: u32,
) -> rusqlite::Result<Vec<Waiting>> {
    let sql = concat!(
        "SELECT d.delivery, d.message FROM deliveries AS d WHERE ",
        wanted!(),
        " AND (d.lease_until_ms IS NULL OR d.lease_until_ms NOT BETWEEN ?2 + 1 AND ?2 + ?8)
          ORDER BY d.message LIMIT ?10"
    );
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(
        params![
            agent.to_row(),
            view.now.wall.as_millis(),
            wanted.answers_to.map(MessageId::to_row),
            wanted.sent_by.map(AgentId::to_row),
            wanted.kind.map(Kind::as_str),
            wanted.pings,
            PING_MS,
            LEASE_MS,
            wanted.conversation.map(ConversationId::to_row),
            limit
        ],
        |row| {
            Ok(Waiting {
                delivery: row.get(0)?,
                message: Seq(row.get(1)?),
            })
        },
    )?;
    rows.collect()
}

/// When the first lease on something that is `wanted` ends.
pub(crate) fn lease_end(
    view: &View<'_>,
    agent: AgentId,
    wanted: &Wanted,
) -> rusqlite::Result<Option<Timestamp>> {
    let sql = concat!(
        "SELECT min(d.lease_until_ms) FROM deliveries AS d WHERE ",
        wanted!(),
        " AND d.lease_until_ms BETWEEN ?2 + 1 AND ?2 + ?8"
    );
    let end: Option<i64> = view.db.prepare_cached(sql)?.query_row(
        params![
            agent.to_row(),
            view.now.wall.as_millis(),
            wanted.answers_to.map(MessageId::to_row),
            wanted.sent_by.map(AgentId::to_row),
            wanted.kind.map(Kind::as_str),
            wanted.pings,
            PING_MS,
            LEASE_MS,
            wanted.conversation.map(ConversationId::to_row)
        ],
        |row| row.get(0),
    )?;
    Ok(end.map(Timestamp::from_millis))
}
