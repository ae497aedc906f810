//! Names: who may have which, and where they lead.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::SystemEvent;
use ipc_protocol::request::{
    AdminRelease, Fetch, Offline, RecipientOutcome, Register, Unregister, WhenLive,
};

use crate::harness::{Agent, House, SECRET, code, message, name, refusal, registration, secret};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[test]
fn a_live_name_cannot_be_claimed_with_the_secret() {
    let house = House::new();
    let _bob = house.register("bob");
    assert_eq!(code(house.try_register("bob")), ErrorCode::NameInUse);
    assert_eq!(code(house.try_register("BOB")), ErrorCode::NameInUse);
}

#[test]
fn a_free_name_is_granted_with_the_mail_that_waits_for_it() {
    let house = House::new();
    let mut alice = house.register("alice");
    alice.send("bob", "one");
    alice.send("BOB", "two");
    let mut bob = house.register("Bob");
    assert_eq!(bob.registered.waiting, 2);
    assert_eq!(bob.registered.incarnation, 1);
    assert_eq!(bob.registered.online, [name("alice")]);
    assert_eq!(bob.check(), ["one", "two"]);
}

/// Closes the agent's connections, so that it is no longer live, and keeps what it came with.
fn leave(house: &House, agent: Agent) -> ipc_protocol::request::Registered {
    let Agent { client, registered } = agent;
    drop(client);
    let mut watcher = house.operator();
    loop {
        let status = watcher.call(&ipc_protocol::request::Status {}).unwrap();
        if status.live == 0 {
            return registered;
        }
    }
}

#[test]
fn an_offline_name_is_held_for_seven_days_and_then_passes_on_without_its_mail() {
    let house = House::new();
    let mut bob = house.register("bob");
    bob.send("bob", "a note to myself");
    leave(&house, bob);
    for after_s in [0, 7 * DAY] {
        house.clock.pass(after_s);
        let held = refusal(house.try_register("bob").map(|_| ()));
        assert_eq!(held.code, ErrorCode::NameReserved);
        assert!(held.hint.unwrap().contains("ipc admin release bob"));
    }
    house.clock.pass(1);
    let mut bob = house.register("bob");
    assert_eq!(bob.registered.waiting, 0);
    assert!(
        bob.fetch().is_empty(),
        "the old agent's mail is not passed on"
    );
}

#[test]
fn the_resume_credential_gives_an_offline_name_back() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    let bob = house.register("bob");
    alice.send("bob", "for after the restart");
    drop((alice, house.reconnect(&bob)));
    house.restart();
    house.clock.pass(6 * DAY);
    let mut again = house.resume(bob.resume(), "bob", WhenLive::Refuse).unwrap();
    assert_eq!(again.registered.agent_id, bob.registered.agent_id);
    assert_eq!(again.registered.incarnation, bob.registered.incarnation);
    assert!(again.registered.resume.is_none(), "the old one stays good");
    assert_eq!(again.check(), ["for after the restart"]);
}

#[test]
fn a_second_window_does_not_steal_a_live_name_but_may_join_it() {
    let house = House::new();
    let mut bob = house.register("bob");
    let refused = refusal(
        house
            .resume(bob.resume(), "bob", WhenLive::Refuse)
            .map(|_| ()),
    );
    assert_eq!(refused.code, ErrorCode::NameInUse);
    let mut joined = house.resume(bob.resume(), "bob", WhenLive::Join).unwrap();
    joined.send("bob", "from the second window");
    assert_eq!(bob.check(), ["from the second window"]);
}

#[test]
fn the_same_host_process_may_register_again() {
    let house = House::new();
    let host = || ipc_protocol::request::HostProcess {
        pid: std::process::id(),
        program: None,
    };
    let with_host = |name: &str| Register {
        host: Some(host()),
        ..registration(name, WhenLive::Refuse)
    };
    let bob = house.operator().call(&with_host("bob")).unwrap();
    let resume = ipc_protocol::auth::Credential::Token(bob.resume.unwrap());
    let mut again = house.prove(&resume).unwrap();
    assert_eq!(
        again.call(&with_host("bob")).unwrap().agent_id,
        bob.agent_id
    );
    // Live for as long as the host runs, though nobody is connected.
    drop(again);
    assert_eq!(code(house.try_register("bob")), ErrorCode::NameInUse);
}

