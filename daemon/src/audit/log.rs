//! The log on disk: lines first, then the state that covers them, and what a crash leaves of the two.
//!
//! The lines of a group are flushed before the state is. After a crash in between, the state still has
//! the key of the first of them: they are checked with it and taken over, and a last write that was cut
//! off is cut away and told. So no crash looks like a change, and no line before the state can be
//! written again. Contents that do not fit otherwise are moved aside and a new chain begins, which says
//! so: an agent that spoils them must not keep the daemon from starting. The directory, the state or the
//! last file keeps it from starting when others can reach it, when it is a link or when it cannot be
//! read, as the secret's file would.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use rand::rngs::StdRng;

use super::Entry;
use super::anchor::AuditKey;
use super::chain::{Chain, LineKey, Sequence, random_key, sequence, split};
use super::event::{Event, Plain, record};
pub use super::files::LogError;
use super::files::{self, LINE_BYTES};
use super::state::{self, Found, State, StateFile};
use crate::limits::{AUDIT_FILE_BYTES, AUDIT_FILES, AUDIT_GROUP};
use crate::locked::Locked;
use crate::store::past::Past;

/// The log, open to be appended to. Its holder holds the daemon's lock.
#[derive(Debug)]
pub(crate) struct Log {
    directory: PathBuf,
    /// On a locked page; copies are made for the time of a write.
    chain: Locked<Chain>,
    file: File,
    /// The first line of the file.
    first: Sequence,
    /// Bytes of it that are lines of the chain.
    length: u64,
    state: StateFile,
    /// A file ends above this, in bytes.
    pub(crate) file_bytes: u64,
}

