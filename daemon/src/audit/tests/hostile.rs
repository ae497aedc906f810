//! What somebody writes who knows how all of it is made, but not the keys.

use super::*;

#[test]
fn a_file_that_is_named_for_a_record_no_daemon_comes_to_is_found_at_once() {
    let room = Room::filled(3);
    for first in [crate::limits::AUDIT_STEPS + 2, u64::MAX] {
        let other = Room::new();
        drop(ipc_protocol::private::ensure_directory(&other.path()).unwrap());
        std::fs::copy(files::start(&room.path()), files::start(&other.path())).unwrap();
        let line = room.lines()[0].replace("\"n\":1,", &format!("\"n\":{first},"));
        let path = files::path(&other.path(), first);
        std::fs::copy(room.first(), &path).unwrap();
        std::fs::write(&path, line + "\n").unwrap();
        let report = verify_within(&Bounds::STANDARD, &other.path(), &Anchors::default()).unwrap();
        let missing = Finding::Missing {
            from: 1,
            to: first - 1,
        };
        assert!(report.findings.contains(&missing), "{report:?}");
    }
}

#[test]
fn a_state_that_speaks_of_more_than_there_is_keeps_no_daemon_from_starting() {
    for length in [u64::MAX, 1 << 63, 1 << 40] {
        let room = Room::filled(3);
        let (mut state, _) = room.state();
        state.length = length;
        drop(state::StateFile::create(&files::state(&room.path()), &state).unwrap());
        room.open().append(&[restored("on")]).unwrap();
        let findings = room.check().findings;
        assert_eq!(findings, [Finding::BegunAnew { sequence: 2 }], "{length}");
    }
}

#[test]
fn a_file_that_is_named_for_a_later_record_than_it_holds_is_not_gone_on_with() {
    let room = Room::filled(3);
    let (mut state, _) = room.state();
    // The next file would be named for a record before this one's.
    state.file = 9;
    std::fs::rename(room.first(), files::path(&room.path(), 9)).unwrap();
    drop(state::StateFile::create(&files::state(&room.path()), &state).unwrap());
    room.open().append(&[restored("on")]).unwrap();
    let findings = room.check().findings;
    assert_eq!(findings, [Finding::BegunAnew { sequence: 2 }]);
}
