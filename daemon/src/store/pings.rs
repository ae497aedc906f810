//! Pings that nobody answered: dropped, so that no mailbox fills with them. Nobody is told: whoever
//! asked waits, or looks at the receipt.

use ipc_protocol::limits::PING_MS;
use ipc_protocol::message::EndReason;
use rusqlite::params;

use super::context::View;

/// Ends at most `limit` pings that can be answered no more; says how many.
pub(crate) fn drop_old(view: &View<'_>, limit: u32) -> rusqlite::Result<usize> {
    let sql = "UPDATE deliveries SET state = 'expired', ended_ms = ?1, reason = ?2,
               lease_until_ms = NULL WHERE delivery IN (
                   SELECT d.delivery FROM deliveries AS d
                   JOIN messages AS m ON m.seq = d.message
                   WHERE d.ping AND d.state IN ('stored', 'offered') AND m.sent_ms <= ?3
                   LIMIT ?4)";
    let now = view.now.wall;
    let before = now.plus_millis(PING_MS.saturating_neg()).as_millis();
    view.db.prepare_cached(sql)?.execute(params![
        now.as_millis(),
        EndReason::TooOld.as_str(),
        before,
        limit
    ])
}
