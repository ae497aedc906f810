//! Messages and their bodies.

use ipc_protocol::id::{AgentId, ConversationId, MessageId};
use ipc_protocol::message::{Data, IdempotencyKey, Kind, Sender, SystemEvent};
use ipc_protocol::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::context::{Context, View};
use super::word;
use crate::caller::Caller;
use crate::error::{Done, Fault};

/// A message's number in the store: the order in which messages came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Seq(pub(crate) i64);

/// A message to be stored.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) data: Option<&'a Data>,
    pub(crate) reply_to: Option<MessageId>,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) hops: u32,
    /// Whether it is an answer of which more comes.
    pub(crate) interim: bool,
}

impl Draft<'_> {
    /// The attached data as it is stored.
    pub(crate) fn data_text(&self) -> Result<Option<String>, Fault> {
        let text = self.data.map(serde_json::to_string).transpose();
        text.map_err(|_| Fault::Inconsistent("attached data that is no JSON"))
    }
}

/// What other messages need to know of one.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    pub(crate) seq: Seq,
    pub(crate) id: MessageId,
    pub(crate) sender: Option<AgentId>,
    pub(crate) kind: Kind,
    pub(crate) hops: u32,
    pub(crate) conversation: Option<ConversationId>,
}

/// The message `id`, if `agent` sent it or has it in its mailbox.
pub(crate) fn visible(
    view: &View<'_>,
    id: MessageId,
    agent: AgentId,
) -> rusqlite::Result<Option<Parent>> {
    let sql = "SELECT seq, id, sender, kind, hops, conversation FROM messages AS m WHERE id = ?1
               AND (sender = ?2 OR EXISTS
               (SELECT 1 FROM deliveries WHERE message = m.seq AND agent = ?2))";
    view.db
        .prepare_cached(sql)?
        .query_row([id.to_row(), agent.to_row()], parent)
        .optional()
}

/// The last message from an agent that `agent` received; what programs answer by themselves, and
/// their answers, is none.
pub(crate) fn last_received(view: &View<'_>, agent: AgentId) -> rusqlite::Result<Option<Parent>> {
    let sql = "SELECT m.seq, m.id, m.sender, m.kind, m.hops, m.conversation
               FROM deliveries AS d JOIN messages AS m ON m.seq = d.message
               WHERE d.agent = ?1 AND d.state IN ('offered', 'delivered', 'answered')
               AND m.sender IS NOT NULL AND NOT d.ping AND m.kind <> 'ack'
               ORDER BY d.message DESC LIMIT 1";
    view.db
        .prepare_cached(sql)?
        .query_row([agent.to_row()], parent)
        .optional()
}

fn parent(row: &rusqlite::Row<'_>) -> rusqlite::Result<Parent> {
    Ok(Parent {
        seq: Seq(row.get(0)?),
        id: MessageId::from_row(row.get(1)?),
        sender: row.get::<_, Option<i64>>(2)?.map(AgentId::from_row),
        kind: word(row.get_ref(3)?)?,
        hops: row.get(4)?,
        conversation: row.get::<_, Option<i64>>(5)?.map(ConversationId::from_row),
    })
}

/// Stores a message that `caller` sends under the name in `sender`.
pub(crate) fn insert(
    context: &mut Context<'_>,
    caller: &Caller,
    sender: &Sender,
    draft: &Draft<'_>,
) -> Done<(MessageId, Seq)> {
    let id = MessageId::random(context.rng);
    let sql = "INSERT INTO messages (id, sender, sender_name, sender_incarnation, kind, reply_to,
               hops, sent_ms, bytes, uid, pid, start_ticks, program, conversation, interim)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
               ?15)";
    let peer = caller.peer();
    context.db.prepare_cached(sql)?.execute(params![
        id.to_row(),
        sender.agent_id.to_row(),
        sender.name.as_str(),
        sender.incarnation,
        draft.kind.as_str(),
        draft.reply_to.map(MessageId::to_row),
        draft.hops,
        context.now.wall.as_millis(),
        i64::try_from(draft.text.len()).unwrap_or(i64::MAX),
        peer.map(|peer| peer.uid),
        peer.map(|peer| peer.pid),
        peer.and_then(|peer| peer.start_ticks).map(u64::cast_signed),
        peer.and_then(|peer| peer.program.as_ref())
            .map(ipc_protocol::message::ProgramName::as_str),
        draft.conversation.map(ConversationId::to_row),
        draft.interim,
    ])?;
    let seq = Seq(context.db.last_insert_rowid());
    insert_body(context.db, seq, draft.text, draft.data_text()?.as_deref())?;
    Ok((id, seq))
}

