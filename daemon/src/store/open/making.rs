//! Making an empty store, in one step as seen from outside.
//!
//! SQLite makes a database in several transactions, and only the last of them makes it ours. A
//! process that is killed among them, or a power cut, must not leave under the store's name what
//! the next start takes for another program's and refuses. So it has another name until it is whole
//! and on disk.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

use ipc_protocol::paths::DataDir;
use rusqlite::Connection;

use super::{OpenError, beside, mark, migrations};

/// What SQLite puts beside a database.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];

/// Makes the store of a deployment that has had none: there is no file, or an empty one.
pub(super) fn make(data_dir: &DataDir) -> Result<(), OpenError> {
    let path = data_dir.database();
    let new = beside(&path, ".new");
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    // Of a start that was cut off.
    remove(&new).map_err(failed(&new))?;
    // A journal of a file that is gone would be rolled into this one.
    for suffix in BESIDE {
        let left = beside(&path, suffix);
        remove(&left).map_err(failed(&left))?;
    }
    crate::store::create_private(&new).map_err(failed(&new))?;
    fill(&new).map_err(|source| OpenError::Sqlite {
        path: new.clone(),
        source,
    })?;
    let root = data_dir.root();
    let flush = |path: &Path| File::open(path).and_then(|file| file.sync_all());
    flush(&new).map_err(failed(&new))?;
    flush(root).map_err(failed(root))?;
    std::fs::rename(&new, &path).map_err(failed(&path))?;
    flush(root).map_err(failed(root))
}

/// Puts the tables in. Nothing is flushed and no file is made beside it: it is not a store yet.
fn fill(new: &Path) -> rusqlite::Result<()> {
    let mut db = Connection::open(new)?;
    db.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "OFF")?;
    mark(&db)?;
    migrations::run(&mut db)?;
    db.close().map_err(|(_, error)| error)
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use ipc_protocol::time::Timestamp;

    use super::super::open_writer;
    use super::*;

    fn open(data_dir: &DataDir) -> Result<Connection, OpenError> {
        open_writer(data_dir, false, Timestamp::from_millis(0))
    }

    #[test]
    fn what_a_start_that_was_cut_off_left_is_no_obstacle_and_nothing_is_left_beside_the_store() {
        let room = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(room.path().to_owned(), None).unwrap();
        for name in ["messages.db.new", "messages.db-journal", "messages.db-wal"] {
            std::fs::write(room.path().join(name), b"half of something").unwrap();
        }
        std::fs::write(data_dir.database(), b"").unwrap();
        drop(open(&data_dir).unwrap());
        let entries = std::fs::read_dir(room.path()).unwrap();
        let names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["messages.db"]);
        drop(open(&data_dir).unwrap());
    }
}
