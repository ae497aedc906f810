//! What came over, what did not, and why.

use std::path::{Path, PathBuf};

use ipc_protocol::name::Name;
use ipc_protocol::private;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::error::MigrateError;
use crate::audit::event::{Migrated, Way};

/// Largest report that is read, in bytes: its lists are bounded, and so is a name.
const LARGEST: u64 = 4 * 1_024 * 1_024;

/// Entries that each list holds at most; what is beyond is counted.
const LISTED: usize = 1_000;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The file that was taken over.
    pub original: PathBuf,
    /// A verified copy of it, as it was.
    pub copy: PathBuf,
    /// A verified backup of the store as it was, if there was one.
    pub store_backup: Option<PathBuf>,
    /// The time zone in which its times were read.
    pub zone: String,
    /// Messages that had been read.
    pub read: u64,
    /// Messages that wait.
    pub unread: u64,
    /// Messages that had come over before.
    pub repeated: u64,
    /// Messages whose text came from a file.
    pub from_files: u64,
    /// Names that are held now until somebody enrols under them.
    pub names: u64,
    /// Old names that go on forwarding.
    pub forwards: u64,
    /// Sessions that were dropped: everybody enrols again.
    pub sessions_dropped: u64,
    /// Names that had to change.
    pub renamed: Vec<NewName>,
    /// What did not come over, or not whole.
    pub left_out: Vec<LeftOut>,
    /// Entries that the two lists above have no room for.
    pub unlisted: u64,
    /// The directory whose mode was set to 0700, if one was.
    pub large_directory_closed: Option<PathBuf>,
}

/// A name that had to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewName {
    /// What it was, as it stood in the file: show it as a peer's text.
    pub old: String,
    /// What it is.
    pub new: Name,
    /// Why.
    pub why: String,
}

/// Something that did not come over, or not whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The number of the message in the old database; nothing where it is no message.
    pub row: Option<i64>,
    /// What is missing.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Report {
    pub(super) fn new(original: &Path, copy: &Path, zone: &TimeZone) -> Self {
        Self {
            original: original.to_owned(),
            copy: copy.to_owned(),
            store_backup: None,
            zone: zone.iana_name().unwrap_or("local").to_owned(),
            read: 0,
            unread: 0,
            repeated: 0,
            from_files: 0,
            names: 0,
            forwards: 0,
            sessions_dropped: 0,
            renamed: Vec::new(),
            left_out: Vec::new(),
            unlisted: 0,
            large_directory_closed: None,
        }
    }

    /// Where the report lies: beside the copy.
    pub fn path(&self) -> PathBuf {
        self.copy.with_extension("json")
    }

    /// What the audit log says of it.
    pub(super) fn migrated(&self, how: Way) -> Migrated {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let listed = count(self.renamed.len()).saturating_add(count(self.left_out.len()));
        Migrated {
            how,
            read: self.read,
            unread: self.unread,
            repeated: self.repeated,
            names: self.names,
            forwards: self.forwards,
            sessions_dropped: self.sessions_dropped,
            changes: listed.saturating_add(self.unlisted),
        }
    }

    pub(super) fn add_name(&mut self, old: &str, new: &Name, why: &'static str) {
        if self.renamed.len() >= LISTED {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        self.renamed.push(NewName {
            old: old.to_owned(),
            new: new.clone(),
            why: why.to_owned(),
        });
    }

    pub(super) fn leave_out(&mut self, row: Option<i64>, what: &'static str, why: &'static str) {
        if self.left_out.len() >= LISTED {
            self.unlisted = self.unlisted.saturating_add(1);
            return;
        }
        self.left_out.push(LeftOut {
            row,
            what: what.to_owned(),
            why: why.to_owned(),
        });
    }

    /// Writes it down.
    pub(super) fn keep(&self) -> Result<(), MigrateError> {
        let path = self.path();
        let json = serde_json::to_vec_pretty(self).map_err(std::io::Error::other);
        let json = json.map_err(MigrateError::io(&path))?;
        Ok(private::write_file(&path, &json)?)
    }

    /// Reads the one at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, MigrateError> {
        let bytes = private::read_file(path, LARGEST)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| MigrateError::io(path)(std::io::Error::other(error)))
    }
}
