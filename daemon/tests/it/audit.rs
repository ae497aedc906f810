//! The audit log of a running daemon: what is in it, what is never in it, and who can write it.

mod upkeep;

use ipc_daemon::audit::anchor::{Anchor, Anchors};
use ipc_daemon::audit::reading::{self, Record, Wanted};
use ipc_daemon::audit::verify::{self, Finding, Report};
use ipc_daemon::{DaemonError, deployment::DeploymentError};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{
    AdminFreeze, AdminRelease, AdminRevoke, AdminThaw, Boundaries, BoundaryRule, Renew, Revoke,
    Unregister, WhenLive,
};
use ipc_protocol::time::Timestamp;
use serde_json::json;

use crate::harness::{House, code, name, secret};

/// Everything in the log; the daemon has stopped, so that all of it is written.
fn records(house: &House) -> Vec<Record> {
    let wanted = Wanted {
        limit: usize::MAX,
        ..Wanted::default()
    };
    let page = reading::read(&house.data_dir().audit(), &wanted, &house.inside()).unwrap();
    assert_eq!(page.unreadable, 0);
    page.records
}

fn events(house: &House) -> Vec<String> {
    let records = records(house);
    records
        .iter()
        .map(|record| record.event().to_owned())
        .collect()
}

/// The records of what was refused, with how many: request, code and number.
fn denials(house: &House) -> Vec<(String, String, u64)> {
    let field = |record: &Record, wanted: &str| {
        let fact = record.facts().find(|(field, _)| *field == wanted);
        fact.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let denials = records(house).into_iter().filter(Record::is_denial);
    denials
        .map(|record| {
            let text = |wanted| {
                field(&record, wanted)
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let count = field(&record, "count").as_u64().unwrap_or(1);
            (text("request"), text("code"), count)
        })
        .collect()
}

fn verified(house: &House, anchors: &Anchors) -> Report {
    let report = verify::verify(&house.data_dir().audit(), anchors, &house.inside()).unwrap();
    assert!(report.findings.is_empty(), "{report:?}");
    report
}

/// What a day of alice, bob and an operator leaves in the log.
const ALL: [&str; 16] = [
    "file",
    "started",
    "session_opened",
    "session_opened",
    "renamed",
    "session_opened",
    "boundary_set",
    "frozen",
    "thawed",
    "session_ended",
    "revoked",
    "agent_ended",
    "session_ended",
    "session_ended",
    "released",
    "stopped",
];

#[test]
fn what_agents_and_operators_do_is_in_the_log_and_the_log_is_whole() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    let bob = house.register("bob");
    alice.rename("alicia").unwrap();
    alice.call(&Renew {}).unwrap();
    let block = Boundaries {
        peer: Some("bob".parse().unwrap()),
        rule: Some(BoundaryRule::Block),
        allow_only: None,
    };
    alice.call(&block).unwrap();
    let mut operator = house.operator();
    let agent = || "bob".parse().unwrap();
    let freeze = AdminFreeze {
        agent: Some(agent()),
    };
    // What changes nothing is no event.
    for _ in 0..2 {
        operator.call(&freeze).unwrap();
    }
    for _ in 0..2 {
        operator.call(&AdminThaw { agent: agent() }).unwrap();
    }
    operator.call(&AdminRevoke { name: agent() }).unwrap();
    let name = name("alicia");
    operator.call(&AdminRelease { name }).unwrap();
    drop((alice, bob));
    house.stop().unwrap();
    assert_eq!(events(&house), ALL);
    verified(&house, &Anchors::default());
}

/// What a record says in `field`.
fn fact(record: &Record, field: &str) -> String {
    let mut facts = record.facts();
    let found = facts.find(|(name, _)| *name == field);
    found.map_or_else(String::new, |(_, value)| {
        value.as_str().unwrap_or_default().to_owned()
    })
}

/// What ended agents and sessions, in the order of the log.
fn ends(house: &House) -> Vec<String> {
    let records = records(house).into_iter();
    let ends = records.filter_map(|record| match record.event() {
        "session_ended" => Some(fact(&record, "why")),
        "agent_ended" => Some(fact(&record, "reason")),
        _ => None,
    });
    ends.collect()
}

#[test]
fn the_log_says_what_ended_a_session_and_not_only_that_it_is_over() {
    let mut house = House::new();
    house.register("alice").call(&Unregister {}).unwrap();
    let mut bob = house.register("bob");
    bob.call(&Revoke { all: false }).unwrap();
    let carol = house.register("carol");
    let again = house.resume(carol.resume(), "carol", WhenLive::TakeOver);
    let agent = || "carol".parse().unwrap();
    let mut operator = house.operator();
    operator.call(&AdminRevoke { name: agent() }).unwrap();
    let dora = house.register("dora");
    let name = name("dora");
    operator.call(&AdminRelease { name }).unwrap();
    drop((bob, carol, again, dora));
    house.register("eve");
    house.clock.pass(15 * 86_400);
    house.register("eve");
    house.stop().unwrap();
    let expected = [
        "unregistered",
        "unregistered",
        "revoked",
        "taken_over",
        "revoked_by_operator",
        "released",
        "released",
        "forgotten",
        "forgotten",
    ];
    assert_eq!(ends(&house), expected);
}

#[test]
fn no_body_token_or_secret_is_ever_in_the_log() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.send("alice", "a body nobody else should read");
    let tokens =
        [&alice.registered.session, alice.resume()].map(|token| token.expose().to_string());
    drop(house.prove(&secret("a wrong secret that somebody typed")));
    drop(alice);
    house.stop().unwrap();
    let log = std::fs::read_to_string(house.data_dir().audit().join("00000000000000000001.jsonl"));
    let log = log.unwrap();
    assert!(log.contains("alice"));
    let keys = tokens.iter().map(|token| token.get(30..60).unwrap());
    for never in keys.chain([
        "nobody else should",
        crate::harness::SECRET,
        "somebody typed",
    ]) {
        assert!(!log.contains(never), "{never}");
    }
}

