//! Coming over from the Python server: what was there is here, and proves nothing.

mod cut_off;
mod foreign;
mod large;
mod names;
mod refused;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::Handover;
use ipc_protocol::request::{Receipts, WhenLive};

use crate::harness::predecessor::{Old, Predecessor};
use crate::harness::{House, code};

/// The house's clock shows 2027-01-15 09:00 in Berlin.
pub(crate) const A_MINUTE_AGO: &str = "2027-01-15T08:59:00.123456";

#[test]
fn messages_read_and_unread_come_over_with_their_times() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.register("alice", A_MINUTE_AGO);
    old.register("bob", A_MINUTE_AGO);
    old.session("alice");
    old.store(&Old {
        content: "read already",
        read: true,
        ..Old::default()
    });
    old.store(&Old {
        content: "grüße 🎉",
        data: Some(r#"{"build": 7}"#),
        ..Old::default()
    });
    old.close();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!((report.read, report.unread, report.names), (1, 1, 2));
    assert_eq!((report.sessions_dropped, report.left_out.len()), (1, 0));
    house.start().unwrap();
    let mut bob = house.register("bob");
    assert_eq!(bob.registered.waiting, 1);
    let mail = bob.fetch().remove(0);
    assert_eq!(mail.text, "grüße 🎉");
    assert_eq!(mail.data.unwrap()["build"], 7);
    assert_eq!(mail.sent_ms.as_millis(), 1_799_999_940_123);
    assert_eq!(mail.from.unwrap().name.as_str(), "alice");
    assert_eq!(mail.provenance, None, "nothing proves where it came from");
}

#[test]
fn mail_that_was_read_there_is_delivered_and_says_so() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.register("bob", A_MINUTE_AGO);
    old.store(&Old {
        read: true,
        ..Old::default()
    });
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    let mut alice = house.register("alice");
    let receipts = alice.call(&Receipts::default()).unwrap().receipts;
    let delivery = &receipts[0].deliveries[0];
    assert_eq!(delivery.handover, Some(Handover::Imported));
    assert!(house.register("bob").fetch().is_empty());
}

#[test]
fn an_imported_name_is_claimed_with_the_secret_once_and_is_owned_then() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.register("bob", A_MINUTE_AGO);
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    let bob = house.register("bob");
    let resume = crate::harness::copy(bob.resume());
    drop(bob);
    // Not live any more as soon as the daemon has seen the connection close.
    let refused = loop {
        match code(house.try_register("bob")) {
            ErrorCode::NameInUse => {}
            other => break other,
        }
    };
    assert_eq!(refused, ErrorCode::NameReserved);
    assert!(house.resume(&resume, "bob", WhenLive::Refuse).is_ok());
}

#[test]
fn a_name_that_was_last_seen_long_ago_is_held_from_now_on() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.register("bob", "2025-06-01T10:00:00");
    old.store(&Old {
        time: "2025-06-01T10:00:00",
        ..Old::default()
    });
    old.store(&Old {
        time: "2025-06-01T10:00:00",
        read: true,
        ..Old::default()
    });
    old.close();
    house.take_over().unwrap().unwrap();
    house.start().unwrap();
    house.clock.pass(6 * 86_400);
    house.restart();
    let mut bob = house.register("bob");
    assert_eq!(bob.check(), ["hello"]);
}

#[test]
fn old_names_that_forward_for_a_while_yet_go_on_forwarding() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.register("robert", A_MINUTE_AGO);
    old.register("carla", A_MINUTE_AGO);
    old.renamed("bob", "robert", "2027-01-15T08:00:00");
    old.renamed("carl", "carla", "2027-01-15T06:30:00");
    old.close();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.forwards, 1, "one was over");
    house.start().unwrap();
    let mut alice = house.register("alice");
    alice.send("bob", "where are you?");
    assert_eq!(house.register("robert").check(), ["where are you?"]);
    assert_eq!(code(house.try_register("bob")), ErrorCode::NameReserved);
    house.clock.pass(3_601);
    assert!(house.try_register("bob").is_ok());
}

#[test]
fn mail_for_somebody_who_never_came_waits_for_whoever_comes() {
    let mut house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old {
        to: "nessa",
        content: "welcome",
        ..Old::default()
    });
    old.close();
    let report = house.take_over().unwrap().unwrap();
    assert_eq!(report.names, 1, "alice, who sent it");
    house.start().unwrap();
    assert_eq!(house.register("nessa").check(), ["welcome"]);
}

#[test]
fn there_is_nothing_to_take_over_in_an_empty_or_a_used_deployment() {
    assert_eq!(House::empty().take_over().unwrap(), None);
    let mut house = House::new();
    house.stop().unwrap();
    assert_eq!(house.take_over().unwrap(), None);
}

#[test]
fn the_report_lies_beside_a_verified_copy() {
    let house = House::empty();
    let old = Predecessor::new(house.path());
    old.store(&Old::default());
    old.close();
    let report = house.take_over().unwrap().unwrap();
    let written = std::fs::read_to_string(report.path()).unwrap();
    assert!(written.contains("\"unread\": 1"), "{written}");
    let copy = rusqlite::Connection::open(&report.copy).unwrap();
    let text: String = copy
        .query_row("SELECT content FROM messages", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "hello");
}
