//! What every request of a session is checked for, in the transaction that does it.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::token::Sid;
use rusqlite::{OptionalExtension, params};

use super::View;
use crate::error::{Done, expired};

/// Refuses what is asked under a session that is over, however the connection came to miss it.
pub(crate) fn check_session(view: &View<'_>, sid: Sid) -> Done<()> {
    look(view, sid).map(|_| ())
}

/// The same, and what is asked by an agent that is frozen.
pub(crate) fn check_caller(view: &View<'_>, sid: Sid) -> Done<()> {
    if look(view, sid)? {
        Err(frozen().into())
    } else {
        Ok(())
    }
}

/// Whether the agent of the session `sid` is frozen.
fn look(view: &View<'_>, sid: Sid) -> Done<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM standstill)
               OR EXISTS (SELECT 1 FROM frozen WHERE frozen.agent = credentials.agent)
               FROM credentials WHERE sid = ?1 AND kind = 'session' AND expires_ms > ?2";
    let now = view.now.wall.as_millis();
    let is_frozen = view
        .db
        .prepare_cached(sql)?
        .query_row(params![sid.as_bytes(), now], |row| row.get(0))
        .optional()?;
    Ok(is_frozen.ok_or_else(expired)?)
}

/// The refusal for an agent that is frozen.
pub(crate) fn frozen() -> Refusal {
    Refusal::new(
        ErrorCode::Frozen,
        "an operator has frozen this agent; its mail is kept",
    )
    .hint("stop and wait: only whoever runs this deployment thaws it, with `ipc admin thaw NAME` or `--all`")
}
