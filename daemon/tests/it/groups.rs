//! Groups through the real socket: rates, restarts, what is sent twice.

use ipc_protocol::conversation::Title;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::ConversationId;
use ipc_protocol::message::EndReason;
use ipc_protocol::request::{Conversation, RecipientOutcome, Send};

use crate::harness::{Agent, House, code, message, name, refusal};

fn create(members: &[&str]) -> Conversation {
    Conversation::Create {
        title: Title::parse("a group").unwrap(),
        members: members.iter().map(|member| name(member)).collect(),
        idempotency_key: None,
    }
}

fn made(agent: &mut Agent, members: &[&str]) -> ConversationId {
    agent.call(&create(members)).unwrap().conversations[0].id
}

#[test]
fn changes_of_groups_have_a_rate_of_their_own() {
    let house = House::with_config("[limits]\ngroup_changes_per_minute = 3\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let outcomes: Vec<_> = (0..8).map(|_| alice.call(&create(&["bob"]))).collect();
    let passed = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((3..5).contains(&passed), "{passed} groups were made");
    let refused = refusal(outcomes.into_iter().find(Result::is_err).unwrap());
    assert_eq!(refused.code, ErrorCode::RateLimited);
    assert!(refused.retry_after_ms.is_some());
    assert!(alice.call(&Conversation::List { limit: None }).is_ok());
    assert!(bob.call(&create(&[])).is_ok(), "each agent has its own");
}

#[test]
fn a_group_and_what_was_said_in_it_outlive_a_restart() {
    let mut house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let id = made(&mut alice, &["bob"]);
    alice.send(&id.to_string(), "before");
    house.restart();
    let mut client = house.reconnect(&bob).unwrap();
    let report = client.call(&Conversation::List { limit: None }).unwrap();
    assert_eq!(report.conversations[0].id, id);
    assert_eq!(report.conversations[0].unread, 1);
    bob.client = client;
    assert!(bob.check().contains(&"before".to_owned()));
    bob.send(&id.to_string(), "after");
}

#[test]
fn what_is_sent_twice_to_a_group_is_said_once_and_answered_alike() {
    let house = House::with_config("[limits]\nmailbox_unread = 1\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    let id = made(&mut alice, &["bob", "carol"]);
    alice.send("bob", "fills the mailbox");
    let send = Send {
        idempotency_key: Some("once".parse().unwrap()),
        ..message(&id.to_string(), "hello")
    };
    let first = alice.call(&send).unwrap();
    let again = alice.call(&send).unwrap();
    assert!(again.duplicate && !first.duplicate);
    assert_eq!(
        (&again.recipients, again.conversation),
        (&first.recipients, Some(id))
    );
    let reason = EndReason::MailboxFull;
    assert_eq!(
        first.recipients[0].outcome,
        RecipientOutcome::LeftOut { reason }
    );
    assert_eq!(
        carol.check().iter().filter(|text| *text == "hello").count(),
        1
    );
    assert!(!bob.check().contains(&"hello".to_owned()));
    let leave = Conversation::Leave {
        conversation_id: id,
    };
    carol.call(&leave).unwrap();
    assert_eq!(code(carol.call(&leave)), ErrorCode::NotFound);
}
