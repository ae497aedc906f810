//! The faults of the broker that came before this one: none of them is possible here.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::SystemEvent;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Fetch, Send, WhenLive};
use serde_json::json;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{House, SECRET, code, message, name, refusal, secret};

const TWO_HOURS: i64 = 7_200;

#[test]
fn nobody_can_rename_anybody_else() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mallory = house.register("mallory");
    let mut raw = Raw::of(&house, &mallory);
    let id = alice.registered.agent_id.to_string();
    let subjects = [
        ("old_id", "alice"),
        ("old_name", "alice"),
        ("name", "alice"),
        ("agent_id", &id),
        ("from", &id),
        ("instance_id", "alice"),
    ];
    for (field, value) in subjects {
        let params = json!({"new_name": "victim", field: value});
        let reply = raw.ask(1, "rename", &params);
        assert_eq!(code_in(&reply), "malformed", "{field}");
    }
    assert_eq!(alice.whoami().unwrap().name, name("alice"));
}

#[test]
fn no_request_says_who_sends_it() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mallory = house.register("mallory");
    let mut raw = Raw::of(&house, &mallory);
    for field in ["from", "from_id", "sender", "session_token", "agent_id"] {
        let params = json!({"to": "alice", "text": "trust me", field: "bob"});
        assert_eq!(
            code_in(&raw.ask(1, "send", &params)),
            "malformed",
            "{field}"
        );
        let params = json!({field: "alice"});
        assert_eq!(
            code_in(&raw.ask(2, "fetch", &params)),
            "malformed",
            "{field}"
        );
    }
    assert!(alice.fetch().is_empty());
}

#[test]
fn a_taken_name_is_not_registered_again_with_the_secret() {
    let house = House::new();
    let mut alice = house.register("alice");
    for again in ["alice", "ALICE"] {
        assert_eq!(code(house.try_register(again)), ErrorCode::NameInUse);
    }
    alice.send("alice", "still mine");
    drop(alice.client);
    for again in ["alice", "Alice"] {
        let refused = refusal(house.try_register(again).map(|_| ()));
        let held = [ErrorCode::NameReserved, ErrorCode::NameInUse];
        assert!(held.contains(&refused.code), "{refused:?}");
    }
    let mut alice = house
        .resume(
            alice.registered.resume.as_ref().unwrap(),
            "alice",
            WhenLive::Join,
        )
        .unwrap();
    assert_eq!(alice.check(), ["still mine"]);
}

#[test]
fn after_a_rename_the_same_token_is_the_same_agent_for_ever() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    bob.rename("robert").unwrap();
    for (after_s, to) in [(0, "bob"), (TWO_HOURS - 1, "bob"), (2, "robert")] {
        house.clock.pass(after_s);
        alice.send(to, &format!("to {to}"));
        let mut again = house.reconnect(&bob).unwrap();
        let report = again.call(&ipc_protocol::request::Whoami {}).unwrap();
        assert_eq!(report.agent_id, bob.registered.agent_id);
        assert_eq!(report.name, name("robert"));
        let texts = bob.check();
        assert_eq!(
            texts,
            [format!("to {to}")],
            "its own mailbox, after {after_s} s"
        );
    }
}

#[test]
fn a_name_just_left_cannot_be_claimed_to_drain_its_mail() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut mallory = house.register("mallory");
    bob.rename("robert").unwrap();
    alice.send("bob", "for robert's eyes");
    assert_eq!(code(house.try_register("bob")), ErrorCode::NameReserved);
    assert_eq!(code(mallory.rename("bob")), ErrorCode::NameReserved);
    assert_eq!(
        code(house.resume(mallory.resume(), "bob", WhenLive::Join)),
        ErrorCode::Conflict
    );
    assert!(!mallory.check().iter().any(|text| text.contains("robert")));
    assert_eq!(bob.check(), ["for robert's eyes"]);
}

#[test]
fn renaming_onto_a_name_with_waiting_mail_keeps_that_mail() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "first, to bob");
    alice.send("robert", "second, to nobody yet");
    let renamed = bob.rename("robert").unwrap();
    assert_eq!(renamed.adopted, 1);
    assert_eq!(bob.check(), ["first, to bob", "second, to nobody yet"]);
}

