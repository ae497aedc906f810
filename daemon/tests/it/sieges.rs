//! One agent with one session, and all it can do to the others with it: nothing.

use ipc_protocol::auth::Credential;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::name::Name;
use ipc_protocol::request::{AdminRevoke, Fetch, Renew, Revoke, WhenLive, Whoami};
use serde_json::json;

use crate::harness::raw::{Raw, call, frame};
use crate::harness::{Agent, House, code, copy, registration};

fn all_is_well(agent: &mut Agent) {
    let own = agent.registered.name.to_string();
    agent.send(&own, "all is well");
    assert_eq!(agent.check(), ["all is well"]);
}

/// The payload padded to the largest frame there is.
fn padded(mut payload: Vec<u8>) -> Vec<u8> {
    payload.resize(2_097_152, b' ');
    payload
}

#[test]
fn waiting_fetches_of_the_largest_size_leave_room_for_the_others() {
    let house = House::new();
    let (thief, mut alice) = (house.register("thief"), house.register("alice"));
    let mut siege = Raw::of(&house, &thief);
    for id in 0..16 {
        let wait = call(id, "fetch", &json!({"wait_ms": 3_600_000}));
        siege.write(&frame(&padded(wait)));
    }
    all_is_well(&mut alice);
    all_is_well(&mut house.register("bob"));
}

#[test]
fn announcing_and_dribbling_leaves_room_for_the_others() {
    let house = House::new();
    let (thief, mut alice) = (house.register("thief"), house.register("alice"));
    let mut sieges: Vec<_> = (0..60).map(|_| Raw::of(&house, &thief)).collect();
    for siege in &mut sieges {
        siege.write(&2_097_152_u32.to_be_bytes());
        siege.write(&vec![b' '; 150_000]);
    }
    alice.send("alice", &"x".repeat(900_000));
    all_is_well(&mut house.register("bob"));
}

#[test]
fn more_waits_than_a_connection_may_have_are_refused_and_the_connection_is_read() {
    let house = House::new();
    let bob = house.register("bob");
    let mut raw = Raw::of(&house, &bob);
    for id in 0..20 {
        raw.call(id, "fetch", &json!({"wait_ms": 3_600_000}));
    }
    let refused = (0..12).map(|_| raw.next().unwrap());
    assert!(
        refused
            .into_iter()
            .all(|reply| reply["error"]["data"]["code"] == "busy")
    );
    assert!(raw.ask(99, "whoami", &json!({}))["error"].is_null());
}

#[test]
fn strangers_that_say_hello_and_stop_give_their_places_up() {
    let house = House::with_config("[limits]\nunauthenticated = 2\n");
    let bob = house.register("bob");
    let stalled: Vec<_> = (0..6)
        .map(|_| {
            let mut raw = Raw::stranger(&house);
            let hello = json!({
                "v": 1, "cred": "session", "id": bob.registered.session.sid(),
                "cn": "A".repeat(43), "kdfs": ["argon2id"],
            });
            raw.call(1, "hello", &hello);
            raw
        })
        .collect();
    all_is_well(&mut house.register("alice"));
    drop(stalled);
}

#[test]
fn a_registration_that_races_a_revocation_makes_no_immortal_connection() {
    let house = House::new();
    let mut bob = house.register("bob");
    for _ in 0..10 {
        let mut raced = house.prove(&Credential::Token(copy(bob.resume()))).unwrap();
        let mut owner = house.resume(bob.resume(), "bob", WhenLive::Join).unwrap();
        std::thread::scope(|scope| {
            // Before the revocation or after it: in the store one of the two comes first.
            let joining = scope.spawn(|| raced.call(&registration("bob", WhenLive::Join)).is_ok());
            owner.call(&Revoke { all: true }).unwrap();
            assert!(joining.join().unwrap());
        });
        let alive = raced.call(&Whoami {}).is_ok();
        let revoked = house
            .operator()
            .call(&AdminRevoke {
                name: "bob".parse().unwrap(),
            })
            .unwrap();
        assert_eq!(
            revoked.sessions,
            u64::from(alive),
            "what lives on is in the store"
        );
        assert!(raced.call(&Whoami {}).is_err());
        bob = house.register("bob");
    }
}

#[test]
fn a_renewed_session_serves_its_connection_for_a_minute_and_not_after_a_takeover() {
    let house = House::new();
    let mut thief = house.register("alice");
    let renewed = thief.call(&Renew {}).unwrap();
    assert_eq!(
        renewed.abs_expires_ms, thief.registered.abs_expires_ms,
        "no longer than before"
    );
    assert!(thief.call(&Whoami {}).is_ok());
    house.clock.pass(61);
    assert_eq!(code(thief.call(&Whoami {})), ErrorCode::Expired);
    assert!(house.prove(&Credential::Token(renewed.session)).is_ok());
}

#[test]
fn a_takeover_succeeds_however_many_connections_the_thief_holds() {
    let house = House::new();
    let bob = house.register("bob");
    let held: Vec<_> = std::iter::repeat_with(|| house.reconnect(&bob))
        .take_while(Result::is_ok)
        .map(Result::unwrap)
        .collect();
    assert!(held.len() > 8);
    let joined = house.resume(bob.resume(), "bob", WhenLive::Join);
    assert_eq!(code(joined.map(|_| ())), ErrorCode::Busy);
    let mut owner = house
        .resume(bob.resume(), "bob", WhenLive::TakeOver)
        .unwrap();
    all_is_well(&mut owner);
    for mut connection in held {
        assert!(connection.call(&Fetch::default()).is_err());
    }
    all_is_well(&mut owner);
}

#[test]
fn an_operator_revokes_and_no_connection_of_the_agent_is_served_on() {
    let house = House::new();
    let mut bob = house.register("bob");
    let mut others: Vec<_> = (0..4).map(|_| house.reconnect(&bob).unwrap()).collect();
    house
        .operator()
        .call(&AdminRevoke {
            name: "bob".parse().unwrap(),
        })
        .unwrap();
    for other in &mut others {
        assert!(other.call(&Whoami {}).is_err());
    }
    assert!(bob.call(&Whoami {}).is_err());
}

#[test]
fn large_frames_that_are_no_calls_use_up_the_senders_own_budget() {
    let house = House::new();
    let (thief, mut alice) = (house.register("thief"), house.register("alice"));
    let mut siege = Raw::of(&house, &thief);
    for _ in 0..40 {
        siege.write(&frame(&padded(b"{\"data\":[0,0,0,0".to_vec())));
    }
    let last = siege.until_closed().pop().unwrap();
    assert_ne!(last["error"]["data"]["code"], json!(null));
    all_is_well(&mut alice);
}

#[test]
fn enrolling_and_renaming_again_and_again_does_not_bury_others_in_notices() {
    let house = House::new();
    let mut bystander = house.register("bystander");
    let mut refused = false;
    for number in 0..120 {
        let mut agent = house.register(&format!("a-{number}"));
        let new_name = Name::parse(&format!("b-{number}")).unwrap();
        let renamed = agent.call(&ipc_protocol::request::Rename { new_name });
        refused |= renamed.is_err_and(|error| error.code() == Some(ErrorCode::RateLimited));
        agent.call(&ipc_protocol::request::Unregister {}).unwrap();
    }
    assert!(refused);
    let notices = bystander
        .call(&Fetch {
            limit: Some(100),
            ..Fetch::default()
        })
        .unwrap();
    assert!(notices.messages.len() < 100, "{}", notices.messages.len());
}
