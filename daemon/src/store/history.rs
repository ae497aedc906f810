//! Past mail of one agent: what it sent, and what a front-end confirmed that it got. Mail that
//! waits, leased or not, is not past: whoever takes it sees it first.
//!
//! Every query goes along an index of the agent's own mail; a search also along that of words
//! ([`words`]).

mod words;

use ipc_protocol::id::{AgentId, ConversationId};
use ipc_protocol::message::Kind;
use ipc_protocol::name::Name;
use ipc_protocol::request::Direction;
use ipc_protocol::time::Timestamp;
use rusqlite::{Row, ToSql, named_params};

use super::context::View;
use super::messages::Seq;
use crate::error::Done;

/// With whom the mail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum With {
    /// Anybody.
    Anybody,
    /// This agent.
    Agent(AgentId),
    /// Whoever was called that.
    Called(Name),
}

/// How the queries find the agent's own mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along<'a> {
    /// All of it, or that with somebody.
    Mail(&'a With),
    /// What was said in one conversation.
    Conversation,
}

/// Which past mail is wanted.
#[derive(Debug)]
pub(crate) struct Filter {
    /// Whose history it is.
    pub(crate) agent: AgentId,
    pub(crate) with: With,
    pub(crate) conversation: Option<ConversationId>,
    /// What the index of words is asked.
    pub(crate) words: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) before: Option<Seq>,
    pub(crate) after: Option<Seq>,
    pub(crate) before_time: Option<Timestamp>,
    pub(crate) after_time: Option<Timestamp>,
}

impl Filter {
    const fn span(&self) -> Span {
        Span {
            after: match self.after {
                Some(seq) => seq.0,
                None => i64::MIN,
            },
            before: match self.before {
                Some(seq) => seq.0,
                None => i64::MAX,
            },
        }
    }
}

/// Where to look: after one message and before another.
#[derive(Debug, Clone, Copy)]
struct Span {
    after: i64,
    before: i64,
}

/// A message of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) seq: Seq,
    pub(crate) is_sent: bool,
}

impl Found {
    /// Which way it went.
    pub(crate) const fn direction(self) -> Direction {
        if self.is_sent {
            Direction::Sent
        } else {
            Direction::Received
        }
    }
}

/// What a delivery is when a front-end has confirmed it.
const HANDED_OVER: &str = "state IN ('delivered', 'answered')";

/// What is asked of a message itself, in whichever query.
const FITS: &str = "m.sent_ms > :after_ms AND m.sent_ms < :before_ms
    AND (:kind IS NULL OR m.kind = :kind)
    AND (:conversation IS NULL OR m.conversation = :conversation)";

/// The latest `limit` messages that fit `filter`, latest first.
pub(crate) fn find(view: &View<'_>, filter: &Filter, limit: usize) -> Done<Vec<Found>> {
    match &filter.words {
        Some(words) => words::find(view, filter, words, limit),
        None => own(view, filter, filter.span(), limit),
    }
}

/// The latest in `span`, whatever words are in them: of every agent its own mail only.
fn own(view: &View<'_>, filter: &Filter, span: Span, limit: usize) -> Done<Vec<Found>> {
    let along = match (&filter.with, filter.conversation) {
        (With::Anybody, Some(_)) => Along::Conversation,
        (with, _) => Along::Mail(with),
    };
    let mut found = rows(view, filter, &sent(along), span, limit)?;
    found.extend(rows(view, filter, &received(along), span, limit)?);
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(limit);
    Ok(found)
}