/// The log does not fit its state.
struct Unfit(&'static str);

/// What a start found.
enum Opened {
    Nothing,
    Unfit(Unfit),
    Log(Log, u64),
}

impl Log {
    /// Opens the log in `directory`, or begins it, and says so where there should be one.
    pub(crate) fn open(
        directory: &Path,
        past: Past,
        now: Timestamp,
        rng: &mut StdRng,
    ) -> Result<Self, LogError> {
        drop(private::ensure_directory(directory)?);
        match resume(directory)? {
            Opened::Log(mut log, torn) => {
                if torn > 0 {
                    log.append(&[entry(now, Event::Torn { bytes: torn })])?;
                }
                Ok(log)
            }
            Opened::Nothing => {
                let mut log = Self::begin(directory, rng)?;
                let told = match past {
                    Past::Unused => return Ok(log),
                    Past::WithoutLog => Event::Begun {},
                    Past::WithLog => {
                        tracing::error!("the audit log is gone");
                        let why = Plain::new("it is gone");
                        let moved_to = None;
                        Event::Broken { why, moved_to }
                    }
                };
                log.append(&[entry(now, told)])?;
                Ok(log)
            }
            Opened::Unfit(Unfit(why)) => {
                let aside = format!("audit.broken-{}", now.as_millis());
                tracing::error!(
                    why,
                    moved_to = aside,
                    "the audit log does not fit its state"
                );
                let moved = std::fs::rename(directory, directory.with_file_name(&aside));
                moved.map_err(|source| LogError::io(directory, source))?;
                drop(private::ensure_directory(directory)?);
                let mut log = Self::begin(directory, rng)?;
                let (why, moved_to) = (Plain::new(why), Some(Plain::new(&aside)));
                log.append(&[entry(now, Event::Broken { why, moved_to })])?;
                Ok(log)
            }
        }
    }

    /// The state comes last: what is there without one has not begun.
    fn begin(directory: &Path, rng: &mut StdRng) -> Result<Self, LogError> {
        let chain = Chain::begin(random_key(rng));
        let start = AuditKey::of(&chain);
        private::write_file(&files::start(directory), start.text().as_bytes())?;
        let path = files::path(directory, chain.next);
        let file = files::begin(&path)?;
        files::sync(directory)?;
        let first = chain.next;
        let begun = State {
            chain: chain.again(),
            file: first,
            length: 0,
        };
        let state = StateFile::create(&files::state(directory), &begun)?;
        Ok(Self {
            directory: directory.to_owned(),
            chain: locked(chain),
            file,
            first,
            length: 0,
            state,
            file_bytes: AUDIT_FILE_BYTES,
        })
    }

    /// Appends `entries`, all or none; they are on disk when this returns.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> Result<(), LogError> {
        let Some(first) = entries.first() else {
            return Ok(());
        };
        if self.length >= self.file_bytes {
            self.rotate()?;
        }
        let mut chain = self.chain.expose().again();
        let mut text = String::new();
        let mut add = |at, event: &Event| {
            let (line, after) = chain.seal(&record(chain.next, at, event));
            text.push_str(&line);
            chain = after;
        };
        let mut kept = None;
        if self.length == 0 {
            let oldest = self.oldest_kept()?;
            let after = self.chain.expose().previous.text();
            add(
                first.at,
                &Event::File {
                    after,
                    kept: oldest,
                },
            );
            kept = Some(oldest);
        }
        for entry in entries {
            add(entry.at, &entry.event);
        }
        self.write(&text)?;
        self.chain.replace(chain);
        self.length = self.length.saturating_add(bytes(&text));
        self.seal()?;
        kept.map_or(Ok(()), |kept| self.forget_before(kept))
    }

    /// The number of the next line.
    pub(crate) const fn next(&self) -> Sequence {
        self.chain.expose().next
    }

    fn write(&mut self, text: &str) -> Result<(), LogError> {
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data());
        written.map_err(|error| {
            // What there is of it is no line of the chain: the next attempt writes all of it again.
            drop(self.file.set_len(self.length));
            LogError::io(&files::path(&self.directory, self.first), error)
        })
    }

    /// Has the state cover what is written. Until it does, the key of the first line that it does not
    /// cover stays on disk, and the lines are taken over by the next start.
    fn seal(&mut self) -> Result<(), LogError> {
        let now = State {
            chain: self.chain.expose().again(),
            file: self.first,
            length: self.length,
        };
        let path = files::state(&self.directory);
        self.state.replace(&now).map_err(|e| LogError::io(&path, e))
    }

    fn rotate(&mut self) -> Result<(), LogError> {
        let next = self.chain.expose().next;
        let file = files::begin(&files::path(&self.directory, next))?;
        files::sync(&self.directory)?;
        self.file = file;
        (self.first, self.length) = (next, 0);
        Ok(())
    }

    /// The first line that is kept once the present file has begun.
    fn oldest_kept(&self) -> Result<Sequence, LogError> {
        let all = files::list(&self.directory)?;
        let surplus = all.len().saturating_sub(AUDIT_FILES);
        Ok(all.get(surplus).copied().unwrap_or(self.first))
    }

    fn forget_before(&self, kept: Sequence) -> Result<(), LogError> {
        for first in files::list(&self.directory)? {
            if first < kept {
                let path = files::path(&self.directory, first);
                std::fs::remove_file(&path).map_err(|e| LogError::io(&path, e))?;
            }
        }
        Ok(())
    }
}

/// Puts `chain` on a locked page.
fn locked(chain: Chain) -> Locked<Chain> {
    let empty = Chain::begin(LineKey::new([0; 32]));
    Locked::or_unlocked(empty, |page| *page = chain)
}

const fn entry(at: Timestamp, event: Event) -> Entry {
    Entry { at, event }
}

