//! What waits in one mailbox, counted and not shown: how much, from whom, how new.

use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::limits::{LEASE_MS, NOTICE_SENDERS};
use ipc_protocol::name::Name;
use rusqlite::{OptionalExtension, Row, params};

use super::context::View;
use super::messages::Seq;
use super::{count, names};
use crate::error::Done;

/// What waits and is not leased: at least one message.
#[derive(Debug)]
pub(crate) struct Unread {
    /// How many messages.
    pub(crate) number: u64,
    /// Who sent them, the latest first, at most [`NOTICE_SENDERS`].
    pub(crate) senders: Vec<Name>,
    /// How many other agents sent some.
    pub(crate) more_senders: u64,
    pub(crate) oldest: Seq,
    pub(crate) newest: Seq,
    pub(crate) newest_id: MessageId,
}

/// What one sender has waiting.
struct Share {
    number: i64,
    oldest: Seq,
    newest: Seq,
    newest_id: MessageId,
    sender: Option<Name>,
}

/// What waits for `agent`, agents that it has muted left out; nothing when everything is leased or
/// was taken.
pub(crate) fn of(view: &View<'_>, agent: AgentId) -> Done<Option<Unread>> {
    besides_leases(view, agent, LEASE_MS)
}

/// The same with what is leased: somebody has it, and has not said that it was read.
pub(crate) fn whole(view: &View<'_>, agent: AgentId) -> Done<Option<Unread>> {
    besides_leases(view, agent, 0)
}

/// What waits, leases left out that end within `lease_ms`.
fn besides_leases(view: &View<'_>, agent: AgentId, lease_ms: i64) -> Done<Option<Unread>> {
    let sql = "SELECT number, oldest, newest, m.id, m.sender_name FROM
                   (SELECT count(*) AS number, min(message) AS oldest, max(message) AS newest
                    FROM deliveries WHERE agent = ?1 AND state IN ('stored', 'offered')
                    AND NOT ping
                    AND (lease_until_ms IS NULL OR lease_until_ms NOT BETWEEN ?2 + 1 AND ?2 + ?3)
                    AND (sender IS NULL OR sender NOT IN
                    (SELECT peer FROM boundaries WHERE owner = ?1 AND rule = 'mute'))
                    GROUP BY sender)
               JOIN messages AS m ON m.seq = newest ORDER BY newest DESC";
    let now = view.now.wall.as_millis();
    let mut query = view.db.prepare_cached(sql)?;
    let mut unread: Option<Unread> = None;
    for share in query.query_map([agent.to_row(), now, lease_ms], read)? {
        let share = share?;
        let unread = unread.get_or_insert_with(|| Unread {
            number: 0,
            senders: Vec::new(),
            more_senders: 0,
            oldest: share.oldest,
            newest: share.newest,
            newest_id: share.newest_id,
        });
        unread.number = unread.number.saturating_add(count(share.number)?);
        unread.oldest = unread.oldest.min(share.oldest);
        match share.sender {
            Some(name) if unread.senders.len() < NOTICE_SENDERS => unread.senders.push(name),
            Some(_) => unread.more_senders = unread.more_senders.saturating_add(1),
            None => {}
        }
    }
    Ok(unread)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Share> {
    let is_notice = row.get_ref(4)? == rusqlite::types::ValueRef::Null;
    Ok(Share {
        number: row.get(0)?,
        oldest: Seq(row.get(1)?),
        newest: Seq(row.get(2)?),
        newest_id: MessageId::from_row(row.get(3)?),
        sender: if is_notice {
            None
        } else {
            Some(names::read(row.get_ref(4)?)?)
        },
    })
}

/// Where message `id` of `agent` stands in the order in which messages came; nothing if it is not one of its mailbox.
pub(crate) fn position(
    view: &View<'_>,
    agent: AgentId,
    id: MessageId,
) -> rusqlite::Result<Option<Seq>> {
    let sql = "SELECT seq FROM messages AS m WHERE id = ?2 AND EXISTS
               (SELECT 1 FROM deliveries WHERE message = m.seq AND agent = ?1)";
    view.db
        .prepare_cached(sql)?
        .query_row(params![agent.to_row(), id.to_row()], |row| {
            row.get(0).map(Seq)
        })
        .optional()
}