/// The query for what the agent sent.
fn sent(along: Along<'_>) -> String {
    match along {
        Along::Conversation => format!(
            "SELECT m.seq, 1 FROM messages AS m INDEXED BY messages_of_conversation
             WHERE m.conversation = :conversation AND m.sender = :agent
             AND m.seq > :after AND m.seq < :before AND {FITS}
             ORDER BY m.seq DESC LIMIT :limit"
        ),
        Along::Mail(With::Anybody) => format!(
            "SELECT m.seq, 1 FROM messages AS m INDEXED BY messages_of_sender
             WHERE m.sender = :agent AND m.seq > :after AND m.seq < :before AND {FITS}
             ORDER BY m.seq DESC LIMIT :limit"
        ),
        Along::Mail(With::Agent(_)) => format!(
            "SELECT m.seq, 1 FROM deliveries AS d INDEXED BY deliveries_between
             CROSS JOIN messages AS m ON m.seq = d.message
             WHERE d.agent = :peer AND ifnull(d.sender, 0) = :agent
             AND d.message > :after AND d.message < :before AND {FITS}
             ORDER BY d.message DESC LIMIT :limit"
        ),
        Along::Mail(With::Called(_)) => format!(
            "SELECT m.seq, 1 FROM messages AS m INDEXED BY messages_of_sender
             WHERE m.sender = :agent AND m.seq > :after AND m.seq < :before AND {FITS}
             AND {TO_CALLED} ORDER BY m.seq DESC LIMIT :limit"
        ),
    }
}

/// The query for what the agent received from others.
fn received(along: Along<'_>) -> String {
    let (index, who) = match along {
        Along::Conversation => {
            return format!(
                "SELECT m.seq, 0 FROM messages AS m INDEXED BY messages_of_conversation
                 CROSS JOIN deliveries AS d INDEXED BY deliveries_of_agent
                 ON d.agent = :agent AND d.message = m.seq
                 WHERE m.conversation = :conversation AND m.sender IS NOT :agent
                 AND d.{HANDED_OVER} AND m.seq > :after AND m.seq < :before AND {FITS}
                 ORDER BY m.seq DESC LIMIT :limit"
            );
        }
        Along::Mail(With::Anybody) => ("deliveries_of_agent", "d.sender IS NOT :agent"),
        Along::Mail(With::Agent(_)) => (
            "deliveries_between",
            "ifnull(d.sender, 0) = :peer AND :peer <> :agent",
        ),
        Along::Mail(With::Called(_)) => (
            "deliveries_of_agent",
            "d.sender IS NOT :agent AND m.sender_name = :name COLLATE NOCASE",
        ),
    };
    format!(
        "SELECT m.seq, 0 FROM deliveries AS d INDEXED BY {index}
         CROSS JOIN messages AS m ON m.seq = d.message
         WHERE d.agent = :agent AND {who} AND d.{HANDED_OVER}
         AND d.message > :after AND d.message < :before AND {FITS}
         ORDER BY d.message DESC LIMIT :limit"
    )
}

/// Message `m` went to somebody called `:name`.
const TO_CALLED: &str = "EXISTS (SELECT 1 FROM deliveries
    WHERE message = m.seq AND name = :name COLLATE NOCASE)";

