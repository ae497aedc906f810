//! A search as the full-text index takes it (FTS5, section 3 of its documentation).
//!
//! Every term becomes a string in quotation marks, in which FTS5 knows one special character, the
//! quotation mark; a [`Term`] has none. So nothing that was typed is ever read as an operator, a
//! column or an option.

use ipc_protocol::search::{SearchQuery, Term};

/// `query` in the language of the index.
pub(crate) fn expression(query: &SearchQuery) -> String {
    let groups: Vec<_> = query.groups().map(any_of).collect();
    let must = groups.join(" AND ");
    match query.without() {
        [] => must,
        [..] => format!("({must}) NOT {}", any_of(query.without())),
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

    use crate::actions::harness::Desk;
    use crate::properties::cases;
    use crate::store::memory_index::MemoryIndex;
    use crate::store::messages::Seq;

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
