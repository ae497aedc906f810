//! When an agent is told of waiting mail: as it chose, and for as long as it exists.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{
    AutoCheck, AutoCheckAction, AutoCheckReport, Notice, Unregister, WhenLive,
};
use serde_json::json;

use crate::harness::raw::Raw;
use crate::harness::{Agent, House, code};
use crate::notices::{AN_HOUR, due, tell, two, waiting};

fn auto_check(agent: &mut Agent, action: AutoCheckAction, minutes: Option<u32>) -> AutoCheckReport {
    agent.call(&AutoCheck { action, minutes }).unwrap()
}

#[test]
fn a_reminder_comes_every_so_many_minutes_while_mail_waits() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    let report = auto_check(&mut bob, AutoCheckAction::Start, Some(7));
    assert_eq!(
        (report.mode, report.minutes, report.next_ms),
        (AutoCheckMode::Every, Some(7), None)
    );
    alice.send("bob", "read me");
    assert!(tell(&mut bob).is_due);
    let told = auto_check(&mut bob, AutoCheckAction::Status, None);
    let at = told.last_told_ms.unwrap();
    assert_eq!(told.next_ms, Some(at.plus_millis(420_000)));
    house.clock.pass(419);
    assert!(!tell(&mut bob).is_due);
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    house.clock.pass(1);
    assert!(due(&waits.next().unwrap()), "the reminder's time wakes it");
    house.clock.pass(420);
    bob.check();
    assert!(!tell(&mut bob).is_due, "nothing waits");
}

#[test]
fn a_clock_that_was_set_back_silences_nobody() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    auto_check(&mut bob, AutoCheckAction::Start, Some(60));
    alice.send("bob", "one");
    assert!(tell(&mut bob).is_due);
    house.clock.set_back(200);
    assert!(tell(&mut bob).is_due);
}

#[test]
fn off_is_silent_until_it_is_started_again() {
    let house = House::new();
    let (mut alice, mut bob) = two(&house);
    auto_check(&mut bob, AutoCheckAction::Stop, None);
    alice.send("bob", "one");
    let report = tell(&mut bob);
    assert_eq!(
        (report.is_due, report.waiting, report.mode),
        (false, 1, AutoCheckMode::Off)
    );
    let afresh = Notice {
        tell: true,
        afresh: true,
        ..Notice::default()
    };
    assert!(!bob.call(&afresh).unwrap().is_due);
    house.clock.pass(36_000);
    assert!(!tell(&mut bob).is_due);
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    auto_check(&mut bob, AutoCheckAction::Start, Some(1));
    assert!(due(&waits.next().unwrap()));
}

#[test]
fn a_stop_ends_a_waiting_notice_with_nothing_to_tell() {
    let house = House::new();
    let mut bob = house.register("bob");
    let mut waits = waiting(&house, &bob, &json!({"wait_ms": AN_HOUR, "tell": true}));
    auto_check(&mut bob, AutoCheckAction::Stop, None);
    let reply = waits.next().unwrap();
    assert_eq!(
        (due(&reply), &reply["result"]["mode"]),
        (false, &json!("off"))
    );
    // One that began later, and knows of the mode before, does not wait either.
    let mut raw = Raw::of(&house, &bob);
    let reply = raw.ask(
        1,
        "notice",
        &json!({"wait_ms": AN_HOUR, "known_mode": "arrival"}),
    );
    assert_eq!(reply["result"]["mode"], "off");
}

#[test]
fn the_mode_outlives_a_rename_and_a_restart_and_ends_with_the_agent() {
    let mut house = House::new();
    let mut bob = house.register("bob");
    auto_check(&mut bob, AutoCheckAction::Start, Some(9));
    bob.rename("robert").unwrap();
    house.restart();
    let token = crate::harness::copy(bob.resume());
    let mut robert = house.resume(&token, "robert", WhenLive::Join).unwrap();
    let status = auto_check(&mut robert, AutoCheckAction::Status, None);
    assert_eq!(status.minutes, Some(9));
    robert.call(&Unregister {}).unwrap();
    house.stop().unwrap();
    let rows = "SELECT count(*) FROM auto_checks";
    let rows: i64 = house
        .database()
        .query_row(rows, [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0);
}

#[test]
fn a_choice_can_be_taken_back() {
    let house = House::new();
    let mut bob = house.register("bob");
    for (action, minutes) in [
        (AutoCheckAction::Start, Some(7)),
        (AutoCheckAction::Stop, None),
    ] {
        bob.call(&AutoCheck { action, minutes }).unwrap();
        let back = AutoCheck {
            action: AutoCheckAction::Arrival,
            minutes: None,
        };
        let report = bob.call(&back).unwrap();
        assert_eq!(
            (report.mode, report.minutes),
            (AutoCheckMode::Arrival, None)
        );
    }
}

#[test]
fn minutes_go_with_a_start_and_only_from_1_to_60() {
    let house = House::new();
    let mut bob = house.register("bob");
    let wrong = [
        (AutoCheckAction::Start, None),
        (AutoCheckAction::Arrival, Some(5)),
        (AutoCheckAction::Start, Some(0)),
        (AutoCheckAction::Start, Some(61)),
        (AutoCheckAction::Stop, Some(5)),
        (AutoCheckAction::Status, Some(5)),
    ];
    for (action, minutes) in wrong {
        let refused = code(bob.call(&AutoCheck { action, minutes }));
        assert_eq!(refused, ErrorCode::Malformed, "{action:?} {minutes:?}");
    }
    let status = auto_check(&mut bob, AutoCheckAction::Status, None);
    assert_eq!(
        (status.mode, status.started_ms),
        (AutoCheckMode::Arrival, None)
    );
}
