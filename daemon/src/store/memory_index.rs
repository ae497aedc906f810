//! An index of the words of texts that are not in the store's index yet, in memory.
//!
//! What a word is, and what has one, is decided by the same code with the same options as there
//! (`words`, `store/schema/03.sql`).

use std::collections::BTreeSet;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params};

use super::hardening;
use super::messages::Seq;
use crate::limits::SEARCHED_BYTES;

/// An index as `words` is, in memory.
pub(crate) struct MemoryIndex {
    index: Connection,
}

impl MemoryIndex {
    /// An empty one.
    pub(crate) fn new() -> rusqlite::Result<Self> {
        let index = Connection::open_in_memory()?;
        hardening::keep_within(&index)?;
        index.execute_batch(MAKE)?;
        Ok(Self { index })
    }

    /// Which of the messages `among`, of the store `db`, have the words.
    pub(crate) fn matching(
        &self,
        db: &Connection,
        words: &str,
        among: impl Iterator<Item = Seq>,
    ) -> rusqlite::Result<BTreeSet<Seq>> {
        let index = &self.index;
        index.execute("INSERT INTO words (words) VALUES ('delete-all')", [])?;
        let mut text = db.prepare_cached(SEARCHED)?;
        let mut insert = index.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?;
        for seq in among {
            let mut rows = text.query([seq.0, SEARCHED_BYTES])?;
            // One that was deleted meanwhile has no words.
            if let Some(row) = rows.next()? {
                insert.execute(params![seq.0, AsStored(row.get_ref(0)?)])?;
            }
        }
        let sql = "SELECT rowid FROM words WHERE words MATCH ?1";
        let mut query = index.prepare_cached(sql)?;
        let found = query.query_map([words], |row| row.get(0).map(Seq))?;
        found.collect()
    }
}

const MAKE: &str = "CREATE VIRTUAL TABLE words USING fts5 (
    text,
    content = '',
    columnsize = 0,
    tokenize = 'unicode61 remove_diacritics 2'
)";

/// As the view `searched` has it.
const SEARCHED: &str = "SELECT CAST(substr(CAST(text AS BLOB), 1, ?2) AS TEXT)
    FROM bodies WHERE message = ?1";

/// Bytes of a text, which may be cut within a character.
struct AsStored<'a>(ValueRef<'a>);

impl ToSql for AsStored<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.0))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_not_in_the_index_yet_is_parted_into_words_as_there() {
        let schema = include_str!("schema/03.sql");
        let options = |sql: &str| {
            let (_, options) = sql.split_once("USING fts5").unwrap();
            let (options, _) = options.split_once("\n)").unwrap();
            let options = options.lines().map(str::trim);
            let contents = |option: &&str| !option.starts_with("content");
            options
                .filter(contents)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(options(super::MAKE), options(schema));
    }
}
