//! The audit log as somebody hostile leaves it: a genuine one that was altered, and files of any bytes.
//!
//! What must hold: whatever is altered in the lines is found, with what was kept elsewhere and without,
//! before the next start and after it; checking, reading and starting come to an end; the daemon starts,
//! and what it writes then is there.

mod edits;
mod hostile;

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::Entry;
use super::anchor::Anchors;
use super::event::{Event, Holds, Plain, RestoreCause};
use super::files::{self, LogError};
use super::log::Log;
use super::reading::{self, Page, Wanted};
use super::verify::{Bounds, Report, VerifyError, verify_within};
use crate::store::past::Past;

/// The moment of every start here.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// Keys that are gone through are few.
const BOUNDS: Bounds = Bounds {
    steps: 4_096,
    ..Bounds::STANDARD
};

/// Records that are read, at most.
const LIMIT: usize = 3;

/// The log: after an `e` come changes of a genuine one, after anything else its files.
pub fn audit_log(bytes: &[u8]) {
    let outcome = match bytes.split_first() {
        Some((b'e', edits)) => edits::altered(edits),
        Some((_, rest)) => hostile::written(rest),
        None => Ok(()),
    };
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A data directory with nothing but a log in it.
struct Room(TempDir);

impl Room {
    fn new() -> io::Result<Self> {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir()?;
        let audit = room.path().join("audit");
        private::ensure_directory(&audit).map_err(io::Error::other)?;
        Ok(Self(room))
    }

    fn audit(&self) -> PathBuf {
        self.0.path().join("audit")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut options = File::options();
        options.write(true).create_new(true).mode(0o600);
        options.open(self.audit().join(name))?.write_all(bytes)
    }

    fn check(&self, anchors: &Anchors) -> Result<Report, VerifyError> {
        let checked = verify_within(&BOUNDS, &self.audit(), anchors);
        let again = verify_within(&BOUNDS, &self.audit(), anchors);
        assert_eq!(format!("{checked:?}"), format!("{again:?}"));
        if let Ok(report) = &checked {
            let most = anchors.anchors.len().saturating_add(4);
            assert!(report.findings.len() <= most, "{report:?}");
            let told: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
            assert!(told.iter().all(|told| !told.is_empty()));
        }
        checked
    }

    /// Reads the latest records: every whole line is one, or is counted.
    fn page(&self) -> Result<Page, LogError> {
        let wanted = Wanted {
            limit: LIMIT,
            ..Wanted::default()
        };
        let page = reading::page(&self.audit(), &wanted)?;
        let told = page.records.len();
        let number = u64::try_from(told).unwrap_or(u64::MAX);
        let all = number
            .saturating_add(page.earlier)
            .saturating_add(page.unreadable);
        assert_eq!(all, whole_lines(&self.audit())?);
        assert!(told <= LIMIT);
        for record in &page.records {
            let said = (record.sequence(), record.at(), record.event());
            let counts = (record.facts().count(), record.agents().count());
            assert!(!format!("{said:?} {counts:?}").is_empty());
        }
        Ok(page)
    }

    /// The next start of the daemon: it comes, and what it writes is the last record.
    fn start(&self) -> Result<(), LogError> {
        let mut log = Log::open(
            &self.audit(),
            Past::Unused,
            NOW,
            &mut StdRng::seed_from_u64(2),
        )?;
        log.append(&[restored("the last")])?;
        let page = self.page()?;
        let last = page.records.last();
        let last = last.and_then(|last| last.facts().find(|(field, _)| *field == "from"));
        assert_eq!(last.and_then(|(_, value)| value.as_str()), Some("the last"));
        Ok(())
    }
}

fn whole_lines(directory: &Path) -> Result<u64, LogError> {
    let mut number = 0_u64;
    for first in files::list(directory)? {
        let path = files::path(directory, first);
        let bytes = fs::read(&path).map_err(|source| LogError::io(&path, source))?;
        let lines = bytes.split(|byte| *byte == b'\n').count().saturating_sub(1);
        number = number.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
    }
    Ok(number)
}

/// Whether a check says that something is wrong.
fn is_found(checked: &Result<Report, VerifyError>) -> bool {
    checked
        .as_ref()
        .map_or(true, |report| !report.findings.is_empty())
}

fn restored(from: &str) -> Entry {
    let event = Event::Restored {
        from: Plain::new(from),
        why: RestoreCause::Asked,
        holds: Holds::default(),
    };
    Entry { at: NOW, event }
}
