//! Taking over what the Python server kept: its messages, names and forwards.
//!
//! The original is only read, and copied once; until the end it is under a lock that keeps its
//! server from writing. Everything else works on the copy, which stays as a backup, and only in a
//! process that has shut itself in: [`Inside`] says so. The new store
//! is built beside the old one and takes its place in one step, when it is whole; a migration that
//! was cut off before that begins anew, and one that was cut off after it is finished by the next
//! start, if nobody has written to the original meanwhile.
//!
//! What always holds: rows are data, no trigger and no view of a foreign file runs; nothing that
//! such a file says proves anything, so no agent that has enrolled here is ever named as the
//! sender of what came from one.

mod error;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod large;
mod names;
mod original;
mod place;
mod report;
mod source;
mod times;
mod writing;

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;
use rand::rngs::StdRng;

pub use error::MigrateError;
pub use original::{Original, refuse_unfinished};
pub use report::{LeftOut, NewName, Report};

use crate::audit;
use crate::audit::event::Way;
use crate::audit::owed::{Evidence, PendingChange};
use crate::config::LoopbackAddress;
use crate::deployment::DaemonLock;
use crate::limits::Limits;
use crate::sandbox::Inside;
use crate::store::{backup, open, past};
use original::Copy;
use place::Note;
use source::Source;
use writing::Writing;

/// Where the Python server listens, unless told otherwise.
pub const OLD_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9_876);

/// How long a server on the same machine may take to accept a connection.
const ANSWER: Duration = Duration::from_millis(500);

/// Hears how far it has come: messages done, of how many.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// What a migration is given.
#[expect(missing_debug_implementations, reason = "it borrows a function")]
pub struct Migration<'a> {
    /// Where everything lives.
    pub data_dir: &'a DataDir,
    /// The moment.
    pub now: Timestamp,
    /// What was looked up outside the data directory.
    pub outside: Outside,
    /// Where new agents' ids come from.
    pub rng: &'a mut StdRng,
    /// Hears how far it has come.
    pub progress: Progress<'a>,
}

/// What a migration needs from outside the data directory: a daemon has it before it shuts itself
/// in.
#[derive(Debug)]
pub struct Outside {
    /// The zone that the old server's times were written in.
    pub zone: TimeZone,
    /// Where the old server answers, if it still runs.
    pub old_server: Option<SocketAddr>,
}

impl Outside {
    /// Takes the zone of this machine, and asks for the old server at its own address and at
    /// `configured`, where its clients are to be served.
    pub fn look(configured: Option<LoopbackAddress>) -> Self {
        let configured = configured.map(LoopbackAddress::get);
        Self {
            zone: system_zone(),
            old_server: answering(configured.into_iter().chain([OLD_PORT])),
        }
    }

    /// Goes on only if the old server does not run.
    ///
    /// # Errors
    /// [`MigrateError::OldServerRuns`].
    pub const fn refuse_while_served(&self) -> Result<(), MigrateError> {
        match self.old_server {
            Some(address) => Err(MigrateError::OldServerRuns(address)),
            None => Ok(()),
        }
    }
}

/// Where of `addresses` a server answers.
pub fn answering(addresses: impl IntoIterator<Item = SocketAddr>) -> Option<SocketAddr> {
    let answers = |address: &SocketAddr| TcpStream::connect_timeout(address, ANSWER).is_ok();
    addresses.into_iter().find(answers)
}

/// The time zone of this machine; UTC where it has none.
pub(crate) fn system_zone() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

