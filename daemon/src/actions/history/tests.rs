//! Who finds what in past mail.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::message::{DeliveryState, Kind};
use ipc_protocol::request::{Conversation, Unregister};

use super::*;
use crate::actions::harness::Desk;
use crate::actions::{conversation, leave};

fn look(desk: &mut Desk, of: &Caller, request: &History) -> Result<HistoryPage, ErrorCode> {
    desk.act_as(of, |c| history(request, of, c))
}

fn texts(desk: &mut Desk, of: &Caller, request: &History) -> Vec<String> {
    let page = look(desk, of, request).unwrap();
    let texts = page.entries.into_iter().map(|entry| entry.message.text);
    texts.collect()
}

fn search(text: &str) -> History {
    History {
        search: Some(text.parse().unwrap()),
        ..History::default()
    }
}

fn with(peer: &str) -> History {
    History {
        with: Some(peer.parse().unwrap()),
        ..History::default()
    }
}

/// Sends a text that is fetched and acknowledged at once.
fn deliver(desk: &mut Desk, from: &Caller, to: (&str, &Caller), text: &str) -> MessageId {
    let id = desk.send(from, to.0, text).unwrap().message_id;
    desk.fetch(to.1);
    desk.ack(to.1, vec![id]);
    desk.pass(1);
    id
}

#[test]
fn mail_that_nobody_has_taken_is_not_past_until_it_is_acknowledged() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let bob = desk.register("bob", false).unwrap();
    let id = desk
        .send(&alice, "bob", "a word to come")
        .unwrap()
        .message_id;
    let nothing: [&str; 0] = [];
    let request = search("word");
    let waiting = look(&mut desk, &bob, &request).unwrap();
    assert_eq!((waiting.entries.len(), waiting.waiting), (0, 1), "stored");
    desk.fetch(&bob);
    assert_eq!(texts(&mut desk, &bob, &request), nothing, "leased");
    desk.pass(60);
    assert_eq!(texts(&mut desk, &bob, &request), nothing, "offered once");
    desk.fetch(&bob);
    desk.ack(&bob, vec![id]);
    let page = look(&mut desk, &bob, &request).unwrap();
    assert_eq!(page.entries[0].direction, Direction::Received);
    assert_eq!(page.entries[0].deliveries.len(), 1);
    assert_eq!(
        page.entries[0].deliveries[0].state,
        DeliveryState::Delivered
    );
    let page = look(&mut desk, &alice, &request).unwrap();
    assert_eq!(page.entries[0].direction, Direction::Sent);
    assert_eq!(page.entries[0].message.to, None);
}

#[test]
fn nobody_finds_what_others_said_to_each_other() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let bob = desk.register("bob", false).unwrap();
    let eve = desk.register("eve", false).unwrap();
    let id = deliver(&mut desk, &alice, ("bob", &bob), "the key is under the mat");
    for request in [
        search("key"),
        search("ke* OR mat"),
        with("bob"),
        with("alice"),
    ] {
        assert!(texts(&mut desk, &eve, &request).is_empty(), "{request:?}");
    }
    let by_agent = with(&bob.agent().to_string());
    assert!(texts(&mut desk, &eve, &by_agent).is_empty());
    let beside = History {
        before: Some(id),
        ..History::default()
    };
    let refused = look(&mut desk, &eve, &beside).unwrap_err();
    assert_eq!(
        refused,
        ErrorCode::NotFound,
        "as for a message that never was"
    );
}

