//! Every way that a text takes into the store, with a credential in it.

use std::collections::BTreeMap;

use ipc_protocol::message::Kind;
use ipc_protocol::request::{Conversation, Forward, Reply, Send, Sent};
use serde_json::json;

use super::*;
use crate::actions::harness::Desk;
use crate::actions::{forward, reply, send};
use crate::caller::Caller;
use crate::error::ActionError;

/// Put together here, so that no scanner takes this file for a leak.
fn key() -> String {
    ["AK", "IA", "Q3EGRTZ7WXN5PLK2"].concat()
}

fn configured(text: &str) -> Secrets {
    toml::from_str(text).unwrap()
}

fn to(name: &str, text: &str) -> Send {
    Send {
        to: name.parse().unwrap(),
        text: text.to_owned(),
        kind: Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }
}

fn send_it(desk: &mut Desk, from: &Caller, request: &Send) -> Result<Sent, Refusal> {
    let sent = desk.act(|c| send::send(request, from, c));
    sent.map_err(|error| match error {
        ActionError::Refused(refusal) => refusal,
        ActionError::Fault(fault) => panic!("{fault:?}"),
    })
}

#[test]
fn whatever_way_a_credential_comes_it_is_refused_by_default_and_nothing_is_stored() {
    let mut desk = Desk::new();
    let (alice, bob) = (
        desk.register("alice", false).unwrap(),
        desk.register("bob", false).unwrap(),
    );
    let parent = desk.send(&bob, "alice", "what is it?").unwrap().message_id;
    let group = Conversation::Create {
        title: "them".parse().unwrap(),
        members: vec!["bob".parse().unwrap()],
        idempotency_key: None,
    };
    let group = desk.converse(&alice, &group).unwrap().conversations[0]
        .id
        .to_string();
    let stored = desk.number("SELECT count(*) FROM messages");
    let text = format!("it is {}", key());
    for name in ["bob", "nobody-yet", "all", &group] {
        assert_eq!(
            send_it(&mut desk, &alice, &to(name, &text))
                .unwrap_err()
                .code,
            ErrorCode::Forbidden
        );
    }
    let answer = Reply {
        message_id: Some(parent),
        text,
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    let answered = desk.act_as(&alice, |c| reply::reply(&answer, &alice, c));
    assert_eq!(answered.unwrap_err(), ErrorCode::Forbidden);
    assert_eq!(desk.number("SELECT count(*) FROM messages"), stored);
}

#[test]
fn a_credential_in_data_is_refused_in_values_and_in_names() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let (in_value, in_name) = ("in the attached data", "in a name in the attached data");
    let behind_a_break = format!("keys:\n{}", key());
    for (data, place) in [
        (json!({"deep": [{"key": key()}]}), in_value),
        (json!({"deep": [{"key": behind_a_break}]}), in_value),
        (json!({key(): 1}), in_name),
        (json!({behind_a_break: 1}), in_name),
    ] {
        let with_data = Send {
            data: Some(serde_json::from_value(data).unwrap()),
            ..to("bob", "innocent")
        };
        let refusal = send_it(&mut desk, &alice, &with_data).unwrap_err();
        assert!(
            refusal
                .message
                .contains(&format!("(aws_access_key, {place})")),
            "{refusal}"
        );
    }
    assert_eq!(desk.number("SELECT count(*) FROM messages"), 0);
}

#[test]
fn a_refusal_names_rule_and_place_and_no_byte_of_it() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let text = format!("it is {}", key());
    let refusal = send_it(&mut desk, &alice, &to("bob", &text)).unwrap_err();
    assert!(
        refusal
            .message
            .contains("(aws_access_key, at byte 6 of the text)"),
        "{refusal}"
    );
    let hint = refusal.hint.clone().unwrap();
    assert!(hint.contains("aws_access_key = \"allow\""), "{hint}");
    let all = format!("{refusal:?}");
    assert!(
        key()
            .as_bytes()
            .windows(6)
            .all(|part| !all.contains(std::str::from_utf8(part).unwrap()))
    );
}

