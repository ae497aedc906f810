//! A search as the full-text index takes it (FTS5, section 3 of its documentation).
//!
//! Every term becomes a string in quotation marks, in which FTS5 knows one special character, the
//! quotation mark; a [`Term`] has none. So nothing that was typed is ever read as an operator, a
//! column or an option.

use std::collections::BTreeSet;

use ipc_protocol::search::{SearchQuery, Term};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params};

use super::hardening;
use super::messages::Seq;
use crate::limits::SEARCHED_BYTES;

/// `query` in the language of the index.
pub(crate) fn expression(query: &SearchQuery) -> String {
    let groups: Vec<_> = query.groups().map(any_of).collect();
    let must = groups.join(" AND ");
    match query.without() {
        [] => must,
        [..] => format!("({must}) NOT {}", any_of(query.without())),
    }
}

/// An index as `words` is (`store/schema/03.sql`), in memory, of texts that are not in `words` yet:
/// what a word is and what has one is decided by the same code with the same options.
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

fn any_of(terms: &[Term]) -> String {
    let terms: Vec<_> = terms.iter().map(string).collect();
    format!("({})", terms.join(" OR "))
}

fn string(term: &Term) -> String {
    let words = term.words().replace('"', "\"\"");
    let star = if term.is_prefix() { " *" } else { "" };
    format!("\"{words}\"{star}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MemoryIndex, Seq};
    use crate::actions::harness::Desk;
    use crate::properties::cases;

    fn expression(text: &str) -> String {
        super::expression(&text.parse().unwrap())
    }

    #[test]
    fn every_term_is_a_string() {
        assert_eq!(expression("red"), r#"("red")"#);
        assert_eq!(
            expression(r#"red OR "blue sky" deep* -text:x -NEAR(y)"#),
            r#"(("red" OR "blue sky") AND ("deep" *)) NOT ("text:x" OR "NEAR(y)")"#
        );
    }

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

    proptest! {
        #![proptest_config(cases(64))]

        #[test]
        fn whatever_is_a_query_the_index_takes(
            texts in proptest::collection::vec(r#"\PC{0,40}|[a-c"*:(){}^+\- ORNEAD]{0,40}"#, 40)
        ) {
            let mut desk = Desk::new();
            let alice = desk.register("alice", false).unwrap();
            for text in &texts {
                drop(desk.send(&alice, "nobody", text));
            }
            let all: Vec<_> = (1..=40).map(Seq).collect();
            let in_memory = MemoryIndex::new().unwrap();
            desk.index();
            let sql = "SELECT count(*) FROM words WHERE words MATCH ?1";
            let queries = texts.iter().filter_map(|text| text.parse().ok());
            for expression in queries.map(|query| super::expression(&query)) {
                let found = desk.db.query_row(sql, [&expression], |row| row.get::<_, i64>(0));
                prop_assert!(found.is_ok(), "{expression}: {found:?}");
                let beside = in_memory.matching(&desk.db, &expression, all.iter().copied()).unwrap();
                prop_assert_eq!(beside.len(), usize::try_from(found.unwrap()).unwrap());
            }
        }
    }
}
