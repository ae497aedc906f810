//! What a crash, or somebody between two runs of the daemon, leaves of the two files.

use super::*;

/// A log in which the lines after the fourth are not covered by the state: the daemon was killed
/// between the flush of the lines and that of the state.
fn killed() -> Room {
    let room = Room::filled(3);
    let before = std::fs::read(files::state(&room.path())).unwrap();
    let mut log = room.open();
    log.append(&[restored("one"), restored("two")]).unwrap();
    drop(log);
    // Opening it wiped the place that this state was in; it is as it was before that.
    std::fs::write(files::state(&room.path()), before).unwrap();
    room
}

#[test]
fn lines_that_the_state_does_not_cover_are_taken_over() {
    let room = killed();
    let report = room.check();
    assert_eq!((report.last, report.unsealed), (6, 2));
    assert!(report.findings.is_empty(), "no false alarm: {report:?}");
    room.open().append(&[restored("after")]).unwrap();
    let report = room.check();
    assert_eq!((report.last, report.unsealed), (7, 0));
    assert!(report.findings.is_empty(), "{report:?}");
}

#[test]
fn a_write_that_was_cut_off_anywhere_is_cut_away_and_told() {
    let whole = killed();
    let bytes = std::fs::read(whole.first()).unwrap();
    let sealed = usize::try_from(whole.state().0.length).unwrap();
    for length in sealed..bytes.len() {
        let room = whole.copy();
        std::fs::write(room.first(), &bytes[..length]).unwrap();
        assert!(room.check().findings.is_empty(), "{length}: no false alarm");
        drop(room.open());
        let report = room.check();
        assert!(report.findings.is_empty(), "{length}: {report:?}");
        assert_eq!((report.unsealed, report.torn_bytes), (0, 0));
        let last = room.lines().pop().unwrap();
        let is_whole = bytes[..length].ends_with(b"\n");
        assert_eq!(
            last.contains("\"event\":\"torn\""),
            !is_whole,
            "{length}: {last}"
        );
    }
}

#[test]
fn what_somebody_adds_while_no_daemon_runs_is_no_record() {
    let room = Room::filled(3);
    let mut lines = room.lines();
    lines.push(lines[3].replace("\"n\":4", "\"n\":5"));
    room.write(&lines);
    let findings = room.check().findings;
    assert!(matches!(
        findings[..],
        [Finding::Changed { sequence: 5, .. }]
    ));
    drop(room.open());
    let lines = room.lines();
    assert!(lines[4].contains("\"event\":\"torn\""), "{lines:?}");
    assert!(room.check().findings.is_empty());
}

#[test]
fn both_places_of_the_state_may_be_there_after_a_crash_and_the_later_one_counts() {
    let room = Room::filled(3);
    let earlier = std::fs::read(files::state(&room.path())).unwrap();
    let (_, place) = room.state();
    room.open().append(&[restored("one")]).unwrap();
    let mut both = std::fs::read(files::state(&room.path())).unwrap();
    // Opening and appending put it back into the same place; the other one was not wiped.
    let (_, now) = room.state();
    let (from, to) = if place == Place::First {
        (0, 4_096)
    } else {
        (4_096, 0)
    };
    if now == place {
        both.copy_within(from..from + 128, to);
    }
    both[from..from + 128].copy_from_slice(&earlier[from..from + 128]);
    std::fs::write(files::state(&room.path()), &both).unwrap();
    drop(room.open());
    assert!(room.check().findings.is_empty());
    let after = std::fs::read(files::state(&room.path())).unwrap();
    let key = |bytes: &[u8]| bytes[from + 48..from + 80].to_vec();
    let is_left = after.windows(32).any(|window| window == key(&earlier));
    assert!(!is_left, "the earlier key is wiped");
}

#[test]
fn a_log_that_does_not_fit_its_state_is_moved_aside_and_the_next_one_says_so() {
    let spoils: [fn(&Room); 5] = [
        |room| std::fs::remove_file(files::state(&room.path())).unwrap(),
        |room| std::fs::write(files::state(&room.path()), b"").unwrap(),
        |room| std::fs::remove_file(room.first()).unwrap(),
        |room| room.write(&room.lines()[..2]),
        |room| {
            let mut lines = room.lines();
            lines[3] = lines[2].clone();
            room.write(&lines);
        },
    ];
    for (at, spoil) in spoils.into_iter().enumerate() {
        let room = Room::filled(3);
        let before = room.anchors();
        spoil(&room);
        drop(room.open());
        let aside = room.room.path().join("audit.broken-1800000000000");
        assert!(aside.is_dir(), "{at}");
        let findings = room.check().findings;
        assert_eq!(findings, [Finding::BegunAnew { sequence: 2 }], "{at}");
        assert!(!room.check_with(&before).findings.is_empty(), "{at}");
        room.open().append(&[restored("on")]).unwrap();
        let known = room.check_with(&room.anchors()).findings;
        assert!(
            known.is_empty(),
            "{at}: whoever took this anchor saw it: {known:?}"
        );
    }
}

#[test]
fn a_start_that_was_killed_before_there_was_a_state_begins_again() {
    let room = Room::new();
    drop(room.open());
    std::fs::remove_file(files::state(&room.path())).unwrap();
    room.open().append(&[restored("x")]).unwrap();
    assert!(room.check().findings.is_empty());
}
