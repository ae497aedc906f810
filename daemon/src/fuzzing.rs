//! What the fuzz targets of this crate call: one function for each parser of foreign bytes, which says
//! what must hold whatever the bytes are.
//!
//! Compiled for fuzzing and for tests alone. The tests replay the seeds of `fuzz/seeds`, so that an
//! entry point cannot rot and what was once found stays found.

use ipc_protocol::limits::SEARCH_TERMS;
use ipc_protocol::search::SearchQuery;
use rusqlite::Connection;

pub use crate::audit::fuzzing::audit_log;
pub use crate::config::fuzzing::config;
pub use crate::legacy::fuzzing::old_port;
pub use crate::migrate::fuzzing::{migration_file, migration_rows};
use crate::store::search;

/// Searches: whatever is a query, the full-text index takes, and reads as nothing but strings.
pub fn index(bytes: &[u8]) {
    let Ok(query) = String::from_utf8_lossy(bytes).parse::<SearchQuery>() else {
        return;
    };
    let expression = search::expression(&query);
    let found = in_an_index(&expression);
    assert!(found.is_ok(), "{expression}: {found:?}");
    // A column, an operator or an option would stand outside quotation marks.
    let outside: String = expression.split('"').step_by(2).collect();
    let words = outside.split(|c: char| !c.is_alphanumeric());
    let known = ["", "AND", "OR", "NOT"];
    assert!(words.clone().all(|word| known.contains(&word)), "{outside}");
    assert!(words.filter(|word| !word.is_empty()).count() <= SEARCH_TERMS);
}

fn in_an_index(expression: &str) -> rusqlite::Result<i64> {
    thread_local! {
        static INDEX: rusqlite::Result<Connection> = Connection::open_in_memory().and_then(|db| {
            db.execute_batch(
                "CREATE VIRTUAL TABLE words USING fts5(text);
                 INSERT INTO words VALUES ('red green deploy'), ('the build is green');",
            )?;
            Ok(db)
        });
    }
    INDEX.with(|index| match index {
        Ok(db) => {
            let sql = "SELECT count(*) FROM words WHERE words MATCH ?1";
            db.prepare_cached(sql)?
                .query_row([expression], |row| row.get(0))
        }
        Err(_) => Err(rusqlite::Error::InvalidQuery),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Gives `target` what is kept for it in `fuzz/seeds`.
    fn replay(name: &str, target: fn(&[u8])) {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
        let seeds: Vec<_> = fs::read_dir(seeds.join(name)).unwrap().collect();
        assert!(!seeds.is_empty(), "{name} has no seeds");
        for entry in seeds {
            target(&fs::read(entry.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn configurations_hold_for_their_seeds() {
        replay("config", config);
    }

    #[test]
    fn requests_of_the_old_port_hold_for_their_seeds() {
        replay("old_port", old_port);
    }

    #[test]
    fn searches_of_the_index_hold_for_their_seeds() {
        replay("index", index);
    }

    #[test]
    fn files_to_migrate_hold_for_their_seeds() {
        replay("migration_file", migration_file);
    }

    #[test]
    fn rows_to_migrate_hold_for_their_seeds() {
        replay("migration_rows", migration_rows);
    }

    #[test]
    fn the_audit_log_holds_for_its_seeds() {
        replay("audit_log", audit_log);
    }
}
