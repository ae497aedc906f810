//! `receipts`: how far the caller's own messages have come.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::limits::{FETCH_DEFAULT, LIST_ROWS};
use ipc_protocol::request::{DeliveryReceipt, Receipt, Receipts, ReceiptsPage};
use ipc_protocol::time::Timestamp;
use rusqlite::{Row, params};

use crate::caller::Caller;
use crate::error::Done;
use crate::store::context::View;
use crate::store::{names, word};

/// Deliveries that one reply reports on, of the latest messages: each takes up to
/// [`RECEIPT_BYTES`](crate::limits::RECEIPT_BYTES), and the whole must fit a frame.
const ROWS: usize = 5_000;

/// Reports on one message, or on the latest.
pub(crate) fn receipts(request: &Receipts, caller: &Caller, view: &View<'_>) -> Done<ReceiptsPage> {
    let limit = request.limit.unwrap_or(FETCH_DEFAULT).clamp(1, LIST_ROWS);
    let sql = "SELECT seq, id, sent_ms, kind FROM messages
               WHERE sender = ?1 AND (?2 IS NULL OR id = ?2) ORDER BY seq DESC LIMIT ?3";
    let one = request.message_id.map(MessageId::to_row);
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(params![caller.agent().to_row(), one, limit], |row| {
        let receipt = Receipt {
            message_id: MessageId::from_row(row.get(1)?),
            sent_ms: Timestamp::from_millis(row.get(2)?),
            kind: word(row.get_ref(3)?)?,
            deliveries: Vec::new(),
        };
        Ok((row.get::<_, i64>(0)?, receipt))
    })?;
    let mut receipts = Vec::new();
    let mut room = ROWS;
    for row in rows {
        let (seq, mut receipt) = row?;
        receipt.deliveries = deliveries(view, seq, None)?;
        let fits = room.checked_sub(receipt.deliveries.len());
        if fits.is_none() && !receipts.is_empty() {
            break;
        }
        room = fits.unwrap_or(0);
        receipts.push(receipt);
    }
    if one.is_some() && receipts.is_empty() {
        return Err(
            Refusal::new(ErrorCode::NotFound, "you have not sent such a message")
                .hint("`ipc receipts` lists what you sent")
                .into(),
        );
    }
    Ok(ReceiptsPage { receipts })
}

/// How message `seq` stands: for each recipient, or for one.
pub(super) fn deliveries(
    view: &View<'_>,
    seq: i64,
    of: Option<AgentId>,
) -> rusqlite::Result<Vec<DeliveryReceipt>> {
    let sql = "SELECT name, state, offered_ms, offers, delivered_ms, handover, answered_ms,
               ended_ms, reason, answer FROM deliveries
               WHERE message = ?1 AND (?3 IS NULL OR agent = ?3) ORDER BY delivery LIMIT ?2";
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map(params![seq, LIST_ROWS, of.map(AgentId::to_row)], receipt)?;
    rows.collect()
}

fn receipt(row: &Row<'_>) -> rusqlite::Result<DeliveryReceipt> {
    let time = |at: Option<i64>| at.map(Timestamp::from_millis);
    let text = |column: usize| row.get::<_, Option<String>>(column);
    Ok(DeliveryReceipt {
        to: names::read(row.get_ref(0)?)?,
        state: word(row.get_ref(1)?)?,
        offered_ms: time(row.get(2)?),
        offers: row.get(3)?,
        delivered_ms: time(row.get(4)?),
        handover: text(5)?.and_then(|word| word.parse().ok()),
        answered_ms: time(row.get(6)?),
        answered_by: row.get::<_, Option<i64>>(9)?.map(MessageId::from_row),
        ended_ms: time(row.get(7)?),
        reason: text(8)?.and_then(|word| word.parse().ok()),
    })
}
