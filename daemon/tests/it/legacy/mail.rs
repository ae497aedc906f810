//! Mail over the old port: nothing is lost, nothing is larger than it may be, nothing is raw.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;

use ipc_protocol::message::DeliveryState;
use ipc_protocol::request::{Receipts, Send};
use serde_json::{Value, json};

use super::client::{OldAgent, OldPort, house};
use crate::harness::{Agent, House, message};

/// Asks for mail and hangs up on the reply without reading it.
fn check_and_hang_up(agent: &OldAgent) {
    let mut stream = agent.port.connect();
    let request = json!({
        "action": "check", "instance_id": agent.name, "session_token": agent.token,
    });
    stream.write_all(request.to_string().as_bytes()).unwrap();
    // Something of the reply is here; closing now resets the connection.
    assert!(stream.peek(&mut [0; 1]).unwrap() > 0);
}

/// The state of the one message that `sender` sent.
fn state(sender: &mut Agent) -> DeliveryState {
    let page = sender.call(&Receipts::default()).unwrap();
    page.receipts[0].deliveries[0].state
}

#[test]
fn mail_in_a_reply_that_nobody_took_is_offered_again() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    new.send("old", "do not lose me");
    check_and_hang_up(&old);
    let texts = loop {
        let texts = old.texts();
        if !texts.is_empty() {
            break texts;
        }
        std::thread::yield_now();
    };
    assert_eq!(texts, ["do not lose me"]);
    while state(&mut new) != DeliveryState::Delivered {
        std::thread::yield_now();
    }
    assert!(old.check().is_empty());
}

#[test]
fn a_check_brings_what_fits_60_kib_and_the_rest_waits() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    for n in 0..15 {
        new.send("old", &format!("{n} {}", "x".repeat(10_000)));
    }
    let mut seen = Vec::new();
    while seen.len() < 15 {
        let request = json!({
            "action": "check", "instance_id": "old", "session_token": old.token,
        });
        let bytes = old.port.raw(request.to_string().as_bytes());
        assert!(bytes.len() <= 61_440, "{}", bytes.len());
        let reply: Value = serde_json::from_slice(&bytes).unwrap();
        let mail = reply["messages"].as_array().unwrap();
        assert!(!mail.is_empty(), "a full mailbox is never stuck");
        let number = |entry: &Value| {
            let text = entry["message"]["content"].as_str().unwrap();
            text.split(' ').next().unwrap().parse::<u32>().unwrap()
        };
        seen.extend(mail.iter().map(number));
    }
    assert_eq!(seen, (0..15).collect::<Vec<_>>(), "in order, none twice");
}

#[test]
fn the_most_that_one_message_can_hold_fits_a_reply() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    for text in ["\u{1}", "\u{202E}", "\"", "😀"] {
        let text = text.repeat(10_240 / text.len());
        let data = [("k".to_owned(), json!("\u{1}".repeat(1_500)))];
        let send = Send {
            data: Some(data.into_iter().collect()),
            ..message("old", &text)
        };
        new.call(&send).unwrap();
    }
    let mut seen = 0;
    while seen < 4 {
        let request = json!({
            "action": "check", "instance_id": "old", "session_token": old.token,
        });
        let bytes = old.port.raw(request.to_string().as_bytes());
        assert!((40..=61_440).contains(&bytes.len()), "{}", bytes.len());
        let reply: Value = serde_json::from_slice(&bytes).unwrap();
        seen += reply["messages"].as_array().unwrap().len();
    }
}

fn large_files(house: &House) -> Vec<std::path::PathBuf> {
    let directory = std::fs::read_dir(house.data_dir().large_messages()).unwrap();
    directory.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_large_message_becomes_a_file_of_its_reader_and_a_summary() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    let texts = ["one", "two"]
        .map(|word| format!("The report is {word}. It is long! {}", "x".repeat(200_000)));
    for text in &texts {
        new.send("old", text);
    }
    let mail = old.check();
    assert_eq!(
        large_files(&house).len(),
        2,
        "in the same second, and none over the other"
    );
    for (entry, text) in mail.iter().zip(&texts) {
        let path = entry["large_file_path"].as_str().unwrap();
        let summary = entry["summary"].as_str().unwrap();
        assert!(text.starts_with(summary), "{summary}");
        assert!(summary.ends_with("long!"), "{summary}");
        let content = format!("{summary} Full content saved to: {path}");
        assert_eq!(entry["message"], json!({"content": content}));
        assert_eq!(&std::fs::read_to_string(path).unwrap(), text);
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn data_that_is_too_large_to_show_is_in_the_file() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    let data = [("k".to_owned(), json!("v".repeat(20_000)))];
    let send = Send {
        data: Some(data.into_iter().collect()),
        ..message("old", "see the data")
    };
    new.call(&send).unwrap();
    let entry = old.check().remove(0);
    assert_eq!(entry["message"]["data"], Value::Null);
    let path = entry["large_file_path"].as_str().unwrap();
    let file = std::fs::read_to_string(path).unwrap();
    let start = "see the data\n\nData: {\"k\":\"vvv";
    assert!(file.starts_with(start), "{} bytes", file.len());
}

#[test]
fn a_file_that_cannot_be_written_loses_no_mail() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    new.send("old", &"x".repeat(20_000));
    let directory = house.data_dir().large_messages();
    // Not a directory: nothing can be put there.
    match std::fs::write(&directory, "") {
        Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
        _ => {}
    }
    assert_eq!(old.try_check()["status"], "error");
    std::fs::remove_file(&directory).unwrap();
    assert_eq!(old.check().len(), 1, "given back, and kept now");
}

#[test]
fn escape_sequences_do_not_reach_a_client_that_prints_what_it_gets() {
    let house = house();
    let port = OldPort::of(&house);
    let (old, eve) = (port.register("old"), port.register("eve"));
    eve.send("old", "one\n\ttwo \x1b]52;c;AAAA\x07\u{202E} drei äöü 📝");
    assert_eq!(
        old.texts(),
        ["one\n\ttwo \\x1b]52;c;AAAA\\x07⟨U+202E⟩ drei äöü 📝"]
    );
}
