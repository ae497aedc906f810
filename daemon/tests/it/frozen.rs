//! Databases of every schema that was ever written: every later version must open them, and lose
//! nothing.

use ipc_daemon::store::SCHEMA_VERSION;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::ConversationId;
use ipc_protocol::message::{AutoCheckMode, BoundaryRule, DeliveryState};
use ipc_protocol::private::write_file;
use ipc_protocol::request::{
    AdminFreeze, AdminThaw, AutoCheck, AutoCheckAction, Boundaries, Conversation, History, Notice,
    Receipts, RecipientOutcome, Send, WhenLive, Whoami,
};
use ipc_protocol::token::Token;
use rusqlite::Connection;
use serde::Deserialize;

use crate::harness::{House, code, message, name};

/// What lay beside the database.
#[derive(Deserialize)]
struct Beside {
    daemon_key: String,
    secret: String,
    robert: Token,
    alice: Token,
    /// Since schema 2.
    dora: Option<Token>,
    /// Since schema 3.
    eve: Option<Token>,
    /// Since schema 3: a group of alice, robert and dora.
    group: Option<ConversationId>,
}

/// Schema 1: its statements, and what lay beside it.
const V1: (&str, &str) = (
    include_str!("../golden/v1.sql"),
    include_str!("../golden/v1.json"),
);

/// Schema 2.
const V2: (&str, &str) = (
    include_str!("../golden/v2.sql"),
    include_str!("../golden/v2.json"),
);

/// Schema 3.
const V3: (&str, &str) = (
    include_str!("../golden/v3.sql"),
    include_str!("../golden/v3.json"),
);

/// Schema 4: everybody is frozen, and eve by name.
const V4: (&str, &str) = (
    include_str!("../golden/v4.sql"),
    include_str!("../golden/v4.json"),
);

/// Schema 5: everybody is frozen, and eve by name; the last message is not in the index of words.
const V5: (&str, &str) = (
    include_str!("../golden/v5.sql"),
    include_str!("../golden/v5.json"),
);

fn open_frozen((statements, beside): (&str, &str)) -> (House, Beside) {
    let beside: Beside = serde_json::from_str(beside).unwrap();
    let key = data_encoding::HEXLOWER
        .decode(beside.daemon_key.as_bytes())
        .unwrap();
    let mut house = House::new();
    house.stop().unwrap();
    let data_dir = house.data_dir();
    std::fs::remove_file(data_dir.database()).unwrap();
    let db = Connection::open(data_dir.database()).unwrap();
    db.execute_batch(statements).unwrap();
    db.close().unwrap();
    write_file(&data_dir.daemon_key(), &key).unwrap();
    write_file(&data_dir.secret(), beside.secret.as_bytes()).unwrap();
    house.start_with(Some(&beside.secret)).unwrap();
    (house, beside)
}

fn thaw(agent: &str) -> AdminThaw {
    let agent = agent.parse().unwrap();
    AdminThaw { agent }
}

#[test]
fn a_database_of_version_1_opens_with_its_agents_and_their_mail() {
    let (house, beside) = open_frozen(V1);
    let mut robert = house
        .resume(&beside.robert, "robert", WhenLive::Refuse)
        .unwrap();
    assert_eq!(robert.call(&Whoami {}).unwrap().incarnation, 1);
    let mail = robert.fetch();
    assert_eq!(mail.len(), 1);
    assert_eq!(mail[0].text, "still unread");
    assert_eq!(mail[0].from.as_ref().unwrap().name, name("alice"));
    let mut alice = house
        .resume(&beside.alice, "alice", WhenLive::Refuse)
        .unwrap();
    let answer = alice.fetch().remove(0);
    assert_eq!(answer.text, "an answer");
    let receipts = alice.call(&Receipts::default()).unwrap().receipts;
    let states: Vec<_> = receipts.iter().map(|r| r.deliveries[0].state).collect();
    let expected = [
        DeliveryState::Stored,
        DeliveryState::Offered,
        DeliveryState::Answered,
    ];
    assert_eq!(states, expected, "latest first");
}

