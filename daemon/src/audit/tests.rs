//! The log on disk, and what is done to it: every attack that leaves a file behind.

use std::path::{Path, PathBuf};

use ipc_protocol::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::Entry;
use super::anchor::{Anchor, Anchors, AuditKey};
use super::event::{Event, Holds, Plain, RestoreCause};
use super::files;
use super::log::Log;
use super::state::{self, Found, Place};
use super::verify::{Bounds, Finding, Report, verify_within};
use crate::limits::{AUDIT_FILE_BYTES, AUDIT_FILES};
use crate::store::past::Past;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A log in a room of its own.
struct Room {
    room: tempfile::TempDir,
    /// Where its files end.
    file_bytes: u64,
}

impl Room {
    fn new() -> Self {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir();
        Self {
            room: room.unwrap(),
            file_bytes: AUDIT_FILE_BYTES,
        }
    }

    fn path(&self) -> PathBuf {
        self.room.path().join("audit")
    }

    fn open(&self) -> Log {
        self.open_after(Past::Unused)
    }

    fn open_after(&self, past: Past) -> Log {
        let mut rng = StdRng::seed_from_u64(1);
        let mut log = Log::open(&self.path(), past, NOW, &mut rng).unwrap();
        log.file_bytes = self.file_bytes;
        log
    }

    /// The same with so many records in it.
    fn filled(records: u64) -> Self {
        let room = Self::new();
        let mut log = room.open();
        for at in 0..records {
            log.append(&[restored(&format!("backup {at}"))]).unwrap();
        }
        room
    }

    fn check(&self) -> Report {
        self.check_with(&Anchors::default())
    }

    fn check_with(&self, anchors: &Anchors) -> Report {
        {
            let bounds = Bounds {
                file_bytes: self.file_bytes,
                ..Bounds::STANDARD
            };
            verify_within(&bounds, &self.path(), anchors).unwrap()
        }
    }

    fn anchors(&self) -> Anchors {
        let anchor = Anchor::of(&self.path(), NOW).unwrap().unwrap();
        anchor.to_string().parse().unwrap()
    }

