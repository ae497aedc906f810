//! Whether every acknowledgement came after the flush of what it promises.

use std::collections::HashMap;

use super::trace::{Event, Inode, Promise, Trace};

/// A write-ahead log's header, and the header of each of its frames, in bytes.
/// <https://www.sqlite.org/fileformat2.html#walformat>
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: usize = 24;

/// Holds every promise against the trace: its text was written to the log, the transaction that
/// wrote it has a commit frame, and a flush of the log that began after that frame ended well
/// before the reply.
pub(super) fn check(trace: &Trace, promises: &[Promise]) -> Result<(), String> {
    let log = trace.inode("messages.db-wal");
    let written = first_writes(trace, log);
    for promise in promises {
        let (id, text) = &promise.letter;
        let before = |what: &str| format!("{id} was acknowledged before {what}");
        let written = written.get(text.as_bytes()).copied();
        let written = written.filter(|at| *at < promise.at);
        let written = written.ok_or_else(|| before("it was written"))?;
        let committed = commit_after(trace, log, written);
        let committed = committed.ok_or_else(|| before("its transaction was complete"))?;
        let flushed = flush_after(trace, log, committed);
        if flushed.is_none_or(|at| at > promise.at) {
            return Err(before("it was flushed"));
        }
    }
    Ok(())
}

/// Every text in angle brackets, and the first write to the log that has it.
fn first_writes(trace: &Trace, log: Inode) -> HashMap<&[u8], usize> {
    let mut first = HashMap::new();
    for (at, event) in trace.events.iter().enumerate() {
        let Event::Written(inode, _, bytes) = event else {
            continue;
        };
        if *inode != log {
            continue;
        }
        let mut open = None;
        for (place, byte) in bytes.iter().enumerate() {
            match (byte, open) {
                (b'<', _) => open = Some(place),
                (b'>', Some(from)) => {
                    first.entry(&bytes[from..=place]).or_insert(at);
                }
                _ => {}
            }
        }
    }
    first
}

/// The first page, from event `from` on, whose frame ends a transaction. A frame's header is a
/// write of its own, and the page follows it.
fn commit_after(trace: &Trace, log: Inode, from: usize) -> Option<usize> {
    let of_log = |event: &Event| matches!(event, Event::Written(inode, ..) if *inode == log);
    let mut ends = false;
    let back = trace.events[..from].iter().rposition(of_log)?;
    for (at, event) in trace.events.iter().enumerate().skip(back) {
        let Event::Written(inode, offset, bytes) = event else {
            continue;
        };
        if *inode != log {
            continue;
        }
        if bytes.len() == FRAME_HEADER && *offset >= LOG_HEADER {
            // The size of the database after the commit, 0 in any other frame.
            ends = bytes[4..8] != [0; 4];
        } else if ends && at >= from {
            return Some(at);
        }
    }
    None
}

/// When the first flush of the log that began after event `from` had ended; nothing if it failed: a
/// later one says nothing of what this one was to bring.
fn flush_after(trace: &Trace, log: Inode, from: usize) -> Option<usize> {
    let mut begun = Vec::new();
    for (at, event) in trace.events.iter().enumerate().skip(from) {
        match event {
            Event::FlushBegun(inode, flush) if *inode == log => begun.push(*flush),
            Event::FlushEnded(flush, error) if begun.contains(flush) => {
                return (*error == 0).then_some(at);
            }
            _ => {}
        }
    }
    None
}