#[test]
fn whoever_gets_a_freed_name_does_not_get_its_past() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let former = desk.register("bob", false).unwrap();
    deliver(&mut desk, &alice, ("bob", &former), "for the former bob");
    deliver(&mut desk, &former, ("alice", &alice), "from the former bob");
    let end = desk.act_as(&former, |c| leave::unregister(&Unregister {}, &former, c));
    end.unwrap();
    assert_eq!(
        texts(&mut desk, &alice, &with("BOB")).len(),
        2,
        "nobody has the name"
    );
    let heir = desk.register("bob", false).unwrap();
    for request in [History::default(), search("former"), with("alice")] {
        assert!(texts(&mut desk, &heir, &request).is_empty(), "{request:?}");
    }
    assert!(
        texts(&mut desk, &alice, &with("bob")).is_empty(),
        "the name is the heir's"
    );
    let by_agent = with(&former.agent().to_string());
    assert_eq!(texts(&mut desk, &alice, &by_agent).len(), 2);
}

#[test]
fn a_page_is_the_latest_oldest_first_and_the_next_goes_on_before_it() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let bob = desk.register("bob", false).unwrap();
    for number in 0..5 {
        deliver(&mut desk, &alice, ("bob", &bob), &format!("ping {number}"));
        deliver(
            &mut desk,
            &bob,
            ("alice", &alice),
            &format!("pong {number}"),
        );
    }
    for request in [History::default(), with("bob"), search("ping OR pong")] {
        let mut all: Vec<String> = Vec::new();
        let mut before = None;
        loop {
            let request = History {
                limit: Some(3),
                before,
                ..request.clone()
            };
            let page = look(&mut desk, &alice, &request).unwrap();
            let texts = page.entries.into_iter().map(|entry| entry.message.text);
            all.splice(0..0, texts);
            before = page.next_before;
            if before.is_none() {
                break;
            }
        }
        let expected = (0..5).flat_map(|n| [format!("ping {n}"), format!("pong {n}")]);
        assert!(all.iter().eq(&expected.collect::<Vec<_>>()), "{all:?}");
    }
}

#[test]
fn kinds_times_and_places_narrow_it_down() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let bob = desk.register("bob", false).unwrap();
    let start = desk.now.wall;
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(deliver(&mut desk, &alice, ("bob", &bob), text));
    }
    let at = |seconds: i64| Some(start.plus_millis(seconds * 1_000));
    let narrow = |change: fn(&mut History, &[MessageId])| {
        let mut request = History::default();
        change(&mut request, &ids);
        request
    };
    let kind = narrow(|r, _| r.kind = Some(Kind::Request));
    assert!(texts(&mut desk, &bob, &kind).is_empty());
    let after = narrow(|r, ids| r.after = Some(ids[0]));
    assert_eq!(texts(&mut desk, &bob, &after), ["two", "three"]);
    let before = narrow(|r, ids| r.before = Some(ids[1]));
    assert_eq!(texts(&mut desk, &bob, &before), ["one"]);
    let times = History {
        after_ms: at(0),
        before_ms: at(2),
        ..search("on* OR tw* OR th*")
    };
    assert_eq!(texts(&mut desk, &alice, &times), ["two"]);
}

#[test]
fn what_was_said_in_a_conversation_is_its_members_and_a_leavers_until_then() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let bob = desk.register("bob", false).unwrap();
    let eve = desk.register("eve", false).unwrap();
    let create = Conversation::Create {
        title: "release".parse().unwrap(),
        members: vec!["bob".parse().unwrap()],
        idempotency_key: None,
    };
    let made = desk.act_as(&alice, |c| conversation::conversation(&create, &alice, c));
    let id = made.unwrap().conversations[0].id;
    let said = |text: &str| History {
        conversation: Some(id),
        search: Some(text.parse().unwrap()),
        ..History::default()
    };
    deliver(&mut desk, &alice, (&id.to_string(), &bob), "in the group");
    deliver(&mut desk, &alice, ("bob", &bob), "beside the group");
    let all = History {
        conversation: Some(id),
        ..History::default()
    };
    for of in [&alice, &bob] {
        assert_eq!(texts(&mut desk, of, &all), ["in the group"]);
        assert_eq!(texts(&mut desk, of, &said("group")), ["in the group"]);
        assert!(texts(&mut desk, of, &said("beside")).is_empty());
    }
    let refused = look(&mut desk, &eve, &all).unwrap_err();
    assert_eq!(refused, ErrorCode::NotFound);
    let leave = Conversation::Leave {
        conversation_id: id,
    };
    let left = desk.act_as(&bob, |c| conversation::conversation(&leave, &bob, c));
    left.unwrap();
    assert_eq!(texts(&mut desk, &bob, &all), ["in the group"]);
    assert!(texts(&mut desk, &bob, &said("beside")).is_empty());
}