fn rows(view: &View<'_>, filter: &Filter, sql: &str, span: Span, limit: usize) -> Done<Vec<Found>> {
    let mut query = view.db.prepare_cached(sql)?;
    let agent = filter.agent.to_row();
    let (peer, name) = match &filter.with {
        With::Anybody => (None, None),
        With::Agent(peer) => (Some(peer.to_row()), None),
        With::Called(name) => (None, Some(name.as_str())),
    };
    let kind = filter.kind.map(Kind::as_str);
    let conversation = filter.conversation.map(ConversationId::to_row);
    let after_ms = filter.after_time.map_or(i64::MIN, Timestamp::as_millis);
    let before_ms = filter.before_time.map_or(i64::MAX, Timestamp::as_millis);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let all = named_params! {
        ":agent": agent, ":peer": peer, ":name": name, ":kind": kind,
        ":conversation": conversation,
        ":after": span.after, ":before": span.before, ":after_ms": after_ms, ":before_ms": before_ms,
        ":limit": limit,
    };
    // Each query uses some of these.
    let used: Vec<(&str, &dyn ToSql)> = all
        .iter()
        .filter(|(name, _)| matches!(query.parameter_index(name), Ok(Some(_))))
        .copied()
        .collect();
    let rows = query.query_map(used.as_slice(), read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Found> {
    Ok(Found {
        seq: Seq(row.get(0)?),
        is_sent: row.get(1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::harness::Desk;
    use crate::store::memory_index::MemoryIndex;

    fn withs() -> [With; 3] {
        [
            With::Anybody,
            With::Agent(AgentId::from_row(7)),
            With::Called("bob".parse().unwrap()),
        ]
    }

    #[test]
    fn every_query_goes_along_an_index_and_sorts_nothing() {
        let desk = Desk::new();
        let queries = withs().into_iter().flat_map(|with| {
            let along = Along::Mail(&with);
            [sent(along), received(along)].map(|sql| (sql, with.clone()))
        });
        let along = Along::Conversation;
        let of_talk = [sent(along), received(along)].map(|sql| (sql, With::Anybody));
        let of_words = [(words::WITH_WORDS.to_owned(), With::Anybody)];
        let queries = queries.chain(of_talk).chain(of_words);
        for (sql, with) in queries {
            let plan = format!("EXPLAIN QUERY PLAN {sql}");
            let mut query = desk.db.prepare(&plan).unwrap();
            let nulls = vec![None::<i64>; query.parameter_count()];
            let nulls = rusqlite::params_from_iter(nulls);
            let steps = query
                .query_map(nulls, |row| row.get::<_, String>(3))
                .unwrap();
            for step in steps.map(Result::unwrap) {
                let is_words = step.starts_with("SCAN w VIRTUAL TABLE INDEX");
                assert!(!step.starts_with("SCAN") || is_words, "{with:?}: {step}");
                assert!(!step.contains("TEMP B-TREE"), "{with:?}: {step}");
            }
        }
    }

    #[test]
    fn the_index_of_mail_between_two_agents_serves_nothing_else() {
        let desk = Desk::new();
        for condition in [
            "agent = 1 AND state IN ('stored', 'offered')",
            "agent = 1 AND state IN ('stored', 'offered') AND sender IS NOT NULL",
            "sender = 1 AND ended_ms IS NOT NULL",
            "sender = 1 AND unclaimed IS NOT NULL AND state = 'stored'",
        ] {
            let plan =
                format!("EXPLAIN QUERY PLAN SELECT count(*) FROM deliveries WHERE {condition}");
            let step: String = desk.db.query_row(&plan, [], |row| row.get(3)).unwrap();
            assert!(step.contains("INDEX deliveries_"), "{step}");
            assert!(!step.contains("deliveries_between"), "{condition}: {step}");
        }
    }

    #[test]
    fn what_is_searched_of_a_message_is_bounded_and_the_bound_is_in_the_schema() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let most = usize::try_from(crate::limits::SEARCHED_BYTES).unwrap();
        let (begin, end) = ("x ".repeat(most / 2 - 3), "inside outside");
        desk.send(&alice, "bob", &format!("{begin}{end}")).unwrap();
        desk.send(&alice, "bob", "behind \0 a zero").unwrap();
        let words = [("inside", 1), ("outside", 0), ("zero", 1)];
        for (words, expected) in words {
            let in_memory = MemoryIndex::new().unwrap();
            let all = (1..=2).map(Seq);
            let found = in_memory.matching(&desk.db, words, all).unwrap();
            assert_eq!(found.len(), expected, "{words}, before they are indexed");
        }
        desk.index();
        for (words, expected) in words {
            let expected = i64::try_from(expected).unwrap();
            let sql = format!("SELECT count(*) FROM words WHERE words MATCH '\"{words}\"'");
            assert_eq!(desk.number(&sql), expected, "{words}");
        }
    }

    #[test]
    fn a_body_never_changes_so_that_its_words_stay_true() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "bob", "as it was said").unwrap();
        let changed = desk.db.execute("UPDATE bodies SET text = 'else'", []);
        assert!(changed.unwrap_err().to_string().contains("never changes"));
        let written = desk.db.execute("DELETE FROM words_data", []);
        assert!(written.is_err(), "the index is written by SQLite alone");
    }
}
