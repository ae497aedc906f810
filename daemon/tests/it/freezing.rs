//! Freezing: at once, on every connection, over a restart and a restore, and nothing is lost.

use ipc_daemon::store::backup;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::DeliveryState;
use ipc_protocol::request::{
    AdminBackup, AdminFreeze, AdminReaders, AdminRevoke, AdminThaw, Fetch, Freeze, Freezes, Frozen,
    FrozenReport, Rename, Status, Unregister, WhenLive,
};
use ipc_protocol::time::Timestamp;

use crate::harness::{Agent, House, code, name};

fn freeze(house: &House, agent: &str) -> FrozenReport {
    let agent = Some(agent.parse().unwrap());
    house.operator().call(&AdminFreeze { agent }).unwrap()
}

fn thaw(house: &House, agent: &str) -> FrozenReport {
    let agent = agent.parse().unwrap();
    house.operator().call(&AdminThaw { agent }).unwrap()
}

fn readers(of: &str) -> AdminReaders {
    AdminReaders {
        sent_by: of.parse().unwrap(),
        since_ms: None,
        before: None,
        limit: None,
    }
}

/// Everything that a frozen agent may not do is refused, and what it may do is not.
fn check_frozen(agent: &mut Agent) {
    assert_eq!(code(agent.try_send("alice", "x")), ErrorCode::Frozen);
    assert_eq!(code(agent.call(&Fetch::default())), ErrorCode::Frozen);
    let rename = Rename {
        new_name: name("other"),
    };
    assert_eq!(code(agent.call(&rename)), ErrorCode::Frozen);
    assert_eq!(code(agent.call(&Unregister {})), ErrorCode::Frozen);
    assert!(agent.whoami().unwrap().frozen.is_some());
    assert!(agent.call(&Status {}).unwrap().frozen.you.is_some());
}

#[test]
fn whoever_is_frozen_is_told_so_and_since_when_and_an_operator_how_many() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    assert_eq!(bob.whoami().unwrap().frozen, None);
    let since = Timestamp::from_millis;
    let first = since(1_800_000_000_000);
    freeze(&house, "bob");
    house.clock.pass(60);
    alice.send("bob", "meanwhile");
    let own = Freeze {
        whom: Frozen::Agent,
        since_ms: first,
    };
    let report = bob.whoami().unwrap();
    assert_eq!((report.frozen, report.waiting), (Some(own), 1));
    assert_eq!(alice.whoami().unwrap().frozen, None);
    freeze(&house, "all");
    let all = Freeze {
        whom: Frozen::Everybody,
        since_ms: first.plus_millis(60_000),
    };
    assert_eq!(
        bob.whoami().unwrap().frozen,
        Some(own),
        "thawing all leaves it"
    );
    assert_eq!(alice.whoami().unwrap().frozen, Some(all));
    let freezes = |you| Freezes {
        agents: 1,
        everybody_since_ms: Some(all.since_ms),
        you,
    };
    let status = |agent: &mut Agent| agent.call(&Status {}).unwrap().frozen;
    assert_eq!(status(&mut bob), freezes(Some(own)));
    assert_eq!(status(&mut alice), freezes(Some(all)));
    let seen = house.operator().call(&Status {}).unwrap().frozen;
    assert_eq!(seen, freezes(None));
    thaw(&house, "all");
    thaw(&house, "bob");
    assert_eq!(status(&mut bob), Freezes::default());
}

#[test]
fn a_frozen_agent_does_nothing_on_any_connection_and_its_mail_is_kept() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "before");
    let report = freeze(&house, "bob");
    assert!(report.changed && !report.everybody);
    assert_eq!(report.agents[0].name, name("bob"));
    assert!(!freeze(&house, "bob").changed, "said twice");
    check_frozen(&mut bob);
    let mut again = house.reconnect(&bob).unwrap();
    assert_eq!(code(again.call(&Fetch::default())), ErrorCode::Frozen);
    let back = house.resume(bob.resume(), "bob", WhenLive::TakeOver);
    assert_eq!(code(back), ErrorCode::Frozen);
    alice.send("bob", "meanwhile");
    assert_eq!(alice.check(), Vec::<String>::new(), "others go on");
    assert!(thaw(&house, "bob").agents.is_empty());
    assert_eq!(bob.check(), ["before", "meanwhile"]);
}

#[test]
fn whoever_waits_is_woken_and_refused() {
    let house = House::new();
    let mut bob = house.register("bob");
    // Known to be empty, so that only memory could let it wait.
    assert!(bob.fetch().is_empty());
    for agent in ["bob", "all"] {
        let mut waiting = house.reconnect(&bob).unwrap();
        let fetch = Fetch {
            wait_ms: 3_600_000,
            ..Fetch::default()
        };
        let thread = std::thread::Builder::new();
        let waits = thread.spawn(move || code(waiting.call(&fetch))).unwrap();
        freeze(&house, agent);
        assert_eq!(waits.join().unwrap(), ErrorCode::Frozen, "{agent}");
        thaw(&house, agent);
    }
}

#[test]
fn while_everybody_is_frozen_nobody_comes_in_and_thawing_all_leaves_those_frozen_by_name() {
    let mut house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    freeze(&house, "bob");
    let report = freeze(&house, "all");
    assert!(report.everybody && report.changed);
    check_frozen(&mut alice);
    assert_eq!(code(house.try_register("eve")), ErrorCode::Frozen);
    house.restart();
    let mut alice = Agent {
        client: house.reconnect(&alice).unwrap(),
        registered: alice.registered,
    };
    check_frozen(&mut alice);
    let report = thaw(&house, "all");
    assert!(report.changed && !report.everybody);
    assert_eq!(report.agents.len(), 1);
    alice.send("bob", "back again");
    bob.client = house.reconnect(&bob).unwrap();
    check_frozen(&mut bob);
    house.register("eve");
}

