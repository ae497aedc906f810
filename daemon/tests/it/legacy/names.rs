//! Names: whose they are, over the old port and natively.

use ipc_protocol::error::ErrorCode;

use super::client::{OldAgent, OldPort, done, house, refused};
use crate::harness::code;

const SESSION: &str = "Invalid or missing session token";

#[test]
fn a_name_of_the_old_port_is_its_first_native_enrolments_for_good() {
    let house = house();
    let port = OldPort::of(&house);
    let old = port.register("alice");
    let mut bob = house.register("bob");
    bob.send("alice", "waiting");
    let mut alice = house.register("alice");
    assert_eq!(alice.registered.incarnation, 1);
    assert_eq!(alice.check(), ["waiting"], "the same agent, the same mail");
    assert_eq!(old.try_check(), refused(SESSION), "the old token is over");
    assert!(bob.fetch().is_empty(), "and nobody is told of anything");
    let expected = refused(
        "alice belongs to an agent that registered with `ipc`; choose another name, or register \
         with `ipc register alice`",
    );
    assert_eq!(port.try_register("alice"), expected);
    assert_eq!(port.try_register("ALICE")["status"], "error");
    drop(alice);
    assert_eq!(port.try_register("alice"), expected, "offline or not");
    assert_eq!(
        code(house.try_register("alice")),
        ErrorCode::NameReserved,
        "it is owned as any other"
    );
}

#[test]
fn a_renamed_instance_keeps_its_token_and_its_mailbox() {
    let house = house();
    let port = OldPort::of(&house);
    let (alice, bob) = (port.register("alice"), port.register("bob"));
    assert_eq!(alice.rename("alicia"), done("Renamed alice to alicia"));
    bob.send("alicia", "to the new name");
    bob.send("alice", "to the old one");
    // The client still says what it was called, and later what it is called.
    assert_eq!(alice.texts(), ["to the new name", "to the old one"]);
    house.clock.pass(7_201);
    let renamed = OldAgent {
        name: "alicia".to_owned(),
        ..alice.clone()
    };
    bob.send("alicia", "two hours later");
    assert_eq!(renamed.texts(), ["two hours later"]);
    assert_eq!(
        alice.try_check(),
        refused("This session token belongs to another instance"),
        "the old name is nobody's now"
    );
}

#[test]
fn a_name_just_left_by_a_rename_cannot_be_registered() {
    let house = house();
    let port = OldPort::of(&house);
    let (alice, eve) = (port.register("alice"), port.register("eve"));
    alice.rename("alicia");
    let text = "alice forwards to the instance that went by it \
                (choose another name, or wait until it no longer forwards)";
    assert_eq!(port.try_register("alice"), refused(text));
    assert_eq!(eve.rename("alice")["status"], "error");
    let text = alice.rename("alice-3")["message"].clone();
    assert_eq!(text, "Rate limit: can rename again in 60 minutes");
}

#[test]
fn renaming_onto_a_name_with_waiting_mail_brings_that_mail() {
    let house = house();
    let port = OldPort::of(&house);
    let (alice, bob) = (port.register("alice"), port.register("bob"));
    bob.send("later", "for whoever comes");
    alice.rename("later");
    assert_eq!(alice.texts(), ["for whoever comes"]);
    assert_eq!(
        bob.rename("later"),
        refused("Instance later already exists")
    );
}

#[test]
fn mail_waits_for_a_name_of_the_old_port_and_is_not_lost_to_whoever_comes_natively() {
    let house = house();
    let port = OldPort::of(&house);
    port.register("alice");
    house.clock.pass(8 * 86_400);
    let mut bob = house.register("bob");
    bob.send("alice", "after a week");
    assert_eq!(house.register("alice").check(), ["after a week"]);
}
