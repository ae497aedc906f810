//! Past mail through the real socket: what is refused, what it costs, and what outlives damage,
//! backups and restarts.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{AdminBackup, History, HistoryPage, WhenLive};
use ipc_protocol::time::Timestamp;
use serde_json::json;

use crate::harness::raw::{Raw, code_in};
use crate::harness::{Agent, House, code, copy};

fn search(agent: &mut Agent, text: &str) -> Vec<String> {
    let request = History {
        search: Some(text.parse().unwrap()),
        ..History::default()
    };
    texts(agent.call(&request).unwrap())
}

fn texts(page: HistoryPage) -> Vec<String> {
    let texts = page.entries.into_iter().map(|entry| entry.message.text);
    texts.collect()
}

#[test]
fn what_is_no_query_no_name_and_no_field_is_refused_and_the_connection_goes_on() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    let wrong = [
        (json!({"search": ""}), "malformed"),
        (json!({"search": "\"open"}), "malformed"),
        (json!({"search": "a*"}), "malformed"),
        (json!({"search": "x".repeat(257)}), "malformed"),
        (json!({"search": 7}), "malformed"),
        (json!({"with": "a b"}), "invalid_name"),
        (json!({"with": "all"}), "name_reserved"),
        (json!({"kind": "order"}), "malformed"),
        (json!({"before": "yesterday"}), "malformed"),
        (json!({"before_ms": "2h"}), "malformed"),
        (json!({"limit": -1}), "malformed"),
        (json!({"from": "bob"}), "malformed"),
        (json!({"before": "m.0000000000000"}), "not_found"),
        (json!({"after": "m.0000000000000"}), "not_found"),
    ];
    for (id, (params, expected)) in (1_u64..).zip(wrong) {
        let reply = raw.ask(id, "history", &params);
        assert_eq!(code_in(&reply), expected, "{params}: {reply}");
    }
    let reply = raw.ask(
        99,
        "history",
        &json!({"search": "NEAR(\u{0} text:x) OR yes"}),
    );
    assert_eq!(reply["result"]["entries"], json!([]));
}

#[test]
fn only_the_reason_of_a_refusal_is_told_not_the_query() {
    let house = House::new();
    let alice = house.register("alice");
    let mut raw = Raw::of(&house, &alice);
    let reply = raw.ask(1, "history", &json!({"search": "\"hunter2"}));
    let said = reply.to_string();
    assert!(
        said.contains("closing quotation mark") && said.contains("hint"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn looking_into_the_past_costs_as_reading_does() {
    let house = House::with_config("[limits]\nfetch_per_minute = 5\n");
    let mut alice = house.register("alice");
    let mut outcomes = (0..20).map(|_| alice.call(&History::default()));
    let refused = outcomes.find(Result::is_err).unwrap();
    assert_eq!(code(refused), ErrorCode::RateLimited);
}

#[test]
fn a_restored_backup_is_searched_as_the_store_was() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.send("bob", "before the backup");
    let backup = house.operator().call(&AdminBackup {}).unwrap();
    alice.send("bob", "after the backup");
    assert_eq!(search(&mut alice, "backup").len(), 2);
    house.stop().unwrap();
    let now = Timestamp::from_millis(1_800_000_000_000);
    let from = house.data_dir().backups().join(backup.file);
    house.restore(&from, now).unwrap();
    house.start().unwrap();
    let resume = copy(alice.resume());
    let mut alice = house.resume(&resume, "alice", WhenLive::Refuse).unwrap();
    assert_eq!(search(&mut alice, "backup"), ["before the backup"]);
    alice.send("bob", "a backup was restored");
    assert_eq!(search(&mut alice, "restored"), ["a backup was restored"]);
    assert_eq!(search(&mut alice, "after"), [""; 0]);
}

#[test]
fn a_damaged_index_of_words_is_made_anew_and_no_mail_is_lost() {
    for damage in [
        "UPDATE words_data SET block = x'00ff00ff' WHERE id > 10",
        "DELETE FROM words_data WHERE id > 10",
    ] {
        mends(damage);
    }
}

fn mends(damage: &str) {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.send("bob", "in the backup");
    house.operator().call(&AdminBackup {}).unwrap();
    alice.send("bob", "since then");
    house.stop().unwrap();
    let db = house.database();
    let all = "UPDATE indexed SET through = (SELECT max(seq) FROM messages)";
    db.execute(all, []).unwrap();
    let changed = db.execute(damage, []);
    assert!(changed.unwrap() > 0);
    db.close().unwrap();
    let ended = house.start().and_then(|()| house.wait_for_end());
    assert!(ended.is_err(), "the damage is found");
    house.start().unwrap();
    let resume = copy(alice.resume());
    let mut alice = house.resume(&resume, "alice", WhenLive::Refuse).unwrap();
    assert_eq!(search(&mut alice, "since"), ["since then"]);
    let all = texts(alice.call(&History::default()).unwrap());
    assert_eq!(all, ["in the backup", "since then"]);
}
