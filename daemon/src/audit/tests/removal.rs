//! Records taken away by somebody who holds the present key, with all that makes it look due.

use super::rotation::of_files;
use super::*;
use crate::audit::chain::Chain;
use crate::limits::AUDIT_STEPS;

/// Goes on from the chain's end in a file of its own, as if all before it had had its time; the state
/// is made to fit.
fn begin_again(room: &Room, fillings: &[usize]) {
    let (state::State { mut chain, .. }, _) = room.state();
    let old = files::list(&room.path()).unwrap();
    let kept = chain.next;
    let (mut file, mut length) = (0, 0);
    for filling in fillings {
        let first = Event::File {
            after: chain.previous.text(),
            kept,
        };
        let mut text = String::new();
        file = chain.next;
        let filler = restored(&"x".repeat(250)).event;
        let filler = std::iter::repeat_n(filler, *filling);
        for event in std::iter::once(first).chain(filler) {
            let (line, after) = chain.seal(&super::super::event::record(chain.next, NOW, &event));
            text.push_str(&line);
            chain = after;
        }
        length = u64::try_from(text.len()).unwrap();
        std::fs::write(files::path(&room.path(), file), text).unwrap();
        private_mode(&files::path(&room.path(), file));
    }
    for first in old {
        std::fs::remove_file(files::path(&room.path(), first)).unwrap();
    }
    put_state(room, chain, file, length);
}

fn private_mode(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn put_state(room: &Room, chain: Chain, file: u64, length: u64) {
    let state = state::State {
        chain,
        file,
        length,
    };
    drop(state::StateFile::create(&files::state(&room.path()), &state).unwrap());
}

#[test]
fn records_that_are_said_to_have_had_their_time_and_had_not_are_found() {
    let whole = Room::filled(10);
    let gone = Finding::Missing { from: 1, to: 11 };
    // One file; enough files that are too short.
    for fillings in [vec![0], vec![3; AUDIT_FILES], vec![3; AUDIT_FILES + 3]] {
        let room = whole.copy();
        begin_again(&room, &fillings);
        assert_eq!(
            room.check().findings,
            std::slice::from_ref(&gone),
            "{fillings:?}"
        );
        room.open().append(&[restored("on")]).unwrap();
        assert_eq!(
            room.check().findings,
            std::slice::from_ref(&gone),
            "{fillings:?}"
        );
    }
}

#[test]
fn a_flood_that_pushed_every_anchored_record_out_is_found_by_the_anchors() {
    let room = of_files(2);
    let early = room.anchors();
    begin_again(&room, &[100; AUDIT_FILES]);
    let report = room.check();
    assert!(report.findings.is_empty(), "as said: with so much, yes");
    let first = report.first;
    let found = room.check_with(&early).findings;
    assert_eq!(found, [Finding::NoAnchorKept { first }]);
    let later = room.anchors().anchors;
    let both = Anchors {
        anchors: [early.anchors, later].concat(),
        key: None,
    };
    let report = room.check_with(&both);
    assert!(report.findings.is_empty(), "{report:?}");
    assert_eq!((report.anchors, report.anchors_passed), (1, 1));
}

#[test]
fn a_number_that_nothing_was_sealed_for_is_found_at_once() {
    let room = Room::filled(3);
    let made_up = 9_999_999_999_999_999_999;
    std::fs::rename(room.first(), files::path(&room.path(), made_up)).unwrap();
    let gone = Finding::Missing {
        from: 1,
        to: made_up - 1,
    };
    assert_eq!(room.check().findings, std::slice::from_ref(&gone));
    // And when the state says the same, or nothing.
    let (state::State { mut chain, .. }, _) = room.state();
    assert!(chain.key_at(chain.next + AUDIT_STEPS + 1).is_none());
    chain.next = made_up + 4;
    put_state(&room, chain, made_up, 0);
    assert_eq!(room.check().findings, std::slice::from_ref(&gone));
    std::fs::remove_file(files::state(&room.path())).unwrap();
    assert_eq!(room.check().findings, [gone]);
}

#[test]
fn a_log_that_is_gone_is_found_where_there_must_have_been_one() {
    let gone: [fn(&Room); 2] = [
        |room| std::fs::remove_dir_all(room.path()).unwrap(),
        |room| {
            for entry in std::fs::read_dir(room.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        },
    ];
    for remove in gone {
        let room = Room::filled(3);
        remove(&room);
        drop(room.open_after(Past::WithLog));
        assert!(room.lines()[1].contains("\"why\":\"it is gone\""));
        let anew = Finding::BegunAnew { sequence: 2 };
        assert_eq!(room.check().findings, std::slice::from_ref(&anew));
        drop(room.open_after(Past::WithLog));
        assert_eq!(room.lines().len(), 2, "told once");
        assert_eq!(room.check().findings, [anew]);
        assert!(room.check_with(&room.anchors()).findings.is_empty());
    }
}

#[test]
fn a_log_that_never_was_is_not_missed() {
    let room = Room::new();
    drop(room.open_after(Past::Unused));
    assert_eq!(room.first().metadata().unwrap().len(), 0);
    let older = Room::new();
    drop(older.open_after(Past::WithoutLog));
    assert!(older.lines()[1].contains("\"event\":\"begun\""));
    assert!(older.check().findings.is_empty());
}