#[test]
fn a_restore_does_not_thaw_who_was_frozen_since() {
    let mut house = House::new();
    let mut bob = house.register("bob");
    house.operator().call(&AdminBackup {}).unwrap();
    freeze(&house, "bob");
    freeze(&house, "all");
    house.stop().unwrap();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    house.restore(&newest, Timestamp::from_millis(7)).unwrap();
    house.start().unwrap();
    let report = house.operator().call(&AdminFreeze::default()).unwrap();
    assert!(report.everybody && !report.changed);
    assert_eq!(report.agents[0].name, name("bob"));
    thaw(&house, "all");
    let back = house.resume(bob.resume(), "bob", WhenLive::Join);
    assert_eq!(code(back), ErrorCode::Frozen);
    thaw(&house, "bob");
    bob = house.resume(bob.resume(), "bob", WhenLive::Join).unwrap();
    assert!(bob.check().is_empty());
}

#[test]
fn a_frozen_agents_name_is_not_forgotten_and_ending_it_ends_the_freeze() {
    let house = House::new();
    let bob = house.register("bob");
    freeze(&house, "bob");
    drop(bob.client);
    house.clock.pass(30 * 86_400);
    assert_eq!(code(house.try_register("bob")), ErrorCode::Frozen);
    let release = ipc_protocol::request::AdminRelease { name: name("bob") };
    house.operator().call(&release).unwrap();
    house.register("bob").send("bob", "somebody else");
}

#[test]
fn revoking_everybody_ends_every_session_and_every_way_back() {
    let house = House::new();
    let (alice, bob) = (house.register("alice"), house.register("bob"));
    let all = AdminRevoke {
        name: "all".parse().unwrap(),
    };
    assert_eq!(house.operator().call(&all).unwrap().sessions, 2);
    for agent in [&alice, &bob] {
        assert!(house.reconnect(agent).is_err());
        let name = agent.registered.name.as_str();
        assert!(house.resume(agent.resume(), name, WhenLive::Join).is_err());
    }
    assert_eq!(
        house.register("bob").registered.incarnation,
        2,
        "with the secret"
    );
}

#[test]
fn an_operator_sees_who_read_what_an_agent_wrote_and_none_of_its_text() {
    let house = House::new();
    let (mut eve, mut bob) = (house.register("eve"), house.register("bob"));
    let first = eve.send("bob", "do something foolish").message_id;
    bob.check();
    house.clock.pass(60);
    let since = Timestamp::from_millis(1_800_000_030_000);
    eve.send("bob", "not read yet");
    eve.send("nobody-yet", "for whoever comes");
    let id = eve.registered.agent_id;
    let page = house.operator().call(&readers("eve")).unwrap();
    assert_eq!((page.agent_id, page.messages.len()), (id, 3));
    let reader = &page.messages[2].recipients[0];
    assert_eq!(page.messages[2].message_id, first);
    assert_eq!(reader.state, DeliveryState::Delivered);
    assert_eq!(reader.agent_id, Some(bob.registered.agent_id));
    assert!(reader.delivered_ms.is_some());
    assert_eq!(page.messages[1].recipients[0].state, DeliveryState::Stored);
    assert_eq!(page.messages[0].recipients[0].agent_id, None);
    assert!(!serde_json::to_string(&page).unwrap().contains("foolish"));
    let late = AdminReaders {
        since_ms: Some(since),
        limit: Some(1),
        ..readers("eve")
    };
    let newest = house.operator().call(&late).unwrap();
    let before = newest.next_before;
    assert_eq!(newest.messages.len(), 1);
    let rest = AdminReaders {
        since_ms: Some(since),
        before,
        ..readers("eve")
    };
    let rest = house.operator().call(&rest).unwrap();
    assert_eq!((rest.messages.len(), rest.next_before), (1, None));
    eve.call(&Unregister {}).unwrap();
    let gone = house.operator().call(&readers("eve"));
    assert_eq!(code(gone), ErrorCode::NotFound);
    let by_id = house.operator().call(&readers(&id.to_string())).unwrap();
    assert_eq!((by_id.name, by_id.messages.len()), (None, 3));
}

#[test]
fn agents_neither_freeze_nor_thaw_nor_see_who_read_what() {
    let house = House::new();
    let mut alice = house.register("alice");
    let agent = || "alice".parse().unwrap();
    let freeze = AdminFreeze {
        agent: Some(agent()),
    };
    assert_eq!(code(alice.call(&freeze)), ErrorCode::Forbidden);
    assert_eq!(
        code(alice.call(&AdminThaw { agent: agent() })),
        ErrorCode::Forbidden
    );
    assert_eq!(code(alice.call(&readers("alice"))), ErrorCode::Forbidden);
    let mut operator = house.operator();
    for nobody in ["nobody", "a.0000000000000"] {
        let agent = Some(nobody.parse().unwrap());
        assert_eq!(
            code(operator.call(&AdminFreeze { agent })),
            ErrorCode::NotFound
        );
        assert_eq!(code(operator.call(&readers(nobody))), ErrorCode::NotFound);
    }
    let group = "c.0000000000000".parse().unwrap();
    assert_eq!(
        code(operator.call(&AdminThaw { agent: group })),
        ErrorCode::Malformed
    );
}
