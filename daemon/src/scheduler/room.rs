//! A store of its own for every run, copied from one that was made once.

use std::fs;

use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::store::guard::Guard;
use crate::store::{hardening, open};

/// A directory with a database in it.
pub(crate) struct Room {
    directory: TempDir,
}

impl Room {
    /// A new database that `prepare` has had, closed.
    pub(crate) fn new(prepare: impl FnOnce(&Connection)) -> Self {
        let room = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        let db = open::open_writer(&room.data_dir(), false, Timestamp::from_millis(0)).unwrap();
        prepare(&db);
        db.close().unwrap();
        room
    }

    /// A room like this one, while nobody has this one open.
    pub(crate) fn copy(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let name = "messages.db";
        fs::copy(
            self.directory.path().join(name),
            directory.path().join(name),
        )
        .unwrap();
        Self { directory }
    }

    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(self.directory.path().to_owned(), None).unwrap()
    }

    /// What the writer works with. Nothing here needs the disk itself.
    pub(crate) fn open(&self) -> (Connection, Guard) {
        let db = open::open_writer(&self.data_dir(), true, Timestamp::from_millis(0)).unwrap();
        db.pragma_update(None, "synchronous", "OFF").unwrap();
        let guard = Guard::new(&self.data_dir().database()).unwrap();
        (db, guard)
    }

    /// What a reader works with.
    pub(crate) fn reader(&self) -> Connection {
        hardening::open_reader(&self.data_dir().database()).unwrap()
    }

    /// The database is gone from its place; [`Room::put_back`] undoes it.
    pub(crate) fn take_away(&self) {
        let path = self.data_dir().database();
        fs::rename(&path, path.with_extension("away")).unwrap();
    }

    /// The database is in its place again, if it was taken away.
    pub(crate) fn put_back(&self) {
        let path = self.data_dir().database();
        if !path.exists() {
            fs::rename(path.with_extension("away"), &path).unwrap();
        }
    }
}
