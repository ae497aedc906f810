//! Putting the words of new texts into the index: many at a time, after their senders have heard
//! that they are stored.
//!
//! What always holds: the table `indexed` says through which message the index goes, and moving
//! that on is what puts the words in (a trigger), so that the two cannot differ, whenever the
//! process ends. What is after it is searched without the index (`history.rs`, `search.rs`).

use rusqlite::Connection;

use super::messages::Seq;
use crate::limits::{SEARCHED_BYTES, UNINDEXED_BYTES, UNINDEXED_MESSAGES};

/// The last message that the index goes through.
pub(crate) fn through(db: &Connection) -> rusqlite::Result<Seq> {
    let sql = "SELECT through FROM indexed";
    db.prepare_cached(sql)?
        .query_row([], |row| row.get(0))
        .map(Seq)
}

/// Whether the index says one place, and that is where it can be.
pub(crate) fn is_placed(db: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) = 1 AND ifnull(max(through) BETWEEN 0 AND
                   ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'messages'), 0), 0)
               FROM indexed";
    db.query_row(sql, [], |row| row.get(0))
}

/// Whether so much is not in the index yet that it is time.
pub(crate) fn is_due(db: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*), coalesce(sum(min(bytes, ?2)), 0) FROM (SELECT bytes FROM messages
               WHERE seq > (SELECT through FROM indexed) LIMIT ?1)";
    let (messages, bytes): (i64, i64) = db
        .prepare_cached(sql)?
        .query_row([UNINDEXED_MESSAGES, SEARCHED_BYTES], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    Ok(messages >= UNINDEXED_MESSAGES || bytes >= UNINDEXED_BYTES)
}

/// Takes the index through everything that is there.
pub(crate) fn catch_up(db: &Connection) -> rusqlite::Result<()> {
    let sql = "UPDATE indexed SET through = (SELECT coalesce(max(seq), through) FROM messages)
               WHERE through < (SELECT max(seq) FROM messages)";
    db.prepare_cached(sql)?.execute([]).map(|_| ())
}
