//! Requests as they come: in pieces, slowly, never, too large, or not at all what they should be.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::{Value, json};

use super::client::{OldPort, house, read_all, refused, report};

const STRICT: &str = "Not one JSON object, or a key twice, or nested too deep";

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn two_requests_in_pieces_are_each_read_whole() {
    let house = house();
    let alice = OldPort::of(&house).register("alice");
    let request = |text: &str| {
        json!({
            "action": "send", "from_id": "alice", "to_id": "alice", "session_token": alice.token,
            "message": {"content": text},
        })
        .to_string()
    };
    let texts = ["{\"one\": \"}\" ü", "two"];
    let mut streams = [alice.port.connect(), alice.port.connect()];
    let requests = texts.map(request);
    let length = requests[0].len().max(requests[1].len());
    for start in (0..length).step_by(length.div_ceil(20)) {
        for (stream, request) in streams.iter_mut().zip(&requests) {
            stream.set_nodelay(true).unwrap();
            let end = (start + length.div_ceil(20)).min(request.len());
            let piece = request.as_bytes().get(start..end).unwrap_or_default();
            stream.write_all(piece).unwrap();
        }
    }
    for stream in streams {
        assert_eq!(parsed(&read_all(stream))["message"], "Message sent");
    }
    let mut mail = alice.texts();
    mail.sort();
    assert_eq!(mail, ["two", "{\"one\": \"}\" ü"]);
}

#[test]
fn a_client_that_half_closes_after_its_request_is_answered() {
    let house = house();
    let alice = OldPort::of(&house).register("alice");
    let mut stream = alice.port.connect();
    let request = json!({"action": "list", "session_token": alice.token});
    stream.write_all(request.to_string().as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(parsed(&read_all(stream))["status"], "ok");
    let mut cut = alice.port.connect();
    cut.write_all(b"{\"action\": \"li").unwrap();
    cut.shutdown(Shutdown::Write).unwrap();
    assert_eq!(parsed(&read_all(cut)), refused(STRICT));
}

#[test]
fn what_is_no_strict_json_object_is_refused_at_once() {
    let house = house();
    let port = OldPort::of(&house);
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(200), "]".repeat(200));
    for bad in [
        "hello",
        "GET / HTTP/1.1\r\n\r\n",
        "[1]",
        "{\"action\": \"list\", \"action\": \"send\"}",
        "{\"action\": \"list\", \"x\": {\"a\": 1, \"a\": 2}}",
        "{\"action\": \"list\"} {\"action\": \"list\"}",
        "{\"action\": \"\\ud800\"}",
        &deep,
    ] {
        assert_eq!(parsed(&port.raw(bad.as_bytes())), refused(STRICT), "{bad}");
    }
    let request = b"{\"action\": \"\xff\"}";
    assert_eq!(parsed(&port.raw(request)), refused(STRICT));
}

#[test]
fn a_request_over_64_kib_is_refused_and_one_under_it_is_not() {
    let house = house();
    let alice = OldPort::of(&house).register("alice");
    let text = "x".repeat(60_000);
    assert_eq!(alice.send("alice", &text)["message"], "Message sent");
    let large = alice.send("alice", &"x".repeat(65_536));
    assert_eq!(large, refused("Request larger than 64 KiB"));
}

#[test]
fn a_request_in_more_pieces_than_it_needs_is_refused() {
    let house = house();
    let mut stream = OldPort::of(&house).connect();
    stream.set_nodelay(true).unwrap();
    // One byte at a time, for as long as anybody listens.
    stream.write_all(b"{").unwrap();
    while stream.write_all(b" ").is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(report(&house).unwrap().requests, 0);
}

#[test]
fn whoever_says_nothing_is_hung_up_on() {
    let house = house();
    let port = OldPort::of(&house);
    assert!(read_all(port.connect()).is_empty());
    let mut slow = port.connect();
    slow.write_all(b"{\"action\":").unwrap();
    let expected = refused("Request not complete within 5 seconds");
    assert_eq!(parsed(&read_all(slow)), expected);
}

#[test]
fn a_storm_of_silent_connections_does_not_keep_others_out() {
    let house = house();
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    let storm: Vec<_> = (0..100).map(|_| port.connect()).collect();
    assert!(alice.check().is_empty(), "served while they are silent");
    let mut native = house.register("native");
    assert_eq!(native.send("alice", "hello").recipients.len(), 1);
    for mut stream in storm {
        assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
    }
    assert_eq!(alice.texts(), ["hello"]);
}
