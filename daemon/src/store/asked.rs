//! Who was asked with a message, and how far each of them has come.

use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::message::DeliveryState;
use rusqlite::{Connection, OptionalExtension};

use super::messages::Seq;
use super::word;

/// How far one who was asked with a message has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It has answered, finally.
    Answered,
    /// It will not get the message.
    Ended,
    /// Nobody has the name.
    Unclaimed,
    /// It has not answered yet.
    Silent(AgentId),
}

/// How far message `seq` has come for `agent`; nothing if it was not sent to it.
pub(crate) fn state(
    db: &Connection,
    seq: Seq,
    agent: AgentId,
) -> rusqlite::Result<Option<DeliveryState>> {
    let sql = "SELECT state FROM deliveries WHERE message = ?1 AND agent = ?2";
    db.prepare_cached(sql)?
        .query_row([seq.0, agent.to_row()], |row| Ok(word(row.get_ref(0)?)?))
        .optional()
}

/// Who was asked with message `id`; nobody unless `asker` sent it.
pub(crate) fn of(db: &Connection, id: MessageId, asker: AgentId) -> rusqlite::Result<Vec<Asked>> {
    let sql = "SELECT state, agent FROM deliveries
               WHERE message = (SELECT seq FROM messages WHERE id = ?1 AND sender = ?2)";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([id.to_row(), asker.to_row()], |row| {
        let agent = row.get::<_, Option<i64>>(1)?.map(AgentId::from_row);
        Ok(match (word(row.get_ref(0)?)?, agent) {
            (DeliveryState::Answered, _) => Asked::Answered,
            (DeliveryState::Expired | DeliveryState::Refused, _) => Asked::Ended,
            (DeliveryState::Stored | DeliveryState::Offered | DeliveryState::Delivered, None) => {
                Asked::Unclaimed
            }
            (
                DeliveryState::Stored | DeliveryState::Offered | DeliveryState::Delivered,
                Some(agent),
            ) => Asked::Silent(agent),
        })
    })?;
    rows.collect()
}