/// Stores a notice of the daemon's own.
pub(crate) fn insert_notice(context: &mut Context<'_>, event: &SystemEvent) -> Done<Seq> {
    let id = MessageId::random(context.rng);
    let event = serde_json::to_string(event)
        .map_err(|_| Fault::Inconsistent("an event that is no JSON"))?;
    let sql = "INSERT INTO messages (id, kind, hops, sent_ms, bytes, event)
               VALUES (?1, ?2, 0, ?3, 0, ?4)";
    context.db.prepare_cached(sql)?.execute(params![
        id.to_row(),
        Kind::System.as_str(),
        context.now.wall.as_millis(),
        event
    ])?;
    let seq = Seq(context.db.last_insert_rowid());
    insert_body(context.db, seq, "", None)?;
    Ok(seq)
}

/// Stores the text of message `seq`, and its attached data.
pub(crate) fn insert_body(
    db: &Connection,
    seq: Seq,
    text: &str,
    data: Option<&str>,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO bodies (message, text, data) VALUES (?1, ?2, ?3)";
    db.prepare_cached(sql)?
        .execute(params![seq.0, text, data])
        .map(|_| ())
}

/// The whole text of a message, and its attached data.
pub(crate) fn body(db: &Connection, seq: Seq) -> Done<(String, Option<Data>)> {
    let sql = "SELECT text, data FROM bodies WHERE message = ?1";
    let (text, data): (String, Option<String>) = db
        .prepare_cached(sql)?
        .query_row([seq.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let data = data.map(|json| serde_json::from_str(&json)).transpose();
    Ok((
        text,
        data.map_err(|_| Fault::Inconsistent("stored data that is no JSON"))?,
    ))
}

/// What was stored under an idempotency key.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) content: [u8; 32],
    pub(crate) id: MessageId,
    pub(crate) seq: Seq,
    pub(crate) sent: Timestamp,
    pub(crate) conversation: Option<ConversationId>,
}

/// What `agent` stored under `key`.
pub(crate) fn earlier(
    db: &Connection,
    agent: AgentId,
    key: &IdempotencyKey,
) -> rusqlite::Result<Option<Earlier>> {
    let sql = "SELECT i.content, m.id, m.seq, m.sent_ms, m.conversation FROM idempotency AS i
               JOIN messages AS m ON m.seq = i.message WHERE i.agent = ?1 AND i.key = ?2";
    let row = db
        .prepare_cached(sql)?
        .query_row(params![agent.to_row(), key.as_str()], |row| {
            Ok(Earlier {
                content: row.get(0)?,
                id: MessageId::from_row(row.get(1)?),
                seq: Seq(row.get(2)?),
                sent: Timestamp::from_millis(row.get(3)?),
                conversation: row.get::<_, Option<i64>>(4)?.map(ConversationId::from_row),
            })
        });
    row.optional()
}

/// Remembers that `agent` stored this content as message `seq` under `key`.
pub(crate) fn remember(
    db: &Connection,
    agent: AgentId,
    key: &IdempotencyKey,
    content: [u8; 32],
    seq: Seq,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO idempotency (agent, key, content, message) VALUES (?1, ?2, ?3, ?4)";
    db.prepare_cached(sql)?
        .execute(params![agent.to_row(), key.as_str(), content, seq.0])
        .map(|_| ())
}

/// Replies between two agents since `since`, both ways together, counted up to `most`.
pub(crate) fn answers_between(
    db: &Connection,
    one: AgentId,
    other: AgentId,
    since: Timestamp,
    most: u32,
) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM messages AS m JOIN deliveries AS d ON d.message = m.seq
                   WHERE m.sender IN (?1, ?2) AND m.reply_to IS NOT NULL AND m.sent_ms > ?3
                   AND m.kind <> 'ack' AND m.seq > (SELECT coalesce(max(seq), 0) - 20000 FROM messages)
                   AND d.agent IN (?1, ?2) LIMIT ?4)";
    db.prepare_cached(sql)?.query_row(
        params![one.to_row(), other.to_row(), since.as_millis(), most],
        |row| row.get(0),
    )
}

/// Answers of `agent` within a conversation since `since`, counted up to `most`.
pub(crate) fn answers_within(
    db: &Connection,
    agent: AgentId,
    conversation: ConversationId,
    since: Timestamp,
    most: u32,
) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM (
                   SELECT 1 FROM messages
                   WHERE conversation = ?2 AND sender = ?1 AND reply_to IS NOT NULL
                   AND sent_ms > ?3
                   AND seq > (SELECT coalesce(max(seq), 0) - 20000 FROM messages) LIMIT ?4)";
    let (agent, conversation) = (agent.to_row(), conversation.to_row());
    db.prepare_cached(sql)?.query_row(
        params![agent, conversation, since.as_millis(), most],
        |row| row.get(0),
    )
}