fn bytes(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// Finds the end of the chain in `directory`.
fn resume(directory: &Path) -> Result<Opened, LogError> {
    let all = files::list(directory)?;
    let (state, place) = match state::read(&files::state(directory))? {
        Found::State(state, place) => (state, place),
        Found::Damaged => return Ok(unfit("its state is damaged")),
        Found::Nothing if is_unbegun(directory, &all)? => return Ok(Opened::Nothing),
        Found::Nothing => return Ok(unfit("its state is gone")),
    };
    if !all.contains(&state.file) {
        return Ok(unfit("its last file is gone"));
    }
    let mut log = Log {
        file: open(directory, state.file)?,
        first: state.file,
        length: state.length,
        chain: locked(state.chain),
        directory: directory.to_owned(),
        state: StateFile::open(&files::state(directory), place)?,
        file_bytes: AUDIT_FILE_BYTES,
    };
    if !log.ends_at_its_state()? {
        return Ok(unfit("it does not end as its state says"));
    }
    let mut torn = log.take_over()?;
    let later = || all.iter().copied().filter(|first| *first > state.file);
    if torn == 0 && later().eq([log.chain.expose().next]) {
        // A crash between the first lines of a file and the state that covers them.
        log.first = log.chain.expose().next;
        log.file = open(directory, log.first)?;
        log.length = 0;
        torn = log.take_over()?;
    } else if later().next().is_some() {
        return Ok(unfit("there is a file that it has not begun"));
    }
    log.seal()?;
    Ok(Opened::Log(log, torn))
}

const fn unfit(why: &'static str) -> Opened {
    Opened::Unfit(Unfit(why))
}

/// Whether nothing has been written: a first start may have ended before there was a state.
fn is_unbegun(directory: &Path, all: &[Sequence]) -> Result<bool, LogError> {
    match all {
        [] => Ok(true),
        [first] => {
            let path = files::path(directory, *first);
            let facts = std::fs::metadata(&path).map_err(|e| LogError::io(&path, e))?;
            Ok(facts.len() == 0)
        }
        [_, ..] => Ok(false),
    }
}

fn open(directory: &Path, first: Sequence) -> Result<File, LogError> {
    let path = files::path(directory, first);
    // Looked at first: nobody else's, and no link.
    drop(private::open_append(&path)?);
    files::append(&path)
}

impl Log {
    fn part(&mut self, from: u64, most: u64) -> Result<Vec<u8>, LogError> {
        let mut part = Vec::new();
        let read = self.file.seek(SeekFrom::Start(from)).and_then(|_| {
            let mut file = Read::by_ref(&mut self.file).take(most);
            file.read_to_end(&mut part)
        });
        read.map_err(|e| LogError::io(&files::path(&self.directory, self.first), e))?;
        Ok(part)
    }

    /// Whether the last line that the state covers is the one that it was made after.
    fn ends_at_its_state(&mut self) -> Result<bool, LogError> {
        if self.length == 0 {
            return Ok(self.chain.expose().next == self.first);
        }
        // The state may be anybody's: no file need be as long as it says.
        let path = files::path(&self.directory, self.first);
        let facts = self.file.metadata().map_err(|e| LogError::io(&path, e))?;
        if facts.len() < self.length || self.chain.expose().next <= self.first {
            return Ok(false);
        }
        let most = LINE_BYTES.min(self.length);
        let part = self.part(self.length.saturating_sub(most), most)?;
        let text = String::from_utf8_lossy(&part);
        let Some(rest) = text.strip_suffix('\n') else {
            return Ok(false);
        };
        let line = rest.rsplit('\n').next().unwrap_or(rest);
        let seal = split(line).map(|(_, seal)| seal);
        Ok(seal == Some(self.chain.expose().previous)
            && sequence(line).and_then(|n| n.checked_add(1)) == Some(self.chain.expose().next))
    }

    /// Takes over the lines that the state does not cover and cuts off what is none; says how many
    /// bytes that were.
    fn take_over(&mut self) -> Result<u64, LogError> {
        let group = u64::try_from(AUDIT_GROUP).unwrap_or(u64::MAX);
        let most = group.saturating_add(2).saturating_mul(LINE_BYTES);
        let part = self.part(self.length, most)?;
        for line in part.split_inclusive(|byte| *byte == b'\n') {
            let text = std::str::from_utf8(line).ok();
            let text = text.and_then(|text| text.strip_suffix('\n'));
            let Some(after) = text.and_then(|text| self.chain.expose().check(text)) else {
                break;
            };
            self.chain.replace(after);
            let taken = u64::try_from(line.len()).unwrap_or(u64::MAX);
            self.length = self.length.saturating_add(taken);
        }
        let failed = |e| LogError::io(&files::path(&self.directory, self.first), e);
        let all = self.file.metadata().map_err(failed)?.len();
        let torn = all.saturating_sub(self.length);
        if torn > 0 {
            let cut = self.file.set_len(self.length);
            cut.and_then(|()| self.file.sync_all()).map_err(failed)?;
        }
        Ok(torn)
    }
}