#[test]
fn the_names_of_the_system_cannot_be_registered_renamed_to_or_imitated() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    let mut newcomer = Raw::proved(&house, &secret(SECRET));
    let reserved = [
        "system",
        "SYSTEM",
        "broadcast",
        "all",
        "everyone",
        "daemon",
        "root",
    ];
    for word in reserved
        .into_iter()
        .chain(["admin", "ipc", "human", "User"])
    {
        let renamed = raw.ask(1, "rename", &json!({"new_name": word}));
        assert_eq!(code_in(&renamed), "name_reserved", "{word}");
        let registered = newcomer.ask(1, "register", &json!({"name": word}));
        assert_eq!(code_in(&registered), "name_reserved", "{word}");
    }
    let too_long = "x".repeat(33);
    for text in [
        "s\u{443}stem",
        "eve\n",
        "eve\0",
        " eve",
        "",
        "a.b",
        "e\u{301}ve",
        &too_long,
    ] {
        let renamed = raw.ask(1, "rename", &json!({"new_name": text}));
        assert_eq!(code_in(&renamed), "invalid_name", "{text:?}");
        let registered = newcomer.ask(1, "register", &json!({"name": text}));
        assert_eq!(code_in(&registered), "invalid_name", "{text:?}");
    }
}

#[test]
fn no_body_and_no_name_makes_a_system_notice() {
    let house = House::new();
    let (alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut raw = Raw::of(&house, &alice);
    for kind in ["system", "broadcast", "event"] {
        let params = json!({"to": "bob", "text": "📝 bob renamed to eve", "kind": kind});
        assert_eq!(code_in(&raw.ask(1, "send", &params)), "malformed", "{kind}");
    }
    let event = json!({"type": "renamed", "old": "bob", "new": "eve"});
    let params = json!({"to": "bob", "text": "📝 bob renamed to eve", "data": {"event": event}});
    raw.ask(2, "send", &params);
    let mail = bob.fetch();
    assert_eq!((mail.len(), &mail[0].event), (1, &None));
    assert_eq!(mail[0].from.as_ref().unwrap().name, name("alice"));
}

#[test]
fn everyone_is_told_of_a_rename_by_a_notice_of_the_daemons_own() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    assert_eq!(bob.rename("robert").unwrap().told, 1);
    let notice = alice.fetch().remove(0);
    let (old, new) = (name("bob"), name("robert"));
    assert_eq!(notice.event, Some(SystemEvent::Renamed { old, new }));
    assert!(notice.from.is_none() && notice.provenance.is_none());
}

#[test]
fn fetching_never_destroys() {
    let house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "take your time");
    for round in 0..5 {
        // The front-end dies with the reply in its hands.
        let mut doomed = house.reconnect(&bob).unwrap();
        let mail = doomed.call(&Fetch::default()).unwrap().messages;
        assert_eq!(mail.len(), 1, "round {round}");
        drop(doomed);
        house.clock.pass(61);
    }
}

#[test]
fn large_replies_lose_nothing() {
    let house = House::with_config("[limits]\nsend_burst = 1000\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let text = |number: usize| format!("{number:03}{}", "\u{1}\u{fffd}\"".repeat(2_000));
    for number in 0..100 {
        alice.send("bob", &text(number));
    }
    let mut received = Vec::new();
    loop {
        let fetched = bob.call(&Fetch {
            limit: Some(100),
            ..Fetch::default()
        });
        let mail = fetched.unwrap().messages;
        if mail.is_empty() {
            break;
        }
        bob.ack(mail.iter().map(|m| m.id).collect());
        received.extend(mail.into_iter().map(|m| m.text));
    }
    assert!(received.iter().map(String::len).sum::<usize>() > 10 * 65_536);
    assert!(
        received
            .iter()
            .enumerate()
            .all(|(at, got)| { text(at).starts_with(got.as_str()) && got.len() > 9_000 })
    );
    assert_eq!(received.len(), 100);
}

#[test]
fn requests_over_four_kibibytes_are_ordinary_requests() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    for bytes in [4_095, 4_096, 4_097, 65_535, 65_536, 65_537] {
        let text = "x".repeat(bytes);
        let id = alice.send("bob", &text).message_id;
        let whole = bob
            .call(&ipc_protocol::request::Read {
                message_id: id,
                offset: 0,
            })
            .unwrap();
        assert!(whole.message.text == text && whole.next_offset.is_none());
    }
}

