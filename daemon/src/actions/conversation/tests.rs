//! What is refused, and the room that the stories in `talk.rs` happen in.

mod talk;

use ipc_protocol::conversation::Title;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::{ConversationId, MessageId};
use ipc_protocol::message::{EndReason, SystemEvent};
use ipc_protocol::name::Name;
use ipc_protocol::request::{
    Conversation, ConversationReport, ConversationRow, Fetch, Read, RecipientOutcome, Rename,
    Unregister,
};
use ipc_protocol::token::{Token, TokenKind};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::actions::harness::Desk;
use crate::actions::{fetch, leave, read, rename};
use crate::caller::Caller;

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn create(members: &[&str]) -> Conversation {
    Conversation::Create {
        title: Title::parse("release 1.0").unwrap(),
        members: names(members),
        idempotency_key: None,
    }
}

const fn list() -> Conversation {
    Conversation::List { limit: None }
}

fn add(conversation_id: ConversationId, more: &[&str]) -> Conversation {
    Conversation::Add {
        conversation_id,
        names: names(more),
    }
}

/// Three agents, the first two in a group.
struct Room {
    desk: Desk,
    ann: Caller,
    bob: Caller,
    cid: Caller,
    id: ConversationId,
}

impl Room {
    fn new() -> Self {
        let mut desk = Desk::new();
        let mut register = |name| desk.register(name, false).unwrap();
        let (ann, bob, cid) = (register("ann"), register("bob"), register("cid"));
        let made = desk.converse(&ann, &create(&["bob"])).unwrap();
        let id = made.conversations[0].id;
        let mut room = Self {
            desk,
            ann,
            bob,
            cid,
            id,
        };
        room.texts(&room.bob.clone());
        room
    }

    fn say(&mut self, who: &Caller, text: &str) -> Result<MessageId, ErrorCode> {
        let sent = self.desk.send(who, &self.id.to_string(), text);
        sent.map(|sent| sent.message_id)
    }

    /// Takes and acknowledges what waits: texts, and notices as their sentences.
    fn texts(&mut self, who: &Caller) -> Vec<String> {
        let mail = self.desk.fetch(who);
        self.desk
            .ack(who, mail.iter().map(|mail| mail.id).collect());
        let text = |mail: &ipc_protocol::message::Mail| {
            let event = mail.event.as_ref().map(SystemEvent::sentence);
            event.unwrap_or_else(|| mail.text.clone())
        };
        mail.iter().map(text).collect()
    }

    fn row(&mut self, who: &Caller) -> ConversationRow {
        let report = self.desk.converse(who, &list()).unwrap();
        let row = report
            .conversations
            .into_iter()
            .find(|row| row.id == self.id);
        row.unwrap()
    }

    fn reads(&mut self, who: &Caller, message_id: MessageId) -> bool {
        let request = Read {
            message_id,
            offset: 0,
        };
        let found = self.desk.act_as(who, |c| read::read(&request, who, c));
        found.is_ok()
    }
}

#[test]
fn an_unknown_conversation_and_one_that_one_is_not_in_are_refused_alike() {
    let mut room = Room::new();
    let (cid, unknown) = (room.cid.clone(), ConversationId::from_row(4711));
    for id in [room.id, unknown] {
        let sent = room.desk.send(&cid, &id.to_string(), "hello");
        assert_eq!(sent.err(), Some(ErrorCode::NotFound));
        for request in [
            add(id, &["cid"]),
            Conversation::Leave {
                conversation_id: id,
            },
            Conversation::Members {
                conversation_id: id,
            },
        ] {
            let refused = room.desk.converse(&cid, &request);
            assert_eq!(refused.err(), Some(ErrorCode::NotFound), "{request:?}");
        }
    }
    assert_eq!(room.row(&room.ann.clone()).members, names(&["ann", "bob"]));
}

#[test]
fn a_name_that_nobody_has_is_refused_and_nobody_is_added() {
    let mut room = Room::new();
    let ann = room.ann.clone();
    for request in [add(room.id, &["cid", "nobody"]), create(&["cid", "nobody"])] {
        let refused = room.desk.converse(&ann, &request);
        assert_eq!(refused.err(), Some(ErrorCode::UnknownRecipient));
    }
    assert_eq!(room.row(&ann).members, names(&["ann", "bob"]));
    assert_eq!(room.desk.number("SELECT count(*) FROM conversations"), 1);
    assert!(room.texts(&room.cid.clone()).is_empty());
}

#[test]
fn a_group_has_so_many_members_and_an_agent_so_many_groups() {
    let mut room = Room::new();
    let ann = room.ann.clone();
    room.desk.limits.group_members = 2;
    let refused = room.desk.converse(&ann, &add(room.id, &["cid"]));
    assert_eq!(refused.err(), Some(ErrorCode::TooLarge));
    let refused = room.desk.converse(&ann, &create(&["ann", "bob", "ann"]));
    assert_eq!(refused.err(), Some(ErrorCode::TooLarge));
    room.desk.limits.groups_per_agent = 1;
    let refused = room.desk.converse(&ann, &create(&[]));
    assert_eq!(refused.err(), Some(ErrorCode::TooLarge), "its own second");
    let cid = room.cid.clone();
    let refused = room.desk.converse(&cid, &create(&["bob"]));
    assert_eq!(refused.err(), Some(ErrorCode::TooLarge), "bob's second");
    assert_eq!(room.desk.number("SELECT count(*) FROM members"), 2);
}

#[test]
fn a_title_with_a_token_is_refused() {
    let mut room = Room::new();
    let mut random = StdRng::seed_from_u64(7);
    let token = Token::random(TokenKind::Session, &mut random);
    let request = Conversation::Create {
        title: Title::parse(&token.expose()).unwrap(),
        members: Vec::new(),
        idempotency_key: None,
    };
    let refused = room.desk.converse(&room.ann.clone(), &request);
    assert_eq!(refused.err(), Some(ErrorCode::Forbidden));
}

#[test]
fn a_conversation_between_two_takes_no_third_and_is_not_left() {
    let mut room = Room::new();
    let ann = room.ann.clone();
    let sent = room.desk.send(&ann, "cid", "hello").unwrap();
    let id = sent.conversation.unwrap();
    for request in [
        add(id, &["bob"]),
        Conversation::Leave {
            conversation_id: id,
        },
    ] {
        let refused = room.desk.converse(&ann, &request);
        assert_eq!(refused.err(), Some(ErrorCode::Conflict));
    }
}
