//! The schema and how a database gets there: each step in one transaction.

use rusqlite::Connection;

use super::SCHEMA_VERSION;

/// Step `n` takes a database from version `n` to `n + 1`.
const STEPS: [&str; 1] = [include_str!("schema.sql")];

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
