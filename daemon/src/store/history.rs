//! Past mail of one agent: what it sent, and what a front-end confirmed that it got. Mail that
//! waits, leased or not, is not past: whoever takes it sees it first.
//!
//! Every query goes along an index: of the agent's own mail, or of the words, where each message is
//! then looked up among the agent's own.

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
    let mut found = if filter.words.is_some() {
        rows(view, filter, &with_words(&filter.with), limit)?
    } else {
        let along = match (&filter.with, filter.conversation) {
            (With::Anybody, Some(_)) => Along::Conversation,
            (with, _) => Along::Mail(with),
        };
        let mut found = rows(view, filter, &sent(along), limit)?;
        found.extend(rows(view, filter, &received(along), limit)?);
        found
    };
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
             WHERE d.agent = :peer AND d.sender = :agent
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
        Along::Mail(With::Agent(_)) => {
            ("deliveries_between", "d.sender = :peer AND :peer <> :agent")
        }
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

/// The query for either with words in it. Whose mail it is is looked up before the message is.
fn with_words(with: &With) -> String {
    let sent = match with {
        With::Anybody | With::Called(_) => {
            "SELECT 1 FROM messages INDEXED BY messages_of_sender
             WHERE sender = :agent AND seq = w.rowid"
        }
        With::Agent(_) => {
            "SELECT 1 FROM deliveries INDEXED BY deliveries_between
             WHERE agent = :peer AND sender = :agent AND message = w.rowid"
        }
    };
    let received = match with {
        With::Anybody | With::Called(_) => "INDEXED BY deliveries_of_agent WHERE",
        With::Agent(_) => "INDEXED BY deliveries_between WHERE sender = :peer AND",
    };
    let called = match with {
        With::Anybody | With::Agent(_) => String::new(),
        With::Called(_) => {
            format!("AND iif(m.sender = :agent, {TO_CALLED}, m.sender_name = :name COLLATE NOCASE)")
        }
    };
    format!(
        "SELECT m.seq, ifnull(m.sender = :agent, 0) FROM words AS w
         CROSS JOIN messages AS m ON m.seq = w.rowid
         WHERE w.words MATCH :words AND w.rowid > :after AND w.rowid < :before
         AND (EXISTS ({sent}) OR EXISTS (SELECT 1 FROM deliveries {received}
              agent = :agent AND message = w.rowid AND {HANDED_OVER}))
         {called} AND {FITS} ORDER BY w.rowid DESC LIMIT :limit"
    )
}

/// Message `m` went to somebody called `:name`.
const TO_CALLED: &str = "EXISTS (SELECT 1 FROM deliveries
    WHERE message = m.seq AND name = :name COLLATE NOCASE)";

fn rows(view: &View<'_>, filter: &Filter, sql: &str, limit: usize) -> Done<Vec<Found>> {
    let mut query = view.db.prepare_cached(sql)?;
    let agent = filter.agent.to_row();
    let (peer, name) = match &filter.with {
        With::Anybody => (None, None),
        With::Agent(peer) => (Some(peer.to_row()), None),
        With::Called(name) => (None, Some(name.as_str())),
    };
    let kind = filter.kind.map(Kind::as_str);
    let conversation = filter.conversation.map(ConversationId::to_row);
    let after = filter.after.map_or(i64::MIN, |seq| seq.0);
    let before = filter.before.map_or(i64::MAX, |seq| seq.0);
    let after_ms = filter.after_time.map_or(i64::MIN, Timestamp::as_millis);
    let before_ms = filter.before_time.map_or(i64::MAX, Timestamp::as_millis);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let all = named_params! {
        ":agent": agent, ":peer": peer, ":name": name, ":words": filter.words, ":kind": kind,
        ":conversation": conversation,
        ":after": after, ":before": before, ":after_ms": after_ms, ":before_ms": before_ms,
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
            [sent(along), received(along), with_words(&with)].map(|sql| (sql, with.clone()))
        });
        let along = Along::Conversation;
        let of_talk = [sent(along), received(along)].map(|sql| (sql, With::Anybody));
        let queries = queries.chain(of_talk);
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
    fn what_is_searched_of_a_message_is_bounded_and_the_bound_is_in_the_schema() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let most = usize::try_from(crate::limits::SEARCHED_BYTES).unwrap();
        let (begin, end) = ("x ".repeat(most / 2 - 3), "inside outside");
        desk.send(&alice, "bob", &format!("{begin}{end}")).unwrap();
        desk.send(&alice, "bob", "behind \0 a zero").unwrap();
        for (words, expected) in [("inside", 1), ("outside", 0), ("zero", 1)] {
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
