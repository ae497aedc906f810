//! A desk whose database lies in files, and the end of its process at any moment.
//!
//! What a process leaves behind that ends is what it wrote to its files until then: the files are
//! copied, the connection is left as it is, and the copies are opened as a start opens them. What a
//! loss of power leaves behind is another matter, and tested elsewhere.

use std::fs;
use std::path::Path;

use ipc_protocol::paths::DataDir;
use rusqlite::Connection;

use super::{Desk, message};
use crate::actions::send;
use crate::caller::Caller;
use crate::error::Done;
use crate::housekeeping;
use crate::presence::Presence;
use crate::store::context::Context;
use crate::store::open;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::Sent;
use ipc_protocol::time::Timestamp;

/// The database and its log; of the third file nothing is kept over a crash.
const FILES: [&str; 2] = ["messages.db", "messages.db-wal"];

impl Desk {
    /// An empty store in files of its own.
    pub(crate) fn on_disk() -> Self {
        let room = tempfile::tempdir().unwrap();
        let db = opened(room.path(), false, Timestamp::from_millis(0));
        Self::with(db, Some(room))
    }

    /// The process ends, and the next one starts: what was only in memory is gone.
    pub(crate) fn crash(&mut self) {
        let left = tempfile::tempdir().unwrap();
        let room = self.room.as_ref().unwrap();
        for file in FILES {
            fs::copy(room.path().join(file), left.path().join(file)).unwrap();
        }
        self.db = opened(left.path(), true, self.now.wall);
        self.room = Some(left);
        self.presence = Presence::default();
    }

    /// The process ends when `action` has been done for `caller` and is not committed.
    pub(crate) fn crash_in<T>(
        &mut self,
        action: impl FnOnce(&mut Self) -> Result<T, ErrorCode>,
    ) -> Result<T, ErrorCode> {
        // As the writer does: a transaction around the savepoint of each job.
        self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let outcome = action(self);
        self.crash();
        outcome
    }

    /// Sends a text under a key, so that sending it again sends nothing more.
    pub(crate) fn send_once(
        &mut self,
        from: &Caller,
        to: &str,
        text: &str,
        key: &str,
    ) -> Result<Sent, ErrorCode> {
        let mut request = message(to, text);
        request.idempotency_key = Some(key.to_owned().try_into().unwrap());
        self.act_as(from, |c| send::send(&request, from, c))
    }

    /// Writes down who was seen, as is done every ten minutes.
    pub(crate) fn write_uses(&mut self) {
        let uses = self.presence.take_uses();
        let write = |c: &mut Context<'_>| -> Done<()> { housekeeping::write_down(uses, c) };
        self.act(write).unwrap();
    }
}

fn opened(room: &Path, used_before: bool, now: Timestamp) -> Connection {
    let data_dir = DataDir::new(room.to_owned(), None).unwrap();
    let db = open::open_writer(&data_dir, used_before, now).unwrap();
    // Nothing here needs the disk itself; and what is not committed is written early, to be found.
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db.pragma_update(None, "cache_size", 1).unwrap();
    db
}