#[test]
fn a_masked_message_is_stored_without_it_and_the_reply_says_so_every_time() {
    let mut desk = Desk::new();
    desk.secrets = configured("outgoing = \"mask\"");
    let (alice, bob) = (
        desk.register("alice", false).unwrap(),
        desk.register("bob", false).unwrap(),
    );
    let request = Send {
        data: Some(serde_json::from_value(json!({"a": [key()], "n": 7})).unwrap()),
        idempotency_key: Some("k".parse().unwrap()),
        ..to("bob", &format!("«{}»", key()))
    };
    let first = send_it(&mut desk, &alice, &request).unwrap();
    assert_eq!(first.masked, [Rule::AwsAccessKey]);
    let again = send_it(&mut desk, &alice, &request).unwrap();
    assert_eq!((again.duplicate, &again.masked), (true, &first.masked));
    let mail = desk.fetch(&bob).remove(0);
    assert_eq!(mail.text, "«[masked: aws_access_key]»");
    let data: BTreeMap<_, _> = mail.data.unwrap();
    assert_eq!(
        json!(data),
        json!({"a": ["[masked: aws_access_key]"], "n": 7})
    );
    let innocent = send_it(&mut desk, &alice, &to("bob", "plain")).unwrap();
    assert_eq!(innocent.masked, []);
}

#[test]
fn each_rule_has_its_own_treatment() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let text = format!("it is {}", key());
    desk.secrets = configured("[rules]\naws_access_key = \"allow\"");
    assert_eq!(
        send_it(&mut desk, &alice, &to("bob", &text))
            .unwrap()
            .masked,
        []
    );
    desk.secrets = configured("outgoing = \"allow\"\n[rules]\naws_access_key = \"refuse\"");
    assert!(send_it(&mut desk, &alice, &to("bob", &text)).is_err());
    desk.secrets = configured("outgoing = \"allow\"\n[rules]\naws_access_key = \"mask\"");
    let masked = send_it(&mut desk, &alice, &to("bob", &text))
        .unwrap()
        .masked;
    assert_eq!(masked, [Rule::AwsAccessKey]);
}

#[test]
fn what_was_stored_under_another_policy_is_not_passed_on() {
    let mut desk = Desk::new();
    let (alice, bob) = (
        desk.register("alice", false).unwrap(),
        desk.register("bob", false).unwrap(),
    );
    desk.secrets = configured("outgoing = \"allow\"");
    let text = format!("it is {}", key());
    let sent = send_it(&mut desk, &alice, &to("bob", &text)).unwrap();
    let on = Forward {
        message_id: Some(sent.message_id),
        to: "alice".parse().unwrap(),
        idempotency_key: None,
    };
    desk.secrets = Secrets::default();
    let refused = desk.act_as(&bob, |c| forward::forward(&on, &bob, c));
    assert_eq!(refused.unwrap_err(), ErrorCode::Forbidden);
    desk.secrets = configured("outgoing = \"mask\"");
    let passed = desk
        .act_as(&bob, |c| forward::forward(&on, &bob, c))
        .unwrap();
    assert_eq!(passed.masked, [Rule::AwsAccessKey]);
    let mail = desk.fetch(&alice).remove(0);
    assert!(!mail.text.contains(&key()), "{}", mail.text);
}

#[test]
fn half_a_key_in_data_is_masked_to_the_end_of_its_own_string_as_in_text() {
    let mut desk = Desk::new();
    desk.secrets = configured("outgoing = \"mask\"");
    let (alice, bob) = (
        desk.register("alice", false).unwrap(),
        desk.register("bob", false).unwrap(),
    );
    let dashes = "-".repeat(5);
    let half = format!(
        "{dashes}BEGIN PRIVATE KEY{dashes}\n{}",
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2)
    );
    let request = Send {
        data: Some(serde_json::from_value(json!({"a": half, "b": "beside"})).unwrap()),
        ..to("bob", &half)
    };
    let sent = send_it(&mut desk, &alice, &request).unwrap();
    assert_eq!(sent.masked, [Rule::PrivateKey]);
    let mail = desk.fetch(&bob).remove(0);
    assert_eq!(mail.text, "[masked: private_key]");
    let left = json!({"a": "[masked: private_key]", "b": "beside"});
    assert_eq!(json!(mail.data), left);
}

#[test]
fn a_credential_in_a_name_is_refused_where_values_are_masked() {
    let mut desk = Desk::new();
    desk.secrets = configured("outgoing = \"mask\"");
    let alice = desk.register("alice", false).unwrap();
    let other = key().replace("Q3EG", "Q3EH");
    let request = Send {
        data: Some(serde_json::from_value(json!({key(): 1, other: 2})).unwrap()),
        ..to("bob", "see the data")
    };
    let refusal = send_it(&mut desk, &alice, &request).unwrap_err();
    let said = "(aws_access_key, in a name in the attached data)";
    assert!(refusal.message.contains(said), "{refusal}");
    let hint = refusal.hint.unwrap();
    assert!(!hint.contains("\"mask\""), "{hint}");
    assert_eq!(desk.number("SELECT count(*) FROM messages"), 0);
}
