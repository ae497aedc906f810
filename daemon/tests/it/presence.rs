//! Being there, stepping out, and giving a name up.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::{EndReason, SystemEvent};
use ipc_protocol::request::{DeadLetters, List, Offline, Presence, Unregister, WhenLive};

use crate::harness::{House, code, name};

const HOUR: i64 = 3_600;

#[test]
fn whoever_unregisters_tells_the_senders_of_what_waited() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let lost = alice.send("bob", "too late").message_id;
    assert_eq!(bob.call(&Unregister {}).unwrap().refused, 1);
    assert_eq!(code(bob.try_send("alice", "ghost")), ErrorCode::Expired);
    assert_eq!(code(house.reconnect(&bob)), ErrorCode::Unauthenticated);
    let notice = alice.fetch().remove(0);
    let expected = SystemEvent::Refused {
        message_id: lost,
        to: name("bob"),
        reason: EndReason::RecipientLeft,
    };
    assert_eq!(notice.event, Some(expected));
    let dead = alice.call(&DeadLetters::default()).unwrap().dead_letters;
    assert_eq!(
        (dead[0].message_id, dead[0].reason),
        (lost, EndReason::RecipientLeft)
    );
    assert_eq!(
        house.register("bob").registered.waiting,
        0,
        "free at once, and empty"
    );
}

#[test]
fn presence_goes_from_live_over_online_and_idle_to_offline() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.fetch();
    let mut of_bob = || {
        let agents = alice.call(&List::default()).unwrap().agents;
        let row = agents.into_iter().find(|row| row.name == name("bob"));
        row.unwrap().presence
    };
    assert_eq!(of_bob(), Presence::Live);
    drop(bob.client);
    while of_bob() == Presence::Live {}
    assert_eq!(of_bob(), Presence::Online);
    house.clock.pass(15 * 60);
    assert_eq!(of_bob(), Presence::Idle);
    house.clock.pass(HOUR * 11);
    assert_eq!(of_bob(), Presence::Idle);
}

#[test]
fn whoever_steps_out_is_offline_until_it_does_something_again() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.call(&Offline {}).unwrap();
    let old = bob.registered;
    drop(bob.client);
    let mut of_bob = || {
        let agents = alice.call(&List::default()).unwrap().agents;
        let row = agents.into_iter().find(|row| row.name == name("bob"));
        row.unwrap().presence
    };
    while of_bob() == Presence::Live {}
    assert_eq!(of_bob(), Presence::Offline);
    house.clock.pass(1);
    let mut again = house
        .resume(old.resume.as_ref().unwrap(), "bob", WhenLive::Refuse)
        .unwrap();
    again.fetch();
    drop(again);
    while of_bob() == Presence::Live {}
    assert_eq!(of_bob(), Presence::Online);
}
