//! What the run before left in the write-ahead log, put on disk for certain.
//!
//! A flush that fails leaves bytes that the system shows to whoever reads and no longer means to
//! write. SQLite reads them as committed and appends after them; the log then ends, after a power
//! cut, at what never reached the disk, and everything that was acknowledged behind it is gone. Nor
//! may such bytes be taken over into the database: it would hold halves of what the log does not
//! have. So before SQLite opens the log, its bytes are written again, where they are, and flushed.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::no_follow;

/// Bytes that are written at once.
const CHUNK: usize = 1_024 * 1_024;

/// Writes the log at `path` again, if there is one. The daemon's lock is held: nobody else writes.
pub(super) fn write_again(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.read(true).write(true).custom_flags(no_follow());
    let log = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    let mut chunk = vec![0; CHUNK];
    let mut at = 0_u64;
    loop {
        let read = match log.read_at(&mut chunk, at) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return log.sync_all();
        };
        log.write_all_at(bytes, at)?;
        at = at.saturating_add(u64::try_from(read).unwrap_or(0));
    }
}