#[test]
fn a_host_process_that_is_no_ancestor_is_not_believed() {
    let house = House::new();
    let mut init = registration("bob", WhenLive::Refuse);
    let mut stranger = std::process::Command::new("sleep")
        .arg("600")
        .spawn()
        .unwrap();
    init.host = Some(ipc_protocol::request::HostProcess {
        pid: stranger.id(),
        program: Some("claude".parse().unwrap()),
    });
    let registered = house.operator().call(&init).unwrap();
    let bob = Agent {
        client: house.operator(),
        registered,
    };
    leave(&house, bob);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn the_policy_secret_lets_the_secret_claim_a_held_name_and_everyone_hears_of_it() {
    let house = House::with_config("names = \"secret\"\n");
    let mut alice = house.register("alice");
    let mut bob = house.register("bob");
    alice.send("bob", "before");
    assert_eq!(
        code(house.try_register("bob")),
        ErrorCode::NameInUse,
        "live"
    );
    bob.call(&Offline {}).unwrap();
    let old = bob.registered;
    drop(bob.client);
    let mut bob = loop {
        // The daemon hears of the end of a connection a moment later.
        match house.try_register("bob") {
            Ok(bob) => break bob,
            Err(error) => assert_eq!(error.code(), Some(ErrorCode::NameInUse)),
        }
    };
    assert_eq!(bob.registered.agent_id, old.agent_id);
    assert_eq!(bob.registered.incarnation, old.incarnation + 1);
    assert_eq!(bob.check(), ["before"]);
    let notice = alice.fetch().remove(0);
    let expected = SystemEvent::NameReclaimed { name: name("bob") };
    assert_eq!(notice.event, Some(expected));
    let old = house.resume(old.resume.as_ref().unwrap(), "bob", WhenLive::TakeOver);
    assert_eq!(
        code(old),
        ErrorCode::Unauthenticated,
        "the former owner is out"
    );
}

#[test]
fn an_alias_belongs_to_its_renamer_and_to_nobody_else() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.rename("robert").unwrap();
    let refused = refusal(house.try_register("BOB").map(|_| ()));
    assert_eq!(refused.code, ErrorCode::NameReserved);
    assert_eq!(refused.retry_after_ms, Some(7_200_000));
    assert_eq!(code(alice.rename("bob")), ErrorCode::NameReserved);
    let back = house.resume(bob.resume(), "bob", WhenLive::Join).unwrap();
    assert_eq!(
        back.registered.name,
        name("robert"),
        "the renamer may ask by it"
    );
    house.clock.pass(HOUR);
    assert_eq!(
        bob.rename("bob").unwrap().name,
        name("bob"),
        "and take it back"
    );
    assert_eq!(bob.whoami().unwrap().aliases, [name("robert")]);
}

#[test]
fn an_alias_forwards_at_7199_seconds_and_no_longer_at_7200() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.rename("robert").unwrap();
    let mut outcome = |to: &str| alice.send(to, "x").recipients.remove(0).outcome;
    let forwarded = RecipientOutcome::Forwarded { from: name("bob") };
    assert_eq!(
        outcome("Bob"),
        RecipientOutcome::Forwarded { from: name("Bob") }
    );
    house.clock.pass(7_199);
    assert_eq!(outcome("bob"), forwarded);
    house.clock.pass(1);
    assert!(matches!(outcome("bob"), RecipientOutcome::Unclaimed { .. }));
    house.clock.pass(1);
    assert!(matches!(outcome("bob"), RecipientOutcome::Unclaimed { .. }));
    let mail = bob.fetch();
    assert_eq!(mail.len(), 2);
    assert_eq!(mail[1].via_alias, Some(name("bob")));
    assert_eq!(
        house.register("bob").registered.waiting,
        2,
        "free for anybody now"
    );
}

