//! Checking the log: every line against the key of the first, and what was kept elsewhere.
//!
//! The state is read before the lines, so that a daemon may write meanwhile: what it has sealed by
//! then must be there, and what comes after must be its continuation.

use std::collections::VecDeque;
use std::path::Path;

use ipc_protocol::private;

use super::anchor::{Anchor, Anchors, AuditKey};
use super::chain::{Chain, Seal, Sequence, sequence, split};
use super::files::{self, LogError};
pub use super::finding::{Finding, Report, VerifyError};
use super::state::{self, Found, State};
use crate::limits::{AUDIT_FILE_BYTES, AUDIT_FILES, AUDIT_STEPS};
use crate::sandbox::Inside;

/// How often reading is begun anew when a file was removed, or the state replaced, meanwhile.
const ATTEMPTS: u32 = 5;

/// Checks the log in `directory`.
///
/// # Errors
/// [`VerifyError`] when it cannot be checked; what is wrong with it is in the [`Report`].
pub fn verify(
    directory: &Path,
    anchors: &Anchors,
    _inside: &Inside,
) -> Result<Report, VerifyError> {
    verify_within(&Bounds::STANDARD, directory, anchors)
}

/// What a check goes by: smaller ones are for tests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Above this a file of the log ends, in bytes.
    pub(crate) file_bytes: u64,
    /// Keys that are stepped over to reach the first line that is kept.
    pub(crate) steps: u64,
}

impl Bounds {
    /// Those of the log that a daemon writes.
    pub(crate) const STANDARD: Self = Self {
        file_bytes: AUDIT_FILE_BYTES,
        steps: AUDIT_STEPS,
    };
}

/// The same within other bounds.
pub(crate) fn verify_within(
    bounds: &Bounds,
    directory: &Path,
    anchors: &Anchors,
) -> Result<Report, VerifyError> {
    let mut attempt = 1;
    loop {
        match check(bounds, directory, anchors) {
            Err(VerifyError::Log(error)) if error.is_missing() && attempt < ATTEMPTS => {
                attempt = attempt.saturating_add(1);
            }
            other => return other,
        }
    }
}

