//! The chain over several files.

use super::*;
/// Where files of these tests end, in bytes: as good as 8 MiB, and sooner made.
const FILE_BYTES: u64 = 20_000;

/// Entries that fill a good part of a file.
fn many() -> Vec<Entry> {
    (0..20).map(|_| restored(&"x".repeat(250))).collect()
}

/// A log of so many files.
pub(super) fn of_files(number: usize) -> Room {
    let mut room = Room::new();
    room.file_bytes = FILE_BYTES;
    let mut log = room.open();
    let (many, mut begun) = (many(), 0);
    while begun < number {
        log.append(&many).unwrap();
        begun = begun.max(files::list(&room.path()).unwrap().len());
        if files::list(&room.path()).unwrap().first() != Some(&1) {
            break;
        }
    }
    room
}

#[test]
fn the_chain_goes_on_from_file_to_file_and_old_files_go() {
    let room = of_files(AUDIT_FILES + 1);
    let all = files::list(&room.path()).unwrap();
    assert_eq!(all.len(), AUDIT_FILES);
    assert!(all[0] > 1);
    for first in &all[..AUDIT_FILES - 1] {
        let bytes = std::fs::metadata(files::path(&room.path(), *first))
            .unwrap()
            .len();
        assert!((FILE_BYTES..2 * FILE_BYTES).contains(&bytes));
    }
    let report = room.check();
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!(report.first, all[0]);
    drop(room.open());
    assert!(room.check().findings.is_empty());
    std::fs::remove_file(files::path(&room.path(), all[0])).unwrap();
    let findings = room.check().findings;
    let gone = Finding::Missing {
        from: all[0],
        to: all[1] - 1,
    };
    assert_eq!(findings, [gone], "it was not due to go");
}

#[test]
fn a_file_that_is_gone_from_the_middle_or_the_end_is_found() {
    let room = of_files(3);
    let all = files::list(&room.path()).unwrap();
    let other = room.copy();
    std::fs::remove_file(files::path(&room.path(), all[1])).unwrap();
    let findings = room.check().findings;
    let missing = Finding::Missing {
        from: all[1],
        to: all[2] - 1,
    };
    assert_eq!(findings, [missing]);
    std::fs::remove_file(files::path(&other.path(), all[2])).unwrap();
    let findings = other.check().findings;
    assert!(
        matches!(findings[..], [Finding::Truncated { last, .. }] if last == all[2] - 1),
        "{findings:?}"
    );
}

#[test]
fn a_daemon_that_is_killed_as_a_file_begins_goes_on_in_it() {
    let room = of_files(2);
    let all = files::list(&room.path()).unwrap();
    let last = files::path(&room.path(), all[1]);
    // As it stood before: the state covers the first file and nothing of the second.
    let covered = cover_first_file(&room, all[1]);
    let bytes = std::fs::read(&last).unwrap();
    let ends: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at] == b'\n')
        .take(3)
        .collect();
    for length in [0, 10, ends[0], ends[0] + 1, ends[1] + 5, bytes.len()] {
        std::fs::write(&last, &bytes[..length]).unwrap();
        std::fs::write(files::state(&room.path()), &covered).unwrap();
        assert!(room.check().findings.is_empty(), "{length}");
        room.open().append(&[restored("on")]).unwrap();
        let report = room.check();
        assert!(report.findings.is_empty(), "{length}: {report:?}");
        assert_eq!(report.unsealed, 0);
    }
}

/// The state as it was when `next` was the next line.
fn cover_first_file(room: &Room, next: u64) -> Vec<u8> {
    let key = AuditKey::of_start(&room.path()).unwrap().unwrap();
    let lines = room.lines();
    let (_, previous) = super::super::chain::split(lines.last().unwrap()).unwrap();
    let state = state::State {
        chain: super::super::chain::Chain {
            next,
            previous,
            key: key.chain().key_at(next).unwrap(),
        },
        file: 1,
        length: std::fs::metadata(room.first()).unwrap().len(),
    };
    let path = room.room.path().join("other-state");
    drop(state::StateFile::create(&path, &state).unwrap());
    std::fs::read(path).unwrap()
}
