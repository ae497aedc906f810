//! The schema and how a database gets there: each step in one transaction.

use rusqlite::Connection;

use super::{SCHEMA_VERSION, indexing};

/// Step `n` takes a database from version `n` to `n + 1`.
const STEPS: [&str; 5] = [
    include_str!("schema/01.sql"),
    include_str!("schema/02.sql"),
    include_str!("schema/03.sql"),
    include_str!("schema/04.sql"),
    include_str!("schema/05.sql"),
];

/// The version that the database is at.
pub(crate) fn version(db: &Connection) -> rusqlite::Result<i32> {
    db.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Takes the database from its version to [`SCHEMA_VERSION`].
pub(crate) fn run(db: &mut Connection) -> rusqlite::Result<()> {
    let from = usize::try_from(version(db)?).unwrap_or(usize::MAX);
    if from >= STEPS.len() {
        return Ok(());
    }
    let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()
}

/// The first version whose index of words has a place that it goes through.
const HAS_PLACE: usize = 5;

/// Whether tables, indexes and the rest are exactly what this program makes, and the index of words
/// goes through a message that there is or was. A trigger or view that somebody added could disarm a
/// revocation; a place beyond all messages would hide what comes from every search.
pub(crate) fn is_as_made(db: &Connection) -> rusqlite::Result<bool> {
    let from = usize::try_from(version(db)?).unwrap_or(usize::MAX);
    let made = Connection::open_in_memory()?;
    for step in STEPS.iter().take(from) {
        made.execute_batch(step)?;
    }
    let is_placed = || {
        if from < HAS_PLACE {
            return Ok(true);
        }
        indexing::is_placed(db)
    };
    Ok(objects(&made)? == objects(db)? && is_placed()?)
}

type Object = (String, String, Option<String>);

fn objects(db: &Connection) -> rusqlite::Result<Vec<Object>> {
    let sql = "SELECT type, name, sql FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_'
               ORDER BY type, name";
    let mut query = db.prepare(sql)?;
    query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect()
}