#[test]
fn chains_of_renames_are_one_hop_and_never_a_loop() {
    let house = House::with_config("[limits]\nrename_cooldown_s = 0\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("b0"));
    for number in 1..=5 {
        bob.rename(&format!("b{number}")).unwrap();
    }
    for number in 0..5 {
        let sent = alice.send(&format!("b{number}"), "hop");
        assert_eq!(sent.recipients[0].name, name("b5"));
    }
    // There and back again: the names change places, and each leads to its own agent.
    bob.rename("b0").unwrap();
    assert_eq!(
        alice.send("b0", "home").recipients[0].outcome,
        RecipientOutcome::Stored
    );
    assert_eq!(bob.check().len(), 6);
    let mut aliases = bob.whoami().unwrap().aliases;
    aliases.sort_by_key(ipc_protocol::name::Name::folded);
    assert_eq!(aliases, ["b1", "b2", "b3", "b4", "b5"].map(name));
}

#[test]
fn renaming_waits_an_hour_but_names_that_a_program_chose_are_free_to_go_once() {
    let house = House::new();
    let mut bob = house.register("bob");
    bob.rename("robert").unwrap();
    let refused = refusal(bob.rename("rob"));
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert_eq!(refused.retry_after_ms, Some(3_600_000));
    assert_eq!(
        bob.rename("ROBERT").unwrap().told,
        0,
        "another case is no rename"
    );
    house.clock.pass(HOUR);
    bob.rename("rob").unwrap();
    let mut request = registration("project-2", WhenLive::Refuse);
    request.automatic = true;
    let mut client = house.operator();
    let registered = client.call(&request).unwrap();
    let mut automatic = Agent { client, registered };
    automatic.rename("chosen").unwrap();
    assert_eq!(code(automatic.rename("other")), ErrorCode::RateLimited);
}

#[test]
fn renaming_onto_a_taken_name_is_refused_and_changes_nothing() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    assert_eq!(code(bob.rename("ALICE")), ErrorCode::NameInUse);
    assert_eq!(bob.whoami().unwrap().name, name("bob"));
    assert_eq!(
        alice.send("bob", "x").recipients[0].outcome,
        RecipientOutcome::Stored
    );
    bob.rename("robert")
        .expect("a refused rename costs no waiting");
}

#[test]
fn two_claims_of_one_name_at_once_have_one_winner() {
    let house = House::new();
    let mut clients: Vec<_> = (0..6).map(|_| house.operator()).collect();
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let claims: Vec<_> = clients
            .iter_mut()
            .map(|client| {
                scope.spawn(|| client.call(&registration("bob", WhenLive::Refuse)).is_ok())
            })
            .collect();
        claims.into_iter().map(|c| c.join().unwrap()).collect()
    });
    assert_eq!(
        outcomes.iter().filter(|won| **won).count(),
        1,
        "{outcomes:?}"
    );
}

#[test]
fn an_operator_frees_any_name_and_an_agent_cannot() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "refused with the release");
    let release = |name_: &str| AdminRelease { name: name(name_) };
    assert_eq!(code(alice.call(&release("bob"))), ErrorCode::Forbidden);
    let mut operator = house.operator();
    assert_eq!(code(operator.call(&release("nobody"))), ErrorCode::NotFound);
    assert_eq!(operator.call(&release("bob")).unwrap().refused, 1);
    let ended = bob.call(&Fetch::default());
    assert_eq!(
        code(ended),
        ErrorCode::Expired,
        "its connection hears of it"
    );
    let resumed = house.resume(bob.resume(), "bob", WhenLive::TakeOver);
    assert_eq!(code(resumed), ErrorCode::Unauthenticated);
    let bob = house.register("bob");
    assert_ne!(bob.registered.agent_id, alice.registered.agent_id);
    alice.rename("alicia").unwrap();
    operator.call(&release("alice")).expect("an alias, too");
    house.register("alice");
}

#[test]
fn mail_to_an_agent_id_follows_the_agent_and_never_the_name() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = bob.registered.agent_id.to_string();
    bob.rename("robert").unwrap();
    assert_eq!(alice.send(&id, "to you").recipients[0].name, name("robert"));
    assert_eq!(bob.check(), ["to you"]);
    bob.call(&Unregister {}).unwrap();
    house.register("robert");
    let gone = alice.call(&message(&id, "to whom?"));
    assert_eq!(code(gone), ErrorCode::UnknownRecipient);
}

#[test]
fn a_credential_of_one_agent_opens_no_other() {
    let house = House::new();
    let (alice, bob) = (house.register("alice"), house.register("bob"));
    for when_live in [WhenLive::Refuse, WhenLive::Join, WhenLive::TakeOver] {
        let stolen = house.resume(alice.resume(), "bob", when_live);
        assert_eq!(code(stolen), ErrorCode::Conflict);
    }
    let nobodys = house.resume(bob.resume(), "carol", WhenLive::Join);
    assert_eq!(code(nobodys), ErrorCode::Conflict);
    let mut unregistered = house.prove(&secret(SECRET)).unwrap();
    assert_eq!(
        code(unregistered.call(&Fetch::default())),
        ErrorCode::Unauthenticated
    );
}
