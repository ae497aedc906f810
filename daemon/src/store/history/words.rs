//! Past mail that has certain words in it.
//!
//! A search goes along the index of words and along the agent's own mail, and finds what is in both.
//! What is not in the index yet it finds by reading the agent's own texts. Which of the two finds a
//! message shows nowhere.

use std::iter::Peekable;
use std::vec::IntoIter;

use rusqlite::params;

use super::{Filter, Found, Span, own};
use crate::error::Done;
use crate::store::context::View;
use crate::store::indexing;
use crate::store::memory_index::MemoryIndex;
use crate::store::messages::Seq;

/// Messages of the agent's own that a search looks at in one go, at first and at most.
const PAGE: (usize, usize) = (16, 512);

/// Over so many messages it is cheaper to ask the index of words again than to go through them.
const LEAP: i64 = 1_000;

/// Texts that a search puts into an index of its own at a time, at most.
const ASIDE: usize = 64;

/// The latest that have the words: those that are not in the index yet, and then those in it. Where
/// one ends and the other begins is asked once, so that none is found twice or missed, however far
/// the writer takes the index meanwhile.
pub(super) fn find(
    view: &View<'_>,
    filter: &Filter,
    words: &str,
    limit: usize,
) -> Done<Vec<Found>> {
    let through = indexing::through(view.db)?;
    let span = filter.span();
    let new = Span {
        after: span.after.max(through.0),
        ..span
    };
    let mut found = not_indexed(view, filter, new, words, limit)?;
    if found.len() < limit {
        let old = Span {
            before: span.before.min(through.0.saturating_add(1)),
            ..span
        };
        let limit = limit.saturating_sub(found.len());
        found.extend(indexed(view, filter, old, words, limit)?);
    }
    Ok(found)
}

/// What of the agent's own mail in `span` has the words, for which its texts are read.
fn not_indexed(
    view: &View<'_>,
    filter: &Filter,
    mut span: Span,
    words: &str,
    limit: usize,
) -> Done<Vec<Found>> {
    let mut found = Vec::new();
    let mut in_memory = None;
    while found.len() < limit {
        let page = own(view, filter, span, ASIDE)?;
        let Some(last) = page.last() else { break };
        span.before = last.seq.0;
        let in_memory = match &in_memory {
            Some(in_memory) => in_memory,
            None => in_memory.insert(MemoryIndex::new()?),
        };
        let have = in_memory.matching(view.db, words, page.iter().map(|own| own.seq))?;
        let is_last = page.len() < ASIDE;
        found.extend(page.into_iter().filter(|own| have.contains(&own.seq)));
        if is_last {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Messages that have the words, whoever's they are, latest first.
pub(super) const WITH_WORDS: &str = "SELECT w.rowid FROM words AS w
    WHERE w.words MATCH ?1 AND w.rowid > ?2 AND w.rowid < ?3 ORDER BY w.rowid DESC";

/// What is in both: the messages with the words, and the agent's own. Both come latest first, and
/// each is gone through once, or leapt over where the other has nothing.
fn indexed(
    view: &View<'_>,
    filter: &Filter,
    mut span: Span,
    words: &str,
    limit: usize,
) -> Done<Vec<Found>> {
    let mut query = view.db.prepare_cached(WITH_WORDS)?;
    let mut own_mail = OwnMail {
        after: span.after,
        page: Vec::new().into_iter().peekable(),
        size: PAGE.0,
    };
    let mut found = Vec::new();
    'leap: loop {
        let mut matches = query.query(params![words, span.after, span.before])?;
        while let Some(row) = matches.next()? {
            let seq = Seq(row.get(0)?);
            // Without one, whatever else has the words is older than anything of the agent's.
            let Some(own) = own_mail.not_after(view, filter, seq)? else {
                return Ok(found);
            };
            if own.seq == seq {
                found.push(own);
                if found.len() >= limit {
                    return Ok(found);
                }
            } else if seq.0.saturating_sub(own.seq.0) > LEAP {
                span.before = own.seq.0.saturating_add(1);
                continue 'leap;
            }
        }
        return Ok(found);
    }
}

/// The agent's own mail, latest first, in pages that grow while nothing is leapt over.
struct OwnMail {
    after: i64,
    page: Peekable<IntoIter<Found>>,
    size: usize,
}

impl OwnMail {
    /// The latest that is not after `seq`, which only ever becomes less.
    fn not_after(&mut self, view: &View<'_>, filter: &Filter, seq: Seq) -> Done<Option<Found>> {
        while self.page.next_if(|own| own.seq > seq).is_some() {}
        if self.page.peek().is_none() {
            let span = Span {
                after: self.after,
                before: seq.0.saturating_add(1),
            };
            self.page = own(view, filter, span, self.size)?.into_iter().peekable();
            self.size = self.size.saturating_mul(2).min(PAGE.1);
        }
        Ok(self.page.peek().copied())
    }
}
