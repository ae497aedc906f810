//! `admin_readers`: who read what one agent wrote, for the time after it was talked into something.
//!
//! Metadata only: which message, when, to whom, how far it came and through which kind of front-end.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::limits::{FETCH_DEFAULT, LIST_ROWS};
use ipc_protocol::name::Peer;
use ipc_protocol::request::{AdminReaders, MessageReaders, Reader, ReadersPage};
use ipc_protocol::time::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::admin;
use crate::caller::Operator;
use crate::error::Done;
use crate::store::context::View;
use crate::store::names::{self, Holder};
use crate::store::word;

/// Deliveries that one reply tells of: each takes less than
/// [`RECEIPT_BYTES`](crate::limits::RECEIPT_BYTES) and an agent's id, and the whole must fit a frame.
const ROWS: usize = 5_000;

/// Tells of the messages of one agent, the latest first.
pub(crate) fn readers(
    request: &AdminReaders,
    operator: &Operator,
    view: &View<'_>,
) -> Done<ReadersPage> {
    admin::check_current(operator, view)?;
    let agent = writer(&request.sent_by, view)?;
    let limit = request.limit.unwrap_or(FETCH_DEFAULT).clamp(1, LIST_ROWS);
    let before = match request.before {
        None => i64::MAX,
        Some(id) => position(id, agent, view)?,
    };
    let since = request.since_ms.map_or(i64::MIN, Timestamp::as_millis);
    // One more than asked for says whether there is more.
    let sql = "SELECT seq, id, sent_ms, kind, bytes FROM messages
               WHERE sender = ?1 AND seq < ?2 AND sent_ms >= ?3 ORDER BY seq DESC LIMIT ?4";
    let mut query = view.db.prepare_cached(sql)?;
    let most = limit.saturating_add(1);
    let rows = query.query_map(params![agent.to_row(), before, since, most], |row| {
        let message = MessageReaders {
            message_id: MessageId::from_row(row.get(1)?),
            sent_ms: Timestamp::from_millis(row.get(2)?),
            kind: word(row.get_ref(3)?)?,
            bytes: row.get::<_, i64>(4)?.unsigned_abs(),
            recipients: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, message))
    })?;
    let mut page = ReadersPage {
        agent_id: agent,
        name: names::current(view.db, agent)?,
        messages: Vec::new(),
        next_before: None,
    };
    let mut room = ROWS;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    for row in rows {
        let (seq, mut message) = row?;
        message.recipients = recipients(seq, view)?;
        let fits = room.checked_sub(message.recipients.len());
        let last = page
            .messages
            .last()
            .map(|last: &MessageReaders| last.message_id);
        if page.messages.len() >= limit || (fits.is_none() && last.is_some()) {
            page.next_before = last;
            break;
        }
        room = fits.unwrap_or(0);
        page.messages.push(message);
    }
    Ok(page)
}

/// The agent that is meant: one that has ended, or has another name by now, by its id.
fn writer(peer: &Peer, view: &View<'_>) -> Done<AgentId> {
    let found = match peer {
        Peer::Agent(id) => {
            let sql = "SELECT 1 FROM agents WHERE agent = ?1";
            let is_there = view.db.prepare_cached(sql)?.exists([id.to_row()])?;
            is_there.then_some(*id)
        }
        Peer::Name(name) => match names::holder(view, name)? {
            Holder::Agent(id) | Holder::Alias { agent: id, .. } => Some(id),
            Holder::Nobody => None,
        },
    };
    found.ok_or_else(|| {
        Refusal::new(ErrorCode::NotFound, "no such agent")
            .hint("one that has ended goes by its id: `ipc admin audit show --agent NAME`")
            .into()
    })
}

/// Where message `id` stands in the order in which messages came; refused unless `sender` sent it.
fn position(id: MessageId, sender: AgentId, view: &View<'_>) -> Done<i64> {
    let sql = "SELECT seq FROM messages WHERE id = ?1 AND sender = ?2";
    let row = [id.to_row(), sender.to_row()];
    let seq = view
        .db
        .prepare_cached(sql)?
        .query_row(row, |row| row.get(0));
    seq.optional()?.ok_or_else(|| {
        Refusal::new(ErrorCode::NotFound, "this agent sent no such message")
            .hint("begin again without `before`")
            .into()
    })
}

fn recipients(seq: i64, view: &View<'_>) -> rusqlite::Result<Vec<Reader>> {
    let sql = "SELECT name, agent, state, offers, offered_ms, delivered_ms, handover, answered_ms,
               answer FROM deliveries WHERE message = ?1 ORDER BY delivery LIMIT ?2";
    let most = u32::try_from(ROWS).unwrap_or(u32::MAX);
    let mut query = view.db.prepare_cached(sql)?;
    query.query_map(params![seq, most], reader)?.collect()
}

fn reader(row: &Row<'_>) -> rusqlite::Result<Reader> {
    let time = |at: Option<i64>| at.map(Timestamp::from_millis);
    let handover: Option<String> = row.get(6)?;
    Ok(Reader {
        to: names::read(row.get_ref(0)?)?,
        agent_id: row.get::<_, Option<i64>>(1)?.map(AgentId::from_row),
        state: word(row.get_ref(2)?)?,
        offers: row.get(3)?,
        offered_ms: time(row.get(4)?),
        delivered_ms: time(row.get(5)?),
        handover: handover.and_then(|word| word.parse().ok()),
        answered_ms: time(row.get(7)?),
        answered_by: row.get::<_, Option<i64>>(8)?.map(MessageId::from_row),
    })
}
