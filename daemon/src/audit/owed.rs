//! What the log is owed: that another store takes the place of ours, or mail comes into it from outside,
//! while no daemon runs. It is written down, and flushed, before that is done, and becomes a record after:
//! by whoever does it, or by the next start where that was cut off.
//!
//! What always holds: what has taken place is in the log once, and what has not is not. The record bears
//! the time of the note, so that one which a crash kept from being forgotten is known for written.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};
use ipc_protocol::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, Holds, Migrated, Plain, RestoreCause, record};
use super::files::LogError;
use super::log::Log;
use super::{Entry, reading};
use crate::store::past;

/// What the log says of a file that is no backup of the deployment's own: where it lies, and what it is
/// called, is nobody's business.
const ELSEWHERE: &str = "elsewhere";

/// How many changes are remembered that no start has recorded: each but the last was cut off.
const MOST: usize = 16;

/// Largest note that is read, in bytes: of [`MOST`] changes, with room to spare.
const LARGEST: u64 = 16_384;

/// A change of the store as a whole.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Owed {
    at: Timestamp,
    what: What,
    sign: Sign,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Restored { from: String, why: RestoreCause },
    Migrated(Migrated),
}

/// What tells a start whether it has taken place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sign {
    /// This file is the store. It keeps its number when it is renamed, and as long as it has any name
    /// no other file gets that.
    File { device: u64, inode: u64 },
    /// The store holds something else than this.
    Holds(Holds),
    /// It had, and the store held this, when the next change was written down.
    Had(Holds),
}

impl Sign {
    /// That the file at `path` is the store.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        let facts = std::fs::symlink_metadata(path)?;
        Ok(Self::File {
            device: facts.dev(),
            inode: facts.ino(),
        })
    }

    fn is_there(self, data_dir: &DataDir) -> bool {
        match self {
            Self::File { .. } => Self::file(&data_dir.database()).is_ok_and(|now| now == self),
            Self::Holds(before) => past::holds_closed(data_dir) != before,
            Self::Had(_) => true,
        }
    }

    /// What the store held right after it, which holds `now`.
    const fn holds(self, now: Holds) -> Holds {
        match self {
            Self::Had(then) => then,
            Self::File { .. } | Self::Holds(_) => now,
        }
    }
}

impl Owed {
    /// That the backup at `from` takes the place of the store.
    pub(crate) fn restored(
        data_dir: &DataDir,
        from: &Path,
        why: RestoreCause,
        at: Timestamp,
        sign: Sign,
    ) -> Self {
        let own = std::path::absolute(from).ok();
        let own = own.filter(|path| path.parent() == Some(&data_dir.backups()));
        let name = own.as_deref().and_then(Path::file_name);
        let from = name.map_or_else(|| ELSEWHERE.into(), |name| name.to_string_lossy());
        let from = from.into_owned();
        let what = What::Restored { from, why };
        Self { at, what, sign }
    }

    /// That something comes over from the Python server.
    pub(crate) const fn migrated(migrated: Migrated, at: Timestamp, sign: Sign) -> Self {
        let what = What::Migrated(migrated);
        Self { at, what, sign }
    }

    /// Writes it down, behind what has taken place before it and is in no record yet: all of it is on disk
    /// when this returns.
    pub(crate) fn write(self, data_dir: &DataDir) -> Result<(), PrivateError> {
        let mut all = read(data_dir);
        all.retain(|owed| owed.sign.is_there(data_dir));
        let holds = past::holds_closed(data_dir);
        for owed in &mut all {
            owed.sign = Sign::Had(owed.sign.holds(holds));
        }
        let too_many = all.len().saturating_add(1).saturating_sub(MOST);
        all.drain(..too_many);
        all.push(self);
        let json = serde_json::to_vec(&all).unwrap_or_default();
        private::write_file(&path(data_dir), &json)
    }

    /// The record that it becomes, when it has taken place.
    fn entry(self, data_dir: &DataDir) -> Entry {
        let event = match self.what {
            What::Restored { from, why } => Event::Restored {
                from: Plain::new(&from),
                why,
                holds: self.sign.holds(past::holds_closed(data_dir)),
            },
            What::Migrated(migrated) => Event::Migrated(migrated),
        };
        Entry { at: self.at, event }
    }
}

/// Whether it has taken place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Whoever asks has done it.
    Done,
    /// Its sign tells.
    Unknown,
}

/// Writes into `log` what it is owed, if it is owed anything.
pub(super) fn settle(data_dir: &DataDir, log: &mut Log, outcome: Outcome) -> Result<(), LogError> {
    let all = read(data_dir);
    let last = all.len();
    for (number, owed) in (1..).zip(all) {
        let is_done = outcome == Outcome::Done && number == last;
        if !is_done && !owed.sign.is_there(data_dir) {
            continue;
        }
        let entry = owed.entry(data_dir);
        let text = record(0, entry.at, &entry.event) + "}";
        if !reading::ends_with_one_like(&data_dir.audit(), &text)? {
            log.append(&[entry])?;
        }
    }
    forget(data_dir)
}

/// What is written down; nothing if it is none of ours, which is not to keep the daemon from starting and
/// which the next note takes the place of.
fn read(data_dir: &DataDir) -> Vec<Owed> {
    let bytes = match private::read_file(&path(data_dir), LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Vec::new(),
        Err(error) => {
            tracing::error!(%error, "what the audit log is owed cannot be read");
            return Vec::new();
        }
    };
    let owed = serde_json::from_slice(&bytes);
    owed.inspect_err(|error| tracing::error!(%error, "what the audit log is owed is garbled"))
        .unwrap_or_default()
}

fn forget(data_dir: &DataDir) -> Result<(), LogError> {
    let path = path(data_dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LogError::io(&path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn path(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("audit.owed")
}
