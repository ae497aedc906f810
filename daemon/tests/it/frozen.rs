//! A database as version 0.1.0 wrote it: every later version must open it, and lose nothing.

use ipc_protocol::message::DeliveryState;
use ipc_protocol::private::write_file;
use ipc_protocol::request::{Receipts, RecipientOutcome, WhenLive, Whoami};
use ipc_protocol::token::Token;
use rusqlite::Connection;
use serde::Deserialize;

use crate::harness::{House, name};

/// What lay beside the database.
#[derive(Deserialize)]
struct Beside {
    daemon_key: String,
    secret: String,
    robert: Token,
    alice: Token,
}

fn open_frozen() -> (House, Beside) {
    let beside: Beside = serde_json::from_str(include_str!("../golden/v1.json")).unwrap();
    let key = data_encoding::HEXLOWER
        .decode(beside.daemon_key.as_bytes())
        .unwrap();
    let mut house = House::new();
    house.stop().unwrap();
    let data_dir = house.data_dir();
    std::fs::remove_file(data_dir.database()).unwrap();
    let db = Connection::open(data_dir.database()).unwrap();
    db.execute_batch(include_str!("../golden/v1.sql")).unwrap();
    db.close().unwrap();
    write_file(&data_dir.daemon_key(), &key).unwrap();
    write_file(&data_dir.secret(), beside.secret.as_bytes()).unwrap();
    house.start_with(Some(&beside.secret)).unwrap();
    (house, beside)
}

#[test]
fn a_database_of_version_1_opens_with_its_agents_and_their_mail() {
    let (house, beside) = open_frozen();
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
    let (house, beside) = open_frozen();
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