    fn first(&self) -> PathBuf {
        files::path(&self.path(), 1)
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.first()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    fn write(&self, lines: &[String]) {
        let text = lines.join("\n") + "\n";
        std::fs::write(self.first(), text).unwrap();
    }

    fn state(&self) -> (state::State, Place) {
        match state::read(&files::state(&self.path())).unwrap() {
            Found::State(state, place) => (state, place),
            other => panic!("{other:?}"),
        }
    }

    /// Takes the directory back to how it was, to try something else.
    fn copy(&self) -> Self {
        let mut other = Self::new();
        other.file_bytes = self.file_bytes;
        copy(&self.path(), &other.path());
        other
    }
}

fn copy(from: &Path, to: &Path) {
    drop(ipc_protocol::private::ensure_directory(to).unwrap());
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

fn restored(from: &str) -> Entry {
    let event = Event::Restored {
        from: Plain::new(from),
        why: RestoreCause::Asked,
        holds: Holds::default(),
    };
    Entry { at: NOW, event }
}

#[test]
fn a_log_that_nobody_touched_is_verified_to_its_end() {
    let room = Room::filled(20);
    let report = room.check_with(&room.anchors());
    assert_eq!((report.first, report.last, report.anchors), (1, 21, 1));
    assert!(report.findings.is_empty(), "{report:?}");
    room.open();
    assert_eq!(room.lines().len(), 21, "opening it writes nothing");
}

#[test]
fn an_edited_line_is_found() {
    let whole = Room::filled(10);
    for at in 0..11 {
        for edit in ["backup 0", "\"t\":\"2027", "restored", "\"n\":"] {
            let room = whole.copy();
            let mut lines = room.lines();
            let changed = lines[at].replacen(edit, &edit.to_uppercase().replace('7', "6"), 1);
            if changed == lines[at] {
                continue;
            }
            lines[at] = changed;
            room.write(&lines);
            let report = room.check();
            let line = u64::try_from(at).unwrap() + 1;
            match &report.findings[..] {
                [
                    Finding::Changed {
                        sequence,
                        line: found,
                        ..
                    },
                ] => {
                    assert_eq!((*sequence, *found), (line, line));
                }
                [Finding::Unreadable { sequence, .. }] => assert_eq!(*sequence, line),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn one_flipped_bit_anywhere_in_a_line_is_found() {
    let whole = Room::filled(3);
    let bytes = std::fs::read(whole.first()).unwrap();
    let room = whole.copy();
    // But the last newline, after which the daemon would go on.
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(room.first(), &changed).unwrap();
        assert!(!room.check().findings.is_empty(), "bit in byte {at}");
    }
}

#[test]
fn swapped_repeated_and_removed_lines_are_found() {
    let whole = Room::filled(10);
    let lines = whole.lines();
    let swapped = [
        &lines[..4],
        &[lines[5].clone(), lines[4].clone()],
        &lines[6..],
    ]
    .concat();
    let repeated = [&lines[..5], &lines[4..]].concat();
    let removed = [&lines[..4], &lines[5..]].concat();
    for (lines, found) in [(swapped, 6), (repeated, 5), (removed, 6)] {
        whole.write(&lines);
        let findings = whole.check().findings;
        assert!(
            matches!(findings[..], [Finding::OutOfOrder { found: n, .. }] if n == found),
            "{findings:?}"
        );
    }
    let mut renumbered = [&lines[..4], &lines[5..]].concat();
    for (line, n) in renumbered.iter_mut().skip(4).zip(5..) {
        let (_, rest) = line.split_once(',').unwrap();
        *line = format!("{{\"n\":{n},{rest}");
    }
    whole.write(&renumbered);
    let findings = whole.check().findings;
    assert!(
        matches!(findings[..], [Finding::Changed { sequence: 5, .. }]),
        "{findings:?}"
    );
}

#[test]
fn a_log_that_is_cut_short_is_found_by_its_state_and_by_an_anchor() {
    let room = Room::filled(10);
    let anchors = room.anchors();
    room.write(&room.lines()[..6]);
    let findings = room.check().findings;
    assert_eq!(
        findings,
        [Finding::Truncated {
            last: 6,
            sealed: 11
        }]
    );
    let findings = room.check_with(&anchors).findings;
    let before = Finding::BeforeAnchor {
        anchor: 11,
        last: 6,
    };
    assert!(findings.contains(&before), "{findings:?}");
}

#[test]
fn a_state_that_is_made_to_fit_a_shorter_log_is_found_without_an_anchor() {
    let room = Room::filled(10);
    let (present, _) = room.state();
    room.write(&room.lines()[..6]);
    // All that somebody has who comes later: the present key. It is the one of line 12.
    let (_, seal) = super::chain::split(&room.lines()[5]).unwrap();
    let forged = state::State {
        chain: super::chain::Chain {
            next: 7,
            previous: seal,
            key: present.chain.key.again(),
        },
        file: 1,
        length: std::fs::metadata(room.first()).unwrap().len(),
    };
    drop(state::StateFile::create(&files::state(&room.path()), &forged).unwrap());
    assert_eq!(
        room.check().findings,
        [Finding::ForeignState { sequence: 6 }]
    );
    // The daemon that starts cannot know it; whoever has the first key does.
    room.open().append(&[restored("after")]).unwrap();
    let findings = room.check().findings;
    assert!(
        matches!(findings[..], [Finding::Changed { sequence: 7, .. }]),
        "{findings:?}"
    );
}

#[test]
fn a_whole_log_that_is_put_back_to_an_earlier_day_is_found_by_an_anchor_alone() {
    let room = Room::filled(5);
    let earlier = room.copy();
    room.open()
        .append(&[restored("what is to be hidden")])
        .unwrap();
    let anchors = room.anchors();
    assert!(earlier.check().findings.is_empty(), "it was so");
    earlier
        .open()
        .append(&[restored("something else")])
        .unwrap();
    let findings = earlier.check_with(&anchors).findings;
    assert_eq!(findings, [Finding::OtherThanAnchor { sequence: 7 }]);
}

#[test]
fn whoever_has_the_first_key_cannot_write_what_an_anchor_fixes() {
    let room = Room::filled(5);
    let anchors = room.anchors();
    let key = AuditKey::of_start(&room.path()).unwrap().unwrap();
    let mut chain = key.chain().again();
    let mut forged = Vec::new();
    for line in room.lines() {
        let (record, _) = super::chain::split(&line).unwrap();
        let (line, after) = chain.seal(&record.replace("backup 2", "backup 9"));
        forged.push(line.trim_end().to_owned());
        chain = after;
    }
    room.write(&forged);
    let length = std::fs::metadata(room.first()).unwrap().len();
    let state = state::State {
        chain,
        file: 1,
        length,
    };
    drop(state::StateFile::create(&files::state(&room.path()), &state).unwrap());
    assert!(
        room.check().findings.is_empty(),
        "as said: with the key, yes"
    );
    let findings = room.check_with(&anchors).findings;
    assert_eq!(findings, [Finding::OtherThanAnchor { sequence: 6 }]);
}

#[test]
fn no_key_of_an_earlier_line_is_left_in_the_state() {
    let room = Room::new();
    let mut log = room.open();
    let key = AuditKey::of_start(&room.path()).unwrap().unwrap();
    let mut keys = vec![*key.chain().key.expose()];
    for at in 0..20_u64 {
        log.append(&[restored("x")]).unwrap();
        let next = key.chain().key_at(at + 3).unwrap();
        let bytes = std::fs::read(files::state(&room.path())).unwrap();
        let holds = |key: &[u8; 32]| bytes.windows(32).any(|window| window == key);
        assert!(holds(next.expose()), "line {at}");
        assert!(!keys.iter().any(holds), "line {at}: an earlier key is left");
        keys.extend((keys.len()..usize::try_from(at + 2).unwrap()).map(|n| {
            let n = u64::try_from(n).unwrap() + 1;
            *key.chain().key_at(n).unwrap().expose()
        }));
        keys.push(*next.expose());
        assert_eq!(keys.len(), usize::try_from(at + 3).unwrap());
    }
}

#[test]
fn the_key_can_be_taken_away_and_checks_the_log_from_elsewhere() {
    let room = Room::filled(5);
    let key = AuditKey::of_start(&room.path()).unwrap().unwrap();
    AuditKey::forget(&room.path()).unwrap();
    assert!(verify_within(&Bounds::STANDARD, &room.path(), &Anchors::default()).is_err());
    room.open().append(&[restored("later")]).unwrap();
    let text = format!(
        "# kept elsewhere\n\n{}{}\n",
        *key.text(),
        Anchor::of(&room.path(), NOW).unwrap().unwrap()
    );
    let report = room.check_with(&text.parse().unwrap());
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.last, report.anchors), (7, 1));
    let mut lines = room.lines();
    lines[3] = lines[3].replace("backup", "BACKUP");
    room.write(&lines);
    assert!(!room.check_with(&text.parse().unwrap()).findings.is_empty());
    assert!("ipc-audit-anchor:1:2".parse::<Anchors>().is_err());
    assert_eq!(format!("{key:?}"), "AuditKey(…)");
}

mod crash;
mod hostile;
mod removal;
mod rotation;
