//! Importing a file from elsewhere into a deployment that has agents of its own.

use std::path::PathBuf;

use ipc_daemon::migrate::Report;
use ipc_protocol::request::List;

use crate::harness::House;
use crate::harness::predecessor::{Old, Predecessor};

/// A deployment with a native bob, and an old file that names him.
fn house_and_file() -> (House, tempfile::TempDir, PathBuf) {
    let house = House::new();
    drop(house.register("bob"));
    let directory = tempfile::tempdir().unwrap();
    let old = Predecessor::new(directory.path());
    old.store(&Old {
        to: "bob",
        content: "for you",
        ..Old::default()
    });
    old.store(&Old {
        from: "bob",
        to: "carla",
        content: "says bob",
        ..Old::default()
    });
    (house, directory, old.close())
}

fn import(house: &mut House, path: &std::path::Path) -> Report {
    house.stop().unwrap();
    let report = house.import(path).unwrap();
    house.start().unwrap();
    report
}

#[test]
fn mail_reaches_the_agent_of_that_name_and_none_is_said_to_be_from_it() {
    let (mut house, _directory, path) = house_and_file();
    let report = import(&mut house, &path);
    assert_eq!(report.unread, 2);
    assert!(report.store_backup.unwrap().exists());
    let mail = house.register("carla").fetch().remove(0);
    assert_eq!(mail.text, "says bob");
    assert_eq!(mail.from.unwrap().name.as_str(), "bob-2");
    assert_eq!(report.renamed[0].new.as_str(), "bob-2");
    let mut alice = house.register("alice");
    let agents = alice.call(&List::default()).unwrap().agents;
    let native = agents.iter().find(|agent| agent.name.as_str() == "bob");
    assert!(native.is_some());
    let receipts = ipc_protocol::request::Receipts::default();
    let receipts = alice.call(&receipts).unwrap().receipts;
    assert_eq!(receipts[0].deliveries[0].to.as_str(), "bob");
}

#[test]
fn the_same_file_again_adds_nothing() {
    let (mut house, _directory, path) = house_and_file();
    import(&mut house, &path);
    let again = import(&mut house, &path);
    assert_eq!((again.unread, again.repeated, again.names), (0, 2, 0));
    assert_eq!(house.register("carla").check(), ["says bob"]);
}

#[test]
fn mail_that_waited_here_for_a_name_of_the_file_is_not_lost() {
    let (mut house, _directory, path) = house_and_file();
    let mut dora = house.register("dora");
    dora.send("alice", "are you coming over?");
    drop(dora);
    import(&mut house, &path);
    assert_eq!(house.register("alice").check(), ["are you coming over?"]);
}

#[test]
fn an_import_into_a_deployment_that_has_never_started_is_its_beginning() {
    let (_, _directory, path) = house_and_file();
    let mut house = House::empty();
    house.import(&path).unwrap();
    house.start().unwrap();
    assert_eq!(house.register("bob").check(), ["for you"]);
}

#[test]
fn the_file_stays_as_it_is() {
    let (mut house, _directory, path) = house_and_file();
    let before = std::fs::read(&path).unwrap();
    import(&mut house, &path);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