#[test]
fn mail_to_oneself_and_to_names_that_nobody_has_is_there_once() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    deliver(&mut desk, &alice, ("alice", &alice), "a note");
    desk.send(&alice, "later", "for later").unwrap();
    for (request, expected) in [
        (History::default(), vec!["a note", "for later"]),
        (with("alice"), vec!["a note"]),
        (with("Later"), vec!["for later"]),
        (search("note OR later"), vec!["a note", "for later"]),
    ] {
        assert_eq!(texts(&mut desk, &alice, &request), expected, "{request:?}");
    }
}

#[test]
fn a_page_is_bounded_in_bytes_and_shows_the_beginning_of_long_texts() {
    let mut desk = Desk::new();
    desk.limits.mailbox_unread_per_sender = 1_000;
    let alice = desk.register("alice", false).unwrap();
    for _ in 0..100 {
        desk.send(&alice, "nobody", &"ä ".repeat(50_000)).unwrap();
    }
    let request = History {
        limit: Some(1_000_000),
        ..History::default()
    };
    let page = look(&mut desk, &alice, &request).unwrap();
    let shown: usize = page.entries.iter().map(|e| e.message.text.len()).sum();
    assert!((40_000..=FETCH_TEXT_BYTES).contains(&shown), "{shown}");
    let read: u64 = page.entries.iter().map(|e| e.message.bytes).sum();
    assert!(read < HISTORY_READ_BYTES + 200_000, "{read}");
    assert!(page.entries.iter().all(|entry| entry.message.truncated));
    assert!(page.next_before.is_some());
}

#[test]
fn case_and_accents_do_not_matter_and_signs_part_words() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    desk.send(&alice, "bob", "Größe ÜBER src/main.rs:12, naïve CAFÉ")
        .unwrap();
    for text in [
        "grösse",
        "main",
        "\"main rs\"",
        "GRÖßE",
        "uber",
        "cafe naive",
        "caf*",
    ] {
        let found = texts(&mut desk, &alice, &search(text));
        assert_eq!(found.is_empty(), text == "grösse", "{text}");
    }
    for text in ["mai", "\"rs main\"", "cafe -naive", "größe -src/main.rs"] {
        assert!(texts(&mut desk, &alice, &search(text)).is_empty(), "{text}");
    }
}

#[test]
fn a_search_leaps_over_what_others_said_and_misses_nothing_of_ones_own() {
    let mut desk = Desk::new();
    desk.limits.mailbox_unread_per_sender = 10_000;
    desk.limits.mailbox_unread = 10_000;
    let alice = desk.register("alice", false).unwrap();
    let noisy = desk.register("noisy", false).unwrap();
    let mut expected = Vec::new();
    for (number, between) in [1_500, 3, 999, 1_000, 1_001, 40, 0].into_iter().enumerate() {
        let text = format!("own {number} word");
        desk.send(&alice, "nobody", &text).unwrap();
        desk.send(&alice, "nobody", "something else").unwrap();
        expected.push(text);
        for _ in 0..between {
            desk.send(&noisy, "noisy", "a word").unwrap();
        }
    }
    assert_eq!(texts(&mut desk, &alice, &search("word")), expected);
    let some = History {
        limit: Some(2),
        ..search("word")
    };
    assert_eq!(texts(&mut desk, &alice, &some), expected[5..]);
    let noisy_own = look(&mut desk, &noisy, &search("own")).unwrap();
    assert_eq!(noisy_own.entries, []);
}