fn check(bounds: &Bounds, directory: &Path, anchors: &Anchors) -> Result<Report, VerifyError> {
    drop(private::open_directory(directory).map_err(LogError::from)?);
    let state = read_state(directory)?;
    let all = files::list(directory)?;
    let Some(first) = all.first().copied() else {
        return Err(VerifyError::NoLog(directory.to_owned()));
    };
    let own = AuditKey::of_start(directory)?;
    let key = anchors.key.as_ref().or(own.as_ref());
    let key = key.ok_or_else(|| VerifyError::NoKey(directory.to_owned()))?;
    let mut walk = Walk::new(key, first, state, &anchors.anchors);
    if let Some(finding) = walk.out_of_reach(bounds.steps) {
        walk.stop(finding);
        return walk.finish();
    }
    let mut sizes = Vec::new();
    for file in all {
        let path = files::path(directory, file);
        let most = AUDIT_FILE_BYTES.saturating_mul(2);
        let bytes = private::read_file(&path, most).map_err(LogError::from)?;
        if !walk.file(file, &path, &String::from_utf8_lossy(&bytes)) {
            break;
        }
        sizes.push(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    walk.is_rotated = looks_rotated(&sizes, bounds.file_bytes);
    walk.finish()
}

fn read_state(directory: &Path) -> Result<Option<State>, LogError> {
    for _ in 0..ATTEMPTS {
        // Damaged may mean: just being replaced.
        match state::read(&files::state(directory))? {
            Found::State(state, _) => return Ok(Some(state)),
            Found::Nothing => return Ok(None),
            Found::Damaged => {}
        }
    }
    Ok(None)
}

/// Whether files of these sizes are what is left when the time of earlier ones had come. More than
/// the usual number are left by a crash. Whoever holds the present key can say of any record that it is
/// the first that is kept, and has to write as much as a flood would.
fn looks_rotated(sizes: &[u64], file_bytes: u64) -> bool {
    let full = sizes.iter().take_while(|bytes| **bytes >= file_bytes);
    sizes.len() >= AUDIT_FILES && full.count() >= sizes.len().saturating_sub(1)
}

/// On the way through the lines.
struct Walk<'a> {
    key: &'a AuditKey,
    first: Sequence,
    /// The number of the next line.
    next: Sequence,
    /// The chain, from the first line that the key reaches.
    chain: Option<Chain>,
    /// The seal of the line before.
    previous: Option<Seal>,
    /// The first line that files say is kept.
    kept: Sequence,
    /// Whether the files are as they are when earlier ones had to go.
    is_rotated: bool,
    state: Option<State>,
    anchors: VecDeque<Anchor>,
    broken: Option<Sequence>,
    report: Report,
}

impl<'a> Walk<'a> {
    fn new(key: &'a AuditKey, first: Sequence, state: Option<State>, anchors: &[Anchor]) -> Self {
        let mut anchors: Vec<_> = anchors.to_vec();
        anchors.sort_by_key(|anchor| anchor.sequence);
        Self {
            key,
            first,
            next: first,
            chain: None,
            previous: None,
            kept: 1,
            is_rotated: false,
            state,
            anchors: anchors.into(),
            broken: None,
            report: Report {
                first,
                last: 0,
                checked_from: key.chain().next.max(first),
                unsealed: 0,
                torn_bytes: 0,
                anchors: 0,
                anchors_passed: 0,
                findings: Vec::new(),
            },
        }
    }

    /// What is missing, when the first line is one that nothing was sealed for yet, or none that a key
    /// could be found for in a reasonable time.
    fn out_of_reach(&self, steps: u64) -> Option<Finding> {
        let sealed = self.state.as_ref().map_or(Sequence::MAX, |s| s.chain.next);
        let reached = self.key.chain().next.saturating_add(steps);
        let to = self.first.saturating_sub(1);
        (self.first > sealed.min(reached)).then_some(Finding::Missing { from: 1, to })
    }

    /// Walks through one file; says whether to go on.
    fn file(&mut self, first: Sequence, path: &Path, text: &str) -> bool {
        if first > self.next {
            let (from, to) = (self.next, first.saturating_sub(1));
            return self.stop(Finding::Missing { from, to });
        }
        if self.report.torn_bytes > 0 {
            // Only the last file can end in the middle of a line.
            return self.stop(Finding::Unreadable {
                sequence: self.next,
                file: path.to_owned(),
                line: 0,
            });
        }
        for (at, line) in (1_u64..).zip(text.split_inclusive('\n')) {
            let Some(line) = line.strip_suffix('\n') else {
                let torn = u64::try_from(line.len()).unwrap_or(u64::MAX);
                self.report.torn_bytes = torn;
                return true;
            };
            if let Err(finding) = self.line(line, path, at) {
                return self.stop(finding);
            }
        }
        true
    }

    fn stop(&mut self, finding: Finding) -> bool {
        self.report.findings.push(finding);
        false
    }

    fn line(&mut self, line: &str, path: &Path, at: u64) -> Result<(), Finding> {
        let file = || path.to_owned();
        let expected = self.next;
        let (Some(found), Some((_, seal))) = (sequence(line), split(line)) else {
            let (sequence, file) = (expected, file());
            return Err(Finding::Unreadable {
                sequence,
                file,
                line: at,
            });
        };
        if found != expected {
            return Err(Finding::OutOfOrder {
                expected,
                found,
                file: file(),
                line: at,
            });
        }
        if self.chain.is_none() {
            self.chain = self.begin(line);
        }
        if let Some(chain) = &self.chain {
            let after = chain.check(line).ok_or_else(|| Finding::Changed {
                sequence: expected,
                file: file(),
                line: at,
            })?;
            self.chain = Some(after);
        }
        self.note(line);
        self.previous = Some(seal);
        self.next = expected.saturating_add(1);
        self.compare_state()?;
        self.compare_anchors(seal)
    }

    /// The chain before `line`, if the key reaches that far back.
    fn begin(&self, line: &str) -> Option<Chain> {
        let key = self.key.chain().key_at(self.next)?;
        let is_own = self.key.chain().next == self.next;
        // A file's first line says what it is chained to, and is sealed with that.
        let told = text_of(line, "after").and_then(|text| Seal::parse(&text));
        let previous = if is_own {
            Some(self.key.chain().previous)
        } else {
            self.previous.or(told)
        };
        Some(Chain {
            next: self.next,
            previous: previous.unwrap_or(Seal::NONE),
            key,
        })
    }

    fn note(&mut self, line: &str) {
        if !line.contains("\"event\":\"file\"") && !line.contains("\"event\":\"broken\"") {
            return;
        }
        let Some(record) = record(line) else { return };
        match record.get("event").and_then(serde_json::Value::as_str) {
            Some("file") => {
                let kept = record.get("kept").and_then(serde_json::Value::as_u64);
                self.kept = kept.unwrap_or(self.kept);
            }
            Some("broken") => self.broken = Some(self.next),
            Some(_) | None => {}
        }
    }

    /// Where the state stands, its key must be the one that follows.
    fn compare_state(&self) -> Result<(), Finding> {
        let (Some(state), Some(chain)) = (&self.state, &self.chain) else {
            return Ok(());
        };
        let is_there = state.chain.next == self.next;
        if is_there && !(state.chain.key.is(&chain.key) && state.chain.previous == chain.previous) {
            let sequence = self.next.saturating_sub(1);
            return Err(Finding::ForeignState { sequence });
        }
        Ok(())
    }

    fn compare_anchors(&mut self, seal: Seal) -> Result<(), Finding> {
        let last = self.next.saturating_sub(1);
        while let Some(anchor) = self.anchors.front().filter(|a| a.sequence <= last) {
            let counted = if anchor.sequence < last {
                &mut self.report.anchors_passed
            } else if anchor.seal == seal {
                &mut self.report.anchors
            } else {
                return Err(Finding::OtherThanAnchor { sequence: last });
            };
            *counted = counted.saturating_add(1);
            let passed = self.anchors.pop_front();
            if self
                .broken
                .is_some_and(|broken| Some(broken) <= passed.map(|a| a.sequence))
            {
                // Whoever took this anchor could see it.
                self.broken = None;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Report, VerifyError> {
        let last = self.next.saturating_sub(1);
        self.report.last = last;
        if !self.report.findings.is_empty() {
            return Ok(self.report);
        }
        if self.chain.is_none() && last >= self.first {
            return Err(VerifyError::LaterKey(self.key.chain().next));
        }
        let mut findings = Vec::new();
        if self.first > self.kept {
            let (from, to) = (self.kept, self.first.saturating_sub(1));
            findings.push(Finding::Missing { from, to });
        } else if self.first > 1 && !self.is_rotated {
            let (from, to) = (1, self.first.saturating_sub(1));
            findings.push(Finding::Missing { from, to });
        }
        let (agree, passed) = (self.report.anchors, self.report.anchors_passed);
        if self.first > 1 && agree == 0 && passed > 0 {
            let first = self.first;
            findings.push(Finding::NoAnchorKept { first });
        }
        match &self.state {
            None => findings.push(Finding::NoState),
            Some(state) => {
                let sealed = state.chain.next.saturating_sub(1);
                self.report.unsealed = last.saturating_sub(sealed);
                if sealed > last {
                    findings.push(Finding::Truncated { last, sealed });
                }
            }
        }
        let beyond = self.anchors.iter().map(|anchor| anchor.sequence);
        findings.extend(beyond.map(|anchor| Finding::BeforeAnchor { anchor, last }));
        findings.extend(self.broken.map(|sequence| Finding::BegunAnew { sequence }));
        self.report.findings = findings;
        Ok(self.report)
    }
}

/// The fields of the record in `line`.
pub(crate) fn record(line: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(line).ok()
}

fn text_of(line: &str, field: &str) -> Option<String> {
    let record = record(line)?;
    record.get(field)?.as_str().map(str::to_owned)
}