#[test]
fn mail_that_waited_in_version_1_reaches_whoever_claims_the_name() {
    let (house, beside) = open_frozen(V1);
    let mut newcomer = house
        .prove(&crate::harness::secret(&beside.secret))
        .unwrap();
    let request = crate::harness::registration("nobody-yet", WhenLive::Refuse);
    let registered = newcomer.call(&request).unwrap();
    assert_eq!(registered.waiting, 1);
    let mut alice = house
        .resume(&beside.alice, "alice", WhenLive::Refuse)
        .unwrap();
    let sent = alice.send("bob", "the alias of a year ago forwards no more");
    assert!(matches!(
        sent.recipients[0].outcome,
        RecipientOutcome::Unclaimed { .. }
    ));
}

#[test]
fn what_was_said_under_any_schema_is_found() {
    let every = [V1, V2, V3, V4, V5];
    assert_eq!(
        i32::try_from(every.len()),
        Ok(SCHEMA_VERSION),
        "a new schema brings its own database along"
    );
    for frozen in every {
        let (house, beside) = open_frozen(frozen);
        house.operator().call(&thaw("all")).unwrap();
        let mut alice = house
            .resume(&beside.alice, "alice", WhenLive::Refuse)
            .unwrap();
        let search = |text: &str| History {
            search: Some(text.parse().unwrap()),
            ..History::default()
        };
        let page = alice.call(&search("STILL un*")).unwrap();
        let texts: Vec<_> = page.entries.iter().map(|e| &e.message.text).collect();
        assert_eq!(texts, ["still unread"]);
        let all = alice.call(&History::default()).unwrap().entries;
        assert!(all.len() > 1);
        assert!(
            alice.call(&search("answer")).unwrap().entries.is_empty(),
            "not taken yet"
        );
    }
}