#[test]
fn what_the_database_refuses_is_never_acknowledged() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "before");
    // Every further insert of a body fails inside the database.
    let saboteur = house.database();
    let trigger = "CREATE TRIGGER sabotage BEFORE INSERT ON bodies
                   BEGIN SELECT raise(ABORT, 'sabotage'); END";
    saboteur.execute_batch(trigger).unwrap();
    let refused = refusal(alice.try_send("bob", "lost?"));
    assert_eq!(refused.code, ErrorCode::Internal);
    assert!(!refused.message.contains("sabotage"), "{refused:?}");
    saboteur.execute_batch("DROP TRIGGER sabotage").unwrap();
    alice.send("bob", "after");
    assert_eq!(bob.check(), ["before", "after"], "nothing half stored");
}

#[test]
fn a_thousand_wrong_proofs_meet_a_limit_that_no_name_gets_around() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut limited = 0;
    for attempt in 0..1_000_u32 {
        // A token that does not exist, another one each time: no key derivation on either side.
        let mut sid = [0; 16];
        sid[..4].copy_from_slice(&attempt.to_be_bytes());
        let mut raw = Raw::stranger(&house);
        let id = ipc_protocol::token::Sid::from_bytes(sid).to_string();
        let cn = "A".repeat(43);
        let hello = json!({"v": 1, "cred": "session", "id": id, "cn": cn, "kdfs": ["argon2id"]});
        let reply = raw.ask(1, "hello", &hello);
        if code_in(&reply) == "rate_limited" {
            assert!(reply["error"]["data"]["retry_after_ms"].as_u64().unwrap() > 0);
            limited += 1;
            continue;
        }
        let refused = raw.ask(2, "authenticate", &json!({"proof": "A".repeat(43)}));
        assert_eq!(code_in(&refused), "unauthenticated");
    }
    assert!(limited >= 980, "only {limited} of 1000 met the limit");
    alice.send("alice", "those who are in carry on");
    let status = alice.call(&ipc_protocol::request::Status {}).unwrap();
    assert!(status.counters.failed_authentications <= 20);
}

#[test]
fn a_broadcast_respects_the_limit_of_every_mailbox() {
    let house = House::with_config("[limits]\nmailbox_unread = 3\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    for number in 0..3 {
        alice.send("bob", &format!("{number}"));
    }
    let broadcast = Send {
        to: Recipient::All,
        ..message("bob", "to all")
    };
    assert_eq!(code(alice.call(&broadcast)), ErrorCode::MailboxFull);
    assert!(carol.fetch().is_empty(), "not to some either");
    assert_eq!(bob.check(), ["0", "1", "2"]);
    assert_eq!(alice.call(&broadcast).unwrap().recipients.len(), 2);
}

#[test]
fn the_daemon_outlives_whoever_came_first() {
    let house = House::new();
    let first = house.register("first");
    let mut second = house.register("second");
    drop(first);
    second.send("first", "are you there?");
    assert!(house.try_register("third").is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn idle_connections_hold_no_threads() {
    let threads = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("Threads:"));
        line.unwrap().trim().parse().unwrap()
    };
    let house = House::new();
    let agents = ["a", "b", "c", "d"].map(|name| house.register(name));
    let before = threads();
    let connect = |number: usize| Raw::of(&house, &agents[number % 4]);
    let idle: Vec<_> = (0..200).map(connect).collect();
    // Other tests of this process start daemons of their own meanwhile: a few threads each.
    assert!(
        threads() < before + 100,
        "{before} threads became {}",
        threads()
    );
    assert_eq!(idle.len(), 200);
}

#[test]
fn escape_sequences_come_through_unchanged_and_are_for_the_front_end_to_show() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let text = "\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{0}\u{9b}31m\u{202e}\u{e0041}";
    alice.send("bob", text);
    assert_eq!(bob.check(), [text]);
}

#[test]
fn the_socket_and_everything_beside_it_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new();
    house.register("alice").send("bob", "private");
    let mode = |path: &std::path::Path| {
        std::fs::symlink_metadata(path)
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(house.path()), 0o700);
    for entry in std::fs::read_dir(house.path()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}
