//! `dead_letters`: the caller's own messages that reached nobody.

use ipc_protocol::id::MessageId;
use ipc_protocol::limits::{FETCH_DEFAULT, LIST_ROWS};
use ipc_protocol::request::{DeadLetter, DeadLetters, DeadLettersPage};
use ipc_protocol::time::Timestamp;
use rusqlite::params;

use crate::caller::Caller;
use crate::error::Done;
use crate::store::context::View;
use crate::store::{names, word};

/// Lists them, latest first.
pub(crate) fn dead_letters(
    request: &DeadLetters,
    caller: &Caller,
    view: &View<'_>,
) -> Done<DeadLettersPage> {
    let limit = request.limit.unwrap_or(FETCH_DEFAULT).clamp(1, LIST_ROWS);
    let sql = "SELECT m.id, d.name, d.state, d.reason, d.ended_ms FROM deliveries AS d
               JOIN messages AS m ON m.seq = d.message
               WHERE d.sender = ?1 AND d.ended_ms IS NOT NULL
               ORDER BY d.ended_ms DESC, d.delivery DESC LIMIT ?2";
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(params![caller.agent().to_row(), limit], |row| {
        Ok(DeadLetter {
            message_id: MessageId::from_row(row.get(0)?),
            to: names::read(row.get_ref(1)?)?,
            state: word(row.get_ref(2)?)?,
            reason: word(row.get_ref(3)?)?,
            ended_ms: Timestamp::from_millis(row.get(4)?),
        })
    })?;
    Ok(DeadLettersPage {
        dead_letters: rows.collect::<Result<_, _>>()?,
    })
}
