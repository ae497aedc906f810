//! What the log is owed: an intent log for changes of the store as a whole, which are made while no daemon
//! runs (another store takes its place, mail comes into it from outside). Each is written down and flushed
//! before it is made, and recorded after: by whoever made it, or by the next start after a crash.
//!
//! What always holds: what has taken place is in the log once, and what has not, or nobody can tell, is not. The record bears
//! the time of the note, so that a note which outlived its record makes no second one.

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

/// How many changes are remembered that are in no record: all but the last were cut off.
const MAX_PENDING: usize = 16;

/// Largest note that is read, in bytes: of [`MAX_PENDING`] changes, with room to spare.
const MAX_BYTES: u64 = 65_536;

/// A change of the store as a whole.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PendingChange {
    at: Timestamp,
    what: What,
    evidence: Evidence,
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
pub(crate) enum Evidence {
    /// The file with this number is the store. It keeps it when it is renamed, and as long as it has any
    /// name no other file of the data directory gets it. (The number of the device may change when the
    /// system starts anew.)
    StoreIsFile { inode: u64 },
    /// The store holds something else than this.
    StoreNoLongerHolds(Holds),
    /// It was found to have taken place when the next change was written down; the store held this then.
    Confirmed(Holds),
}

impl Evidence {
    /// That the file at `path` is the store.
    pub(crate) fn store_is_file(path: &Path) -> io::Result<Self> {
        let inode = std::fs::symlink_metadata(path)?.ino();
        Ok(Self::StoreIsFile { inode })
    }

    fn has_happened(self, data_dir: &DataDir) -> bool {
        match self {
            Self::StoreIsFile { .. } => {
                Self::store_is_file(&data_dir.database()).is_ok_and(|now| now == self)
            }
            // Of a store that cannot be read nobody can tell.
            Self::StoreNoLongerHolds(before) => {
                past::holds_closed(data_dir).is_some_and(|now| now != before)
            }
            Self::Confirmed(_) => true,
        }
    }

    /// What the store held right after it, which holds `now`.
    const fn held_after(self, now: Holds) -> Holds {
        match self {
            Self::Confirmed(then) => then,
            Self::StoreIsFile { .. } | Self::StoreNoLongerHolds(_) => now,
        }
    }
}

impl PendingChange {
    /// That the backup at `from` takes the place of the store.
    pub(crate) fn restored(
        data_dir: &DataDir,
        from: &Path,
        why: RestoreCause,
        at: Timestamp,
        evidence: Evidence,
    ) -> Self {
        let own = std::path::absolute(from).ok();
        let own = own.filter(|path| path.parent() == Some(&data_dir.backups()));
        let name = own.as_deref().and_then(Path::file_name);
        let from = name.map_or_else(|| ELSEWHERE.into(), |name| name.to_string_lossy());
        let from = from.into_owned();
        let what = What::Restored { from, why };
        Self { at, what, evidence }
    }

    /// That something comes over from the Python server.
    pub(crate) const fn migrated(migrated: Migrated, at: Timestamp, evidence: Evidence) -> Self {
        let what = What::Migrated(migrated);
        Self { at, what, evidence }
    }

    /// Writes it down, behind what has taken place before it and is in no record yet: all of it is on disk
    /// when this returns.
    pub(crate) fn write(self, data_dir: &DataDir) -> Result<(), PrivateError> {
        let mut all = read(data_dir);
        all.retain(|owed| owed.evidence.has_happened(data_dir));
        let holds = past::holds_closed(data_dir).unwrap_or_default();
        for owed in &mut all {
            owed.evidence = Evidence::Confirmed(owed.evidence.held_after(holds));
        }
        let too_many = all.len().saturating_add(1).saturating_sub(MAX_PENDING);
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
                holds: self
                    .evidence
                    .held_after(past::holds_closed(data_dir).unwrap_or_default()),
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
    /// Its evidence tells.
    Unknown,
}

/// Writes into `log` what it is owed, if it is owed anything.
pub(super) fn settle(data_dir: &DataDir, log: &mut Log, outcome: Outcome) -> Result<(), LogError> {
    let all = read(data_dir);
    if all.is_empty() {
        return Ok(());
    }
    let last = all.len();
    for (number, owed) in (1..).zip(all) {
        let is_done = outcome == Outcome::Done && number == last;
        if !is_done && !owed.evidence.has_happened(data_dir) {
            continue;
        }
        let entry = owed.entry(data_dir);
        let text = record(0, entry.at, &entry.event) + "}";
        if !reading::ends_with_one_like(&data_dir.audit(), &text)? {
            log.append(&[entry])?;
        }
    }
    forget(data_dir);
    Ok(())
}

/// What is written down; nothing if that cannot be read, which is not to keep the daemon from starting: it
/// stays, and is said again, until it can or the next note takes its place.
fn read(data_dir: &DataDir) -> Vec<PendingChange> {
    let bytes = match private::read_file(&path(data_dir), MAX_BYTES) {
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

/// What stays is known for recorded the next time.
fn forget(data_dir: &DataDir) {
    match std::fs::remove_file(path(data_dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::error!(%error, "what the audit log was owed cannot be forgotten");
        }
        Ok(()) | Err(_) => {}
    }
}

fn path(data_dir: &DataDir) -> PathBuf {
    data_dir.root().join("audit.owed")
}
