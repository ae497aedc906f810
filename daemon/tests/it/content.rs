//! Bodies: how large, what is shown of them, and how the rest is read.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::message::Data;
use ipc_protocol::request::{Forward, Read, ReadPage, Send};
use serde_json::{Value, json};

use crate::harness::raw::Raw;
use crate::harness::{Agent, House, code, copy, message};

fn page(agent: &mut Agent, message_id: MessageId, offset: u64) -> ReadPage {
    agent.call(&Read { message_id, offset }).unwrap()
}

/// The whole text, page by page.
fn read(agent: &mut Agent, id: MessageId) -> String {
    let (mut text, mut offset) = (String::new(), Some(0));
    while let Some(at) = offset {
        let page = page(agent, id, at);
        assert_eq!(page.offset, at, "pages join without a gap");
        text.push_str(&page.message.text);
        offset = page.next_offset;
    }
    text
}

fn data(value: Value) -> Data {
    serde_json::from_value(value).unwrap()
}

#[test]
fn a_body_of_a_mebibyte_is_the_largest() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let text = "x".repeat(1_048_576);
    let id = alice.send("bob", &text).message_id;
    let mail = bob.fetch().remove(0);
    assert_eq!((mail.bytes, mail.truncated), (1_048_576, true));
    assert_eq!(mail.text.len(), 10_240);
    assert!(read(&mut bob, id) == text);
    let over = alice.try_send("bob", &format!("{text}x"));
    assert_eq!(code(over), ErrorCode::TooLarge);
    let with_data = Send {
        data: Some(data(json!({"a": 1}))),
        ..message("bob", &text)
    };
    assert_eq!(
        code(alice.call(&with_data)),
        ErrorCode::TooLarge,
        "data counts too"
    );
}

#[test]
fn a_preview_and_the_pages_never_cut_a_character() {
    let house = House::with_config("[limits]\npreview_bytes = 10\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    for character in ["é", "€", "🦀"] {
        let text = format!("a{}", character.repeat(200_000 / character.len()));
        let id = alice.send("bob", &text).message_id;
        let mail = bob.fetch().remove(0);
        assert!(mail.truncated && text.starts_with(&mail.text) && mail.text.len() > 6);
        assert!(read(&mut bob, id) == text);
        // An offset inside a character is moved back to its start.
        let inside = page(&mut bob, id, 2);
        assert_eq!(
            (inside.offset, inside.message.text.starts_with(character)),
            (1, true)
        );
    }
    let id = alice.send("bob", "short").message_id;
    let past_the_end = page(&mut bob, id, u64::MAX);
    assert_eq!((past_the_end.offset, past_the_end.next_offset), (5, None));
    assert_eq!(past_the_end.message.text, "");
}

#[test]
fn attached_data_comes_through_as_it_is() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let attached = json!({"n": -1.5, "u": u64::MAX, "s": "\u{0}é", "l": [null, true, {"x": []}]});
    let request = Send {
        data: Some(data(attached.clone())),
        ..message("bob", "see data")
    };
    alice.call(&request).unwrap();
    let mail = bob.fetch().remove(0);
    assert_eq!(serde_json::to_value(mail.data).unwrap(), attached);
    assert!(!mail.data_omitted && !mail.truncated);
}

#[test]
fn data_larger_than_the_preview_is_left_out_and_read_later() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let attached = data(json!({"blob": "x".repeat(20_000)}));
    let request = Send {
        data: Some(attached.clone()),
        ..message("bob", "short")
    };
    let id = alice.call(&request).unwrap().message_id;
    let mail = bob.fetch().remove(0);
    assert!(mail.data.is_none() && mail.data_omitted && !mail.truncated);
    assert_eq!(page(&mut bob, id, 0).message.data, Some(attached));
}

#[test]
fn the_worst_message_that_can_be_sent_can_be_read() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    // Every character of the text takes six bytes on the wire, and every number of the data is
    // longer when it comes back than when it was sent.
    let text = "\u{1}".repeat(262_144);
    let numbers = format!("{{\"n\":[{}1e9]}}", "1e9,".repeat(60_000));
    let attached: Data = serde_json::from_str(&numbers).unwrap();
    let mut raw = Raw::of(&house, &alice);
    let escaped = serde_json::to_string(&text).unwrap();
    let call = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"send\",\"params\":\
         {{\"to\":\"bob\",\"text\":{escaped},\"data\":{numbers}}}}}"
    );
    raw.frame(call.as_bytes());
    let sent = raw.next().unwrap();
    assert!(sent["error"].is_null(), "{sent}");
    let id = bob.fetch().remove(0).id;
    assert_eq!(page(&mut bob, id, 0).message.data, Some(attached));
    assert!(read(&mut bob, id) == text);
    alice.send("bob", "and the daemon goes on");
    assert_eq!(bob.check(), ["and the daemon goes on"]);
}

#[test]
fn an_empty_body_is_refused() {
    let house = House::new();
    let mut alice = house.register("alice");
    assert_eq!(code(alice.try_send("alice", "")), ErrorCode::Malformed);
}

#[test]
fn a_body_with_a_token_in_it_is_refused_everywhere() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    for token in [copy(&alice.registered.session), copy(bob.resume())] {
        let token = token.expose().to_string();
        let text = format!("here: {token}, use it");
        assert_eq!(code(alice.try_send("bob", &text)), ErrorCode::Forbidden);
        let hidden = Send {
            data: Some(data(json!({"deep": [{"key": token}]}))),
            ..message("bob", "innocent")
        };
        assert_eq!(code(alice.call(&hidden)), ErrorCode::Forbidden);
        let damaged = token.replacen("ipc", "IPC", 1);
        alice.send("bob", &damaged);
        bob.check();
    }
}

#[test]
fn a_forwarded_message_is_whole() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut carol = house.register("carol");
    let text = "y".repeat(100_000);
    let attached = data(json!({"k": "v".repeat(50_000)}));
    let request = Send {
        data: Some(attached.clone()),
        ..message("bob", &text)
    };
    alice.call(&request).unwrap();
    bob.fetch();
    let forward = Forward {
        message_id: None,
        to: "carol".parse().unwrap(),
        idempotency_key: None,
    };
    bob.call(&forward).unwrap();
    let mail = carol.fetch().remove(0);
    assert_eq!((mail.hops, mail.bytes), (1, 100_000));
    assert_eq!(mail.from.unwrap().name.as_str(), "bob");
    assert_eq!(page(&mut carol, mail.id, 0).message.data, Some(attached));
    assert!(read(&mut carol, mail.id) == text);
}
