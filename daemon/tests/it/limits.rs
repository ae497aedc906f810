//! Rates and sizes: what is refused, that it is said when to come back, and that nothing is lost.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Fetch, History, Receipts, Send, Status, WhenLive};

use crate::harness::{House, code, message, refusal, registration};

#[test]
fn a_burst_of_twenty_passes_and_then_it_is_said_when_to_come_back() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let outcomes: Vec<_> = (0..40)
        .map(|n| alice.try_send("bob", &n.to_string()))
        .collect();
    let sent = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((20..40).contains(&sent), "{sent} went through");
    let refused = outcomes.into_iter().find(Result::is_err).unwrap();
    let refused = refusal(refused);
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(
        (1..=1_000).contains(&refused.retry_after_ms.unwrap()),
        "{refused:?}"
    );
    bob.send("alice", "each agent has a rate of its own");
    let mut received = 0;
    while let texts = bob.check()
        && !texts.is_empty()
    {
        received += texts.len();
    }
    assert_eq!(received, sent);
}

#[test]
fn broadcasts_have_a_rate_of_their_own() {
    let house = House::new();
    let (mut alice, _bob) = (house.register("alice"), house.register("bob"));
    let broadcast = Send {
        to: Recipient::All,
        ..message("x", "again")
    };
    let outcomes: Vec<_> = (0..10).map(|_| alice.call(&broadcast).is_ok()).collect();
    let passed = outcomes.iter().filter(|ok| **ok).count();
    assert!((5..7).contains(&passed), "{passed} broadcasts went through");
    alice.send("bob", "plain mail goes on");
}

#[test]
fn requests_that_read_have_a_rate_of_their_own() {
    let house = House::with_config("[limits]\nfetch_per_minute = 5\n");
    let (mut alice, _bob) = (house.register("alice"), house.register("bob"));
    let outcomes: Vec<_> = (0..12)
        .map(|_| alice.call(&Fetch::default()).is_ok())
        .collect();
    assert!(outcomes.iter().filter(|ok| **ok).count() < 8);
    alice.send("bob", "sending goes on");
    alice.call(&Status {}).expect_err("status reads, too");
}

#[test]
fn a_search_has_a_reader_and_a_rate_of_its_own() {
    let house = House::new();
    let mut alice = house.register("alice");
    alice.send("alice", "a needle");
    let search = History {
        search: Some("needle".parse().unwrap()),
        ..History::default()
    };
    let refused = (0..200).find_map(|_| alice.call(&search).err());
    assert_eq!(code(refused.map_or(Ok(()), Err)), ErrorCode::RateLimited);
    assert!(
        alice.call(&History::default()).is_ok(),
        "looking is another thing"
    );
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")));
    let is_searcher = |name: String| name.trim_end() == "searcher";
    assert!(
        names.flatten().any(is_searcher),
        "nothing else waits for a search"
    );
}

#[test]
fn a_full_mailbox_refuses_and_has_room_again_when_it_was_read() {
    let house = House::with_config("[limits]\nmailbox_unread = 3\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    for number in 0..3 {
        alice.send("bob", &number.to_string());
    }
    for sender in [&mut alice, &mut carol] {
        assert_eq!(
            code(sender.try_send("bob", "one more")),
            ErrorCode::MailboxFull
        );
    }
    assert_eq!(bob.fetch().len(), 3);
    let full = carol.try_send("bob", "offered is not read");
    assert_eq!(code(full), ErrorCode::MailboxFull);
    house.clock.pass(61);
    assert_eq!(bob.check(), ["0", "1", "2"]);
    carol.send("bob", "room again");
    assert_eq!(bob.check(), ["room again"]);
}

#[test]
fn one_sender_cannot_fill_a_mailbox_for_the_others() {
    let house = House::with_config("[limits]\nmailbox_unread_per_sender = 2\n");
    let (mut mallory, mut bob) = (house.register("mallory"), house.register("bob"));
    let mut alice = house.register("alice");
    for number in 0..2 {
        mallory.send("bob", &number.to_string());
    }
    assert_eq!(
        code(mallory.try_send("bob", "more")),
        ErrorCode::MailboxFull
    );
    alice.send("bob", "there is room for me");
    assert_eq!(bob.check(), ["0", "1", "there is room for me"]);
}

#[test]
fn notices_of_the_daemon_need_no_room() {
    let house = House::with_config("[limits]\nmailbox_unread = 1\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "full");
    alice.rename("alicia").unwrap();
    assert_eq!(bob.fetch().len(), 2);
    alice.send("alicia", "and they take none");
}

#[test]
fn mail_to_invented_names_is_capped() {
    let house = House::with_config("[limits]\nunclaimed_names_per_sender = 3\n");
    let mut alice = house.register("alice");
    for number in 0..3 {
        alice.send(&format!("nobody-{number}"), "x");
    }
    let fourth = alice.try_send("nobody-3", "x");
    assert_eq!(code(fourth), ErrorCode::MailboxFull);
    alice.send("NOBODY-1", "the same names as before take more");
    house.register("nobody-0");
    alice.send("nobody-3", "one of them exists now");
}

#[test]
fn enrolments_have_a_rate() {
    let house = House::with_config("[limits]\nenrolments_per_minute = 2\n");
    let (_alice, _bob) = (house.register("alice"), house.register("bob"));
    let mut third = house.operator();
    let refused = refusal(
        third
            .call(&registration("carol", WhenLive::Refuse))
            .map(|_| ()),
    );
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.retry_after_ms.is_some());
}

#[test]
fn the_status_counts_connections_agents_and_mail() {
    let house = House::new();
    let (mut alice, _bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "one");
    alice.send("carol", "two");
    let status = alice.call(&Status {}).unwrap();
    assert_eq!((status.agents, status.live), (2, 2));
    assert_eq!((status.messages, status.waiting), (2, 2));
    assert_eq!(status.connections, 2);
    assert_eq!((status.counters.sent, status.counters.faults), (2, 0));
}

#[test]
fn receipts_of_many_broadcasts_fit_a_reply() {
    let house = House::with_config("[limits]\nsend_burst = 1000\n");
    let (mut alice, _bob) = (house.register("alice"), house.register("bob"));
    for number in 0..150 {
        alice.send("bob", &number.to_string());
    }
    // As if each had gone to 200 agents and come far: only written down, for the time it takes.
    let db = house.database();
    let numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 199)";
    let agents = "INSERT INTO agents (agent, incarnation, automatic, registered_ms, last_seen_ms)
                  SELECT i, 1, 0, 0, 0 FROM n";
    db.execute(&format!("{numbers} {agents}"), []).unwrap();
    let deliveries = "INSERT INTO deliveries (message, sender, agent, name, state, offers,
                      offered_ms, delivered_ms, handover, answered_ms)
                      SELECT d.message, d.sender, i, 'an-agent-with-a-rather-long-name',
                      'answered', 1, sent_ms, sent_ms, 'cli', sent_ms
                      FROM deliveries AS d JOIN messages AS m ON m.seq = d.message, n";
    let written = db.execute(&format!("{numbers} {deliveries}"), []).unwrap();
    assert_eq!(written, 150 * 199);
    let page = alice.call(&Receipts {
        message_id: None,
        limit: Some(500),
    });
    let receipts = page.unwrap().receipts;
    assert!(receipts.len() > 10);
    assert!(
        receipts
            .iter()
            .all(|receipt| receipt.deliveries.len() == 200)
    );
}
