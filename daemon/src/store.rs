//! The store: one SQLite database, one writer, readers beside it.
//!
//! A request that changes something becomes a job of the `writer`, which commits many jobs at
//! once and answers only then; a request that only looks is asked of the `reader`. Beside them
//! one file a table family, whose functions take a connection and know no caller.
//!
//! What always holds: what was acknowledged is on disk (`synchronous=FULL`); a job never sees
//! another's failure; a database that is not ours is never written to.

pub(crate) mod adoption;
pub(crate) mod agents;
pub(crate) mod asked;
pub(crate) mod auto_checks;
pub mod backup;
pub(crate) mod boundaries;
pub(crate) mod context;
pub(crate) mod conversations;
pub(crate) mod credentials;
pub(crate) mod deliveries;
pub(crate) mod freezes;
pub(crate) mod guard;
pub(crate) mod hardening;
pub(crate) mod history;
pub(crate) mod indexing;
pub(crate) mod job;
pub(crate) mod mail;
pub(crate) mod memory_index;
pub(crate) mod messages;
pub(crate) mod migrations;
pub(crate) mod names;
pub(crate) mod notice_files;
pub(crate) mod offering;
pub mod open;
pub(crate) mod past;
pub(crate) mod pings;
pub(crate) mod profiles;
pub(crate) mod quarantine;
pub(crate) mod reader;
pub mod restore;
pub(crate) mod retention;
pub(crate) mod search;
mod thread;
pub(crate) mod unread;
pub(crate) mod verifiers;
pub(crate) mod writer;

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ipc_protocol::message::UnknownWord;
use rusqlite::types::{FromSqlError, ValueRef};

use crate::error::Fault;

/// "IPC1", at byte 68 of the file: this database is ours.
pub const APPLICATION_ID: i32 = 0x4950_4331;

/// The schema that this program writes.
pub const SCHEMA_VERSION: i32 = 5;

/// Reads a column that holds one of our words.
pub(crate) fn word<T: std::str::FromStr<Err = UnknownWord>>(
    value: ValueRef<'_>,
) -> Result<T, FromSqlError> {
    value
        .as_str()?
        .parse()
        .map_err(|_| FromSqlError::InvalidType)
}

/// Reads a column that counts: never negative.
pub(crate) fn count(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Inconsistent("a negative count"))
}

/// Makes the empty file of a database, mode 0600 whatever the umask; its log takes the mode over.
pub(crate) fn create_private(path: &Path) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600);
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    options.custom_flags(no_follow).open(path).map(|_| ())
}