#[test]
fn a_newline_in_what_a_client_says_of_itself_adds_no_line_to_the_log() {
    let mut house = House::new();
    let forged = "x\n{\"n\":9,\"t\":\"2027-01-15T08:00:00Z\",\"event\":\"thawed\"}";
    for params in [
        json!({"name": "eve", "host": {"pid": 1, "program": forged}}),
        json!({"name": forged}),
    ] {
        let mut raw = crate::harness::raw::Raw::proved(&house, &secret(crate::harness::SECRET));
        let reply = raw.ask(1, "register", &params);
        assert!(reply["error"].is_object(), "{reply}");
    }
    drop(house.register("honest"));
    house.stop().unwrap();
    let expected = ["file", "started", "session_opened", "stopped"];
    assert_eq!(events(&house), expected);
    verified(&house, &Anchors::default());
}

#[test]
fn refusals_are_in_the_log_and_a_flood_of_them_is_a_number() {
    let mut house = House::with_config("[limits]\nfetch_per_minute = 5\n");
    let mut alice = house.register("alice");
    assert_eq!(code(house.try_register("alice")), ErrorCode::NameInUse);
    drop(house.prove(&secret("not the secret at all")));
    for _ in 0..50 {
        drop(alice.call(&ipc_protocol::request::Fetch::default()));
    }
    assert_eq!(
        code(alice.call(&AdminFreeze::default())),
        ErrorCode::RateLimited
    );
    drop(alice);
    house.stop().unwrap();
    let denials = denials(&house);
    let number = |request: &str, code: &str| -> u64 {
        let of = denials.iter().filter(|(r, c, _)| r == request && c == code);
        of.map(|(_, _, count)| count).sum()
    };
    assert_eq!(number("register", "name_in_use"), 1);
    assert_eq!(number("authenticate", "unauthenticated"), 1);
    assert!(number("fetch", "rate_limited") >= 40, "{denials:?}");
    assert!(denials.len() <= 6, "{denials:?}");
}

#[test]
fn a_token_after_its_grace_is_refused_and_that_is_in_the_log() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.call(&Renew {}).unwrap();
    house.clock.pass(61);
    assert_eq!(code(house.reconnect(&alice)), ErrorCode::Expired);
    drop(alice);
    house.stop().unwrap();
    let denials = denials(&house);
    assert!(
        denials
            .iter()
            .any(|(request, code, _)| request == "authenticate" && code == "expired"),
        "{denials:?}"
    );
}

#[test]
fn an_agent_that_administers_is_refused_and_that_is_in_the_log() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    assert_eq!(
        code(alice.call(&AdminFreeze::default())),
        ErrorCode::Forbidden
    );
    drop(alice);
    house.stop().unwrap();
    let forbidden = ("admin_freeze".to_owned(), "forbidden".to_owned(), 1);
    assert_eq!(denials(&house), [forbidden]);
}

#[test]
fn a_second_daemon_never_writes_the_log() {
    let mut house = House::new();
    drop(house.register("alice"));
    assert!(matches!(
        house.start_another(),
        Err(DaemonError::Deployment(DeploymentError::AlreadyRunning(_)))
    ));
    drop(house.register("bob"));
    house.stop().unwrap();
    let started = events(&house)
        .iter()
        .filter(|event| *event == "started")
        .count();
    assert_eq!(started, 1);
    verified(&house, &Anchors::default());
}

#[test]
fn the_chain_goes_on_over_starts_and_agrees_with_anchors_of_before() {
    let mut house = House::new();
    let token = crate::harness::copy(house.register("alice").resume());
    house.stop().unwrap();
    let at = Timestamp::from_millis(0);
    let anchor = Anchor::of(&house.data_dir().audit(), at).unwrap().unwrap();
    let anchors: Anchors = anchor.to_string().parse().unwrap();
    house.start().unwrap();
    drop(house.resume(&token, "alice", WhenLive::TakeOver).unwrap());
    house.stop().unwrap();
    let report = verified(&house, &anchors);
    assert_eq!(report.anchors, 1);
    assert!(report.last > anchor.sequence());
    let took_over = records(&house).into_iter().any(|record| {
        let mut facts = record.facts();
        facts.any(|(field, value)| field == "how" && value == "took_over")
    });
    assert!(took_over);
}

#[test]
fn an_audit_log_that_somebody_spoiled_does_not_keep_the_daemon_from_starting() {
    let mut house = House::new();
    house.stop().unwrap();
    std::fs::write(house.data_dir().audit().join("state"), b"spoiled").unwrap();
    house.start().unwrap();
    drop(house.register("alice"));
    house.stop().unwrap();
    let report = verify::verify(
        &house.data_dir().audit(),
        &Anchors::default(),
        &house.inside(),
    )
    .unwrap();
    assert_eq!(report.findings.len(), 1, "and it is told: {report:?}");
}

#[test]
fn a_log_that_is_removed_while_no_daemon_runs_is_missed_at_the_next_start() {
    let mut house = House::new();
    drop(house.register("alice"));
    house.stop().unwrap();
    std::fs::remove_dir_all(house.data_dir().audit()).unwrap();
    house.start().unwrap();
    house.stop().unwrap();
    assert_eq!(events(&house), ["file", "broken", "started", "stopped"]);
    let report = verify::verify(
        &house.data_dir().audit(),
        &Anchors::default(),
        &house.inside(),
    )
    .unwrap();
    assert_eq!(report.findings, [Finding::BegunAnew { sequence: 2 }]);
}
