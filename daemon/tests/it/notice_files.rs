//! Files that say that mail waits: kept up to date for whoever asked, and for nobody else.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use ipc_protocol::request::{
    AdminFreeze, AdminRelease, AdminThaw, Notices, NoticesAction, Unregister,
};

use crate::harness::{Agent, House, name};

/// In every body here: no file may hold it.
const CANARY: &str = "CANARY-of-a-body";

fn switch(agent: &mut Agent, action: NoticesAction) -> bool {
    agent.call(&Notices { action }).unwrap().on
}

fn file(house: &House, agent: &Agent) -> PathBuf {
    house.data_dir().notice(agent.registered.agent_id)
}

/// Waits until the file holds this.
fn await_file(house: &House, agent: &Agent, expected: Option<&str>) {
    let path = file(house, agent);
    while std::fs::read_to_string(&path).ok().as_deref() != expected {
        std::thread::yield_now();
    }
}

fn sentence(number: u64, to: &str, from: &str) -> String {
    let (what, it) = if number == 1 {
        ("message", "it")
    } else {
        ("messages", "them")
    };
    format!(
        "ipc: {number} new {what} for {to}, from {from}. Call the tool ipc_check to read {it}.\n"
    )
}

#[test]
fn a_file_says_how_much_waits_and_from_whom_and_nothing_when_it_was_read() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", CANARY);
    assert!(!switch(&mut bob, NoticesAction::Status));
    assert!(switch(&mut bob, NoticesAction::On));
    await_file(&house, &bob, Some(&sentence(1, "bob", "alice")));
    alice.send("bob", CANARY);
    await_file(&house, &bob, Some(&sentence(2, "bob", "alice")));
    let facts = std::fs::metadata(file(&house, &bob)).unwrap();
    assert_eq!(facts.mode() & 0o777, 0o600);
    let mail = bob.fetch();
    // Whoever fetched it may die before it is read.
    alice.send("bob", CANARY);
    await_file(&house, &bob, Some(&sentence(3, "bob", "alice")));
    bob.ack(mail.iter().map(|mail| mail.id).collect());
    await_file(&house, &bob, Some(&sentence(1, "bob", "alice")));
    bob.check();
    await_file(&house, &bob, Some(""));
    assert!(!file(&house, &alice).exists(), "nobody asked for one");
    assert!(!switch(&mut bob, NoticesAction::Off));
    await_file(&house, &bob, None);
    alice.send("bob", CANARY);
    assert!(switch(&mut alice, NoticesAction::On));
    await_file(&house, &alice, Some(""));
    assert!(!file(&house, &bob).exists());
}

#[test]
fn the_file_of_a_frozen_agent_is_empty_until_it_is_thawed() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    switch(&mut bob, NoticesAction::On);
    for named in ["bob", "all"] {
        alice.send("bob", CANARY);
        let waiting = file(&house, &bob);
        while std::fs::read_to_string(&waiting).is_ok_and(|text| text.is_empty()) {
            std::thread::yield_now();
        }
        let mut operator = house.operator();
        let freeze = AdminFreeze {
            agent: Some(named.parse().unwrap()),
        };
        operator.call(&freeze).unwrap();
        await_file(&house, &bob, Some(""));
        let agent = named.parse().unwrap();
        operator.call(&AdminThaw { agent }).unwrap();
        let number = if named == "bob" { 1 } else { 2 };
        await_file(&house, &bob, Some(&sentence(number, "bob", "alice")));
    }
}

#[test]
fn a_rename_is_followed_and_the_file_stays_where_it_is() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    switch(&mut bob, NoticesAction::On);
    alice.send("bob", CANARY);
    await_file(&house, &bob, Some(&sentence(1, "bob", "alice")));
    bob.rename("robert").unwrap();
    await_file(&house, &bob, Some(&sentence(1, "robert", "alice")));
}

#[test]
fn whoever_leaves_or_is_released_leaves_no_file() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    for agent in [&mut alice, &mut bob] {
        switch(agent, NoticesAction::On);
        await_file(&house, agent, Some(""));
    }
    alice.call(&Unregister {}).unwrap();
    await_file(&house, &alice, None);
    let release = AdminRelease { name: name("bob") };
    house.operator().call(&release).unwrap();
    await_file(&house, &bob, None);
}

#[test]
fn a_restart_makes_good_what_is_missing_and_removes_what_nobody_wants() {
    let mut house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    switch(&mut bob, NoticesAction::On);
    alice.send("bob", CANARY);
    let expected = sentence(1, "bob", "alice");
    await_file(&house, &bob, Some(&expected));
    house.stop().unwrap();
    std::fs::write(file(&house, &bob), "stale\n").unwrap();
    std::fs::write(file(&house, &alice), "nobody asked\n").unwrap();
    let foreign = house.data_dir().notices().join("README.md");
    std::fs::write(&foreign, "not ours\n").unwrap();
    house.start().unwrap();
    await_file(&house, &bob, Some(&expected));
    await_file(&house, &alice, None);
    assert!(foreign.exists());
}

#[test]
fn a_disk_that_fails_there_fails_no_request_and_is_tried_again() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let directory = house.data_dir().notices();
    // Others could look into it, so that nothing is put there; this fails for root too.
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o755)).unwrap();
    switch(&mut bob, NoticesAction::On);
    alice.send("bob", CANARY);
    assert_eq!(bob.fetch().len(), 1);
    assert!(!file(&house, &bob).exists());
    std::fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
    alice.send("bob", CANARY);
    await_file(&house, &bob, Some(&sentence(2, "bob", "alice")));
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let victim = house.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    switch(&mut bob, NoticesAction::On);
    await_file(&house, &bob, Some(""));
    std::fs::remove_file(file(&house, &bob)).unwrap();
    std::os::unix::fs::symlink(&victim, file(&house, &bob)).unwrap();
    alice.send("bob", CANARY);
    await_file(&house, &bob, Some(&sentence(1, "bob", "alice")));
    assert!(!file(&house, &bob).is_symlink());
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
}