impl Migration<'_> {
    /// Takes the messages over that lie where ours would, if any do. Says what was done, or
    /// nothing where there was nothing to do.
    ///
    /// # Errors
    /// [`MigrateError`]; the original is as it was.
    pub fn take_over(
        &mut self,
        lock: &DaemonLock,
        _inside: &Inside,
    ) -> Result<Option<Report>, MigrateError> {
        let database = self.data_dir.database();
        if !is_due(self.data_dir)? {
            return Ok(None);
        }
        self.outside.refuse_while_served()?;
        let owe = |report: &Path| self.owe_taken_over(&Report::read(report)?);
        if let Some(report) = place::finish(self.data_dir, owe)? {
            let report = Report::read(&report)?;
            self.note_done(lock)?;
            return Ok(Some(report));
        }
        if !original::may_be_predecessors(&database)? {
            return Ok(None);
        }
        if self.data_dir.daemon_key().exists() {
            return Err(MigrateError::InPlaceOfOurs(database));
        }
        let original = Original::open(&database)?;
        let copied = Copy::make(&original, self.data_dir, self.now).and_then(|copy| {
            let source = copy.keep_if_good(Source::open(&copy, &database))?;
            Ok((copy, source))
        });
        let (copy, source) = match copied {
            // Whose it is instead is for whoever opens the store to say.
            Err(MigrateError::NotPredecessors { .. }) => return Ok(None),
            copied => copied?,
        };
        let mut report = Report::new(&database, copy.kept(), &self.outside.zone);
        report.large_directory_closed = large::close_directory(self.data_dir)?;
        let built = self.build(&source, &original, &mut report);
        let built = built.and_then(|()| {
            copy.keep()?;
            report.keep()?;
            let note = Note {
                original: copy.facts().clone(),
                report: report.path(),
            };
            place::complete(self.data_dir, &note)
        });
        copy.keep_if_good(built)
            .inspect_err(|_| place::clear(self.data_dir))?;
        // Nobody has written to the original since it was copied: it is locked.
        self.owe_taken_over(&report)?;
        place::swap(self.data_dir)?;
        self.note_done(lock)?;
        Ok(Some(report))
    }

    /// Imports `original`, which the Python server wrote elsewhere, into the store.
    ///
    /// # Errors
    /// [`MigrateError`]; the file and the store are as they were.
    pub fn import(
        &mut self,
        original: &Original,
        lock: &DaemonLock,
        _inside: &Inside,
    ) -> Result<Report, MigrateError> {
        self.outside.refuse_while_served()?;
        let copy = Copy::make(original, self.data_dir, self.now)?;
        let imported = self.import_copy(&copy, original);
        let report = copy.keep_if_good(imported)?;
        self.note_done(lock)?;
        Ok(report)
    }

    fn import_copy(&mut self, copy: &Copy, original: &Original) -> Result<Report, MigrateError> {
        let source = Source::open(copy, original.path())?;
        let mut report = Report::new(original.path(), copy.kept(), &self.outside.zone);
        let used_before = self.data_dir.daemon_key().exists();
        let mut db = open::open_writer(self.data_dir, used_before, self.now)?;
        if used_before {
            let made = backup::make(self.data_dir, self.now)?;
            report.store_backup = Some(made.path);
        }
        let before = past::holds(&db).map_err(|error| MigrateError::store(self.data_dir, error))?;
        let (data_dir, now) = (self.data_dir, self.now);
        self.write(&mut db, &source, original, &mut report, |report| {
            let imported = report.migrated(Way::Imported);
            let evidence = Evidence::StoreNoLongerHolds(before);
            Ok(PendingChange::migrated(imported, now, evidence).write(data_dir)?)
        })?;
        db.close()
            .map_err(|(_, error)| MigrateError::store(self.data_dir, error))?;
        copy.keep()?;
        report.keep()?;
        Ok(report)
    }

    /// Writes down, for the audit log, that the store that is whole takes its place: how much came over,
    /// and nothing of where it lay or what it says.
    fn owe_taken_over(&self, report: &Report) -> Result<(), MigrateError> {
        let whole = place::whole(self.data_dir);
        let evidence = Evidence::store_is_file(&whole).map_err(MigrateError::io(&whole))?;
        let migrated = report.migrated(Way::TakenOver);
        Ok(PendingChange::migrated(migrated, self.now, evidence).write(self.data_dir)?)
    }

    /// Has it in the audit log.
    fn note_done(&mut self, lock: &DaemonLock) -> Result<(), MigrateError> {
        let noted = audit::note_done(self.data_dir, self.now, self.rng, lock);
        noted.map_err(MigrateError::NotAudited)
    }

    /// Builds the new store beside the old one, whole.
    fn build(
        &mut self,
        source: &Source,
        original: &Original,
        report: &mut Report,
    ) -> Result<(), MigrateError> {
        place::clear(self.data_dir);
        let path = place::unfinished(self.data_dir);
        let mut db = open::create(&path)?;
        self.write(&mut db, source, original, report, |_| Ok(()))?;
        db.close()
            .map_err(|(_, error)| MigrateError::sqlite(&path, error))?;
        Ok(backup::verify(&path)?)
    }

    fn write(
        &mut self,
        db: &mut rusqlite::Connection,
        source: &Source,
        original: &Original,
        report: &mut Report,
        before_commit: impl FnOnce(&Report) -> Result<(), MigrateError>,
    ) -> Result<(), MigrateError> {
        let store = |error| MigrateError::store(self.data_dir, error);
        let transaction = db
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(store)?;
        let mut writing = Writing {
            db: &transaction,
            now: self.now,
            zone: &self.outside.zone,
            rng: self.rng,
            large: original.directory(),
            body_bytes: usize::try_from(Limits::default().body_bytes).unwrap_or(usize::MAX),
            report,
        };
        writing.run(source, self.progress)?;
        before_commit(report)?;
        transaction.commit().map_err(store)
    }
}

/// Removes what a migration that was cut off left and nobody goes on with: a full copy of the original,
/// and half a store. Only the daemon does this, under its lock and once it has its store: a command may
/// have been given such a file.
pub(crate) fn clear_leavings(data_dir: &DataDir, _lock: &DaemonLock) {
    original::clear_unfinished(data_dir);
    if !place::waits(data_dir) {
        place::clear(data_dir);
    }
}

/// Whether the file where our store would be is one that [`Migration::take_over`] would look at,
/// or a migration waits to be finished.
///
/// # Errors
/// [`MigrateError`] when the file cannot be read.
pub fn is_due(data_dir: &DataDir) -> Result<bool, MigrateError> {
    match private::open_directory(data_dir.root()) {
        Ok(_) => {}
        Err(error) if error.is_missing() => return Ok(false),
        Err(error) => return Err(error.into()),
    }
    Ok(place::waits(data_dir) || original::may_be_predecessors(&data_dir.database())?)
}