/// The schema of the store, while no daemon runs.
fn schema(house: &House) -> i32 {
    let sql = "PRAGMA user_version";
    let db = house.database();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_database_of_version_1_becomes_one_of_today_and_takes_what_is_new() {
    let (mut house, beside) = open_frozen(V1);
    let mut robert = house
        .resume(&beside.robert, "robert", WhenLive::Refuse)
        .unwrap();
    let tell = Notice {
        tell: true,
        ..Notice::default()
    };
    assert!(robert.call(&tell).unwrap().is_due);
    house.restart();
    house.stop().unwrap();
    assert_eq!(schema(&house), SCHEMA_VERSION);
}

#[test]
fn a_database_of_version_2_opens_with_what_its_agents_chose_and_were_told() {
    let (house, beside) = open_frozen(V2);
    let status = AutoCheck {
        action: AutoCheckAction::Status,
        minutes: None,
    };
    let dora = beside.dora.unwrap();
    let agents = [
        (beside.robert, "robert", AutoCheckMode::Every, Some(7)),
        (beside.alice, "alice", AutoCheckMode::Arrival, None),
        (dora, "dora", AutoCheckMode::Off, None),
    ];
    for (token, name, mode, minutes) in agents {
        let mut agent = house.resume(&token, name, WhenLive::Refuse).unwrap();
        let report = agent.call(&status).unwrap();
        assert_eq!((report.mode, report.minutes), (mode, minutes), "{name}");
        assert_eq!(
            report.last_told_ms.is_some(),
            mode != AutoCheckMode::Off,
            "{name}"
        );
    }
}

#[test]
fn a_database_of_version_3_opens_with_its_groups_boundaries_and_what_is_held() {
    let (mut house, beside) = open_frozen(V3);
    let resume = |token: &Token, name: &str| house.resume(token, name, WhenLive::Refuse).unwrap();
    let mut robert = resume(&beside.robert, "robert");
    let group = beside.group.unwrap();
    let members = Conversation::Members {
        conversation_id: group,
    };
    let report = robert.call(&members).unwrap();
    assert_eq!(report.conversations[0].members.len(), 3);
    let rules = robert.call(&Boundaries::default()).unwrap();
    assert!(rules.allow_only);
    assert_eq!(rules.held[0].name, name("eve"));
    let texts: Vec<_> = robert.fetch().into_iter().map(|mail| mail.text).collect();
    assert_eq!(texts, ["still unread", "", "said in the group"]);
    let mut dora = resume(&beside.dora.unwrap(), "dora");
    let rules = dora.call(&Boundaries::default()).unwrap().rules;
    assert_eq!(rules[0].rule, BoundaryRule::Block);
    let mut eve = resume(&beside.eve.unwrap(), "eve");
    assert!(eve.try_send("dora", "let me in").is_err());
    let freeze = AdminFreeze {
        agent: Some("eve".parse().unwrap()),
    };
    assert!(
        house.operator().call(&freeze).unwrap().changed,
        "what is new works"
    );
    assert!(eve.try_send("alice", "hello").is_err());
    house.stop().unwrap();
    assert_eq!(schema(&house), SCHEMA_VERSION);
}

#[test]
fn a_database_of_version_4_opens_with_who_is_frozen_and_finds_every_word() {
    let (mut house, beside) = open_frozen(V4);
    let resume = |token: &Token, name: &str| house.resume(token, name, WhenLive::Refuse);
    let is_frozen = |token: &Token, name: &str| code(resume(token, name)) == ErrorCode::Frozen;
    let (dora, eve) = (beside.dora.unwrap(), beside.eve.unwrap());
    assert!(is_frozen(&dora, "dora") && is_frozen(&eve, "eve"));
    assert!(house.operator().call(&thaw("all")).unwrap().changed);
    assert!(is_frozen(&eve, "eve"), "by name");
    let mut alice = resume(&beside.alice, "alice").unwrap();
    let keyed = Send {
        idempotency_key: Some("said-once".parse().unwrap()),
        ..message("dora", "said once")
    };
    assert!(alice.call(&keyed).unwrap().duplicate);
    let mut dora = resume(&dora, "dora").unwrap();
    dora.send("alice", "a word that is new");
    let mut found = |words: &str| -> Vec<String> {
        let search = History {
            search: Some(words.parse().unwrap()),
            ..History::default()
        };
        let entries = dora.call(&search).unwrap().entries;
        entries.into_iter().map(|e| e.message.text).collect()
    };
    assert_eq!(found("said"), ["said in the group", "said once"]);
    assert_eq!(found("word"), ["a word of dora", "a word that is new"]);
    house.stop().unwrap();
    assert_eq!(schema(&house), SCHEMA_VERSION);
}

#[test]
fn a_database_of_version_5_opens_and_finds_what_was_not_in_its_index_yet() {
    let (mut house, beside) = open_frozen(V5);
    assert!(house.operator().call(&thaw("all")).unwrap().changed);
    let mut dora = house
        .resume(&beside.dora.unwrap(), "dora", WhenLive::Refuse)
        .unwrap();
    let search = History {
        search: Some("word".parse().unwrap()),
        ..History::default()
    };
    let entries = dora.call(&search).unwrap().entries;
    let texts: Vec<_> = entries.into_iter().map(|e| e.message.text).collect();
    assert_eq!(texts, ["a word of dora", "a word before it was indexed"]);
    house.stop().unwrap();
    assert_eq!(schema(&house), SCHEMA_VERSION);
}

#[test]
fn a_backup_of_version_1_is_restored_and_brought_up_to_date() {
    let (mut house, beside) = open_frozen(V1);
    house.stop().unwrap();
    let backup = house.path().join("old.db");
    let db = Connection::open(&backup).unwrap();
    db.execute_batch(V1.0).unwrap();
    db.close().unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&backup, mode).unwrap();
    let now = ipc_protocol::time::Timestamp::from_millis(1_800_000_000_000);
    house.restore(&backup, now).unwrap();
    assert_eq!(schema(&house), 1, "the daemon takes the step");
    house.start_with(Some(&beside.secret)).unwrap();
    let mut robert = house
        .resume(&beside.robert, "robert", WhenLive::Refuse)
        .unwrap();
    assert_eq!(robert.fetch()[0].text, "still unread");
    house.stop().unwrap();
    assert_eq!(schema(&house), SCHEMA_VERSION);
}
