//! Whether the files that were opened are still the files at their paths.
//!
//! SQLite goes on writing into a file that was deleted or replaced under it, and reports success
//! for bytes that nobody will ever find again. So the writer looks before every commit.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file by its path and by what it was when it was opened.
#[derive(Debug)]
struct Watched {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// The database and its write-ahead log.
#[derive(Debug)]
pub(crate) struct Guard {
    files: [Watched; 2],
}

impl Guard {
    /// Remembers the files of the open database at `path`.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            files: [Watched::new(path.to_owned())?, Watched::new(log.into())?],
        })
    }

    /// Says what is wrong, if a file is no longer the one that was opened.
    pub(crate) fn check(&self) -> Result<(), String> {
        self.files.iter().try_for_each(Watched::check)
    }
}

impl Watched {
    fn new(path: PathBuf) -> io::Result<Self> {
        let facts = std::fs::symlink_metadata(&path)?;
        Ok(Self {
            path,
            device: facts.dev(),
            inode: facts.ino(),
        })
    }

    fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        match std::fs::symlink_metadata(&self.path) {
            Ok(facts) if (facts.dev(), facts.ino()) == (self.device, self.inode) => Ok(()),
            Ok(_) => Err(format!("{path} was replaced under the daemon")),
            Err(error) => Err(format!("{path} was taken away under the daemon: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_deleted_or_replaced_is_noticed() {
        let room = tempfile::tempdir().unwrap();
        let (database, log) = (room.path().join("m.db"), room.path().join("m.db-wal"));
        for path in [&database, &log] {
            std::fs::write(path, b"first").unwrap();
        }
        let guard = Guard::new(&database).unwrap();
        assert_eq!(guard.check(), Ok(()));
        std::fs::rename(&log, room.path().join("kept")).unwrap();
        assert!(guard.check().unwrap_err().contains("taken away"));
        std::fs::write(&log, b"second").unwrap();
        assert!(guard.check().unwrap_err().contains("replaced"));
    }
}
