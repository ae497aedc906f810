//! The one thread that writes the audit log: it takes what waits, writes and flushes it together, and
//! rests, so that its flushes stay few beside the store's.
//!
//! A disk that fails stops no mail: what could not be written is tried again, and once there is too
//! much of it the rest is counted as lost.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};

use super::log::Log;
use super::{Entry, Inbox, event::Event};
use crate::limits::{AUDIT_GROUP, AUDIT_LOOK, AUDIT_QUEUE, AUDIT_REST};

/// Starts the thread.
pub(crate) fn start(log: Log, inbox: Inbox) -> io::Result<JoinHandle<()>> {
    let keeper = Keeper {
        log,
        inbox,
        waiting: Vec::new(),
        is_failing: false,
    };
    thread::Builder::new()
        .name("audit".to_owned())
        .spawn(|| keeper.work())
}

struct Keeper {
    log: Log,
    inbox: Inbox,
    /// Taken and not written yet; at most [`AUDIT_QUEUE`].
    waiting: Vec<Entry>,
    is_failing: bool,
}

impl Keeper {
    fn work(mut self) {
        loop {
            let is_over = self.wait();
            self.take(is_over);
            self.write();
            if is_over {
                return;
            }
            // Cut short when the daemon ends.
            let _rested = self.inbox.closing.recv_timeout(AUDIT_REST);
        }
    }

    /// Waits for something to write; says whether nothing more will come. With as much as it may hold
    /// it takes no more, and only tries again.
    fn wait(&mut self) -> bool {
        if self.is_full() {
            let ended = self.inbox.closing.recv_timeout(AUDIT_LOOK);
            return ended == Err(RecvTimeoutError::Disconnected);
        }
        match self.inbox.queue.recv_timeout(AUDIT_LOOK) {
            Ok(entry) => self.waiting.push(*entry),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return true,
        }
        false
    }

    const fn is_full(&self) -> bool {
        self.waiting.len() >= AUDIT_QUEUE
    }

    /// Takes what waits, and what was only counted.
    fn take(&mut self, is_over: bool) {
        while !self.is_full() {
            match self.inbox.queue.try_recv() {
                Ok(entry) => self.waiting.push(*entry),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        if self.is_full() {
            return;
        }
        let now = self.inbox.clock.now();
        let counted = self.inbox.meter.counted(now.boot_ms, is_over);
        let lost = self.inbox.lost.swap(0, Ordering::Relaxed);
        let lost = (lost > 0).then_some(Event::Lost { count: lost });
        let events = counted.into_iter().chain(lost);
        let entry = |event| Entry {
            at: now.wall,
            event,
        };
        self.waiting.extend(events.map(entry));
    }

    fn write(&mut self) {
        while !self.waiting.is_empty() {
            let group = self.waiting.len().min(AUDIT_GROUP);
            let (entries, _) = self.waiting.split_at(group);
            let before = self.log.next();
            let written = self.log.append(entries);
            // Written and not sealed, or an old file not removed: that is tried again with the next.
            if self.log.next() != before {
                self.waiting.drain(..group);
            }
            match written {
                Ok(()) => self.is_failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut self.is_failing, true) {
                        tracing::error!(%error, "the audit log could not be written");
                    }
                    return;
                }
            }
        }
    }
}
