//! What one agent stores must never keep another from its mail.

use ipc_protocol::client::ClientError;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::limits::DATA_DEPTH;
use ipc_protocol::message::Data;
use ipc_protocol::request::Whoami;
use serde_json::{Value, json};

use crate::harness::{House, code, message};

/// Data that is `depth` levels deep.
fn nested(depth: usize) -> Data {
    let inner = (2..depth).fold(json!([]), |inner, _| Value::Array(vec![inner]));
    Data::from([("deep".to_owned(), inner)])
}

#[test]
fn the_deepest_data_that_can_be_sent_can_be_read() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let mut request = message("bob", "deep");
    request.data = Some(nested(DATA_DEPTH));
    alice.call(&request).unwrap();
    alice.send("bob", "behind it");
    let mail = bob.fetch();
    assert_eq!(mail[0].data, request.data);
    assert_eq!(mail[1].text, "behind it");
    request.data = Some(nested(DATA_DEPTH + 1));
    assert_eq!(code(alice.call(&request)), ErrorCode::Malformed);
}

#[test]
fn one_agent_cannot_take_the_places_of_all() {
    let house = House::new();
    let (bob, mut alice) = (house.register("bob"), house.register("alice"));
    let mut held = Vec::new();
    let refused = loop {
        match house.reconnect(&bob) {
            Ok(client) => held.push(client),
            Err(error) => break error,
        }
    };
    assert_eq!(code::<()>(Err(refused)), ErrorCode::Busy);
    assert!(held.len() < 100, "{}", held.len());
    assert!(alice.call(&Whoami {}).is_ok(), "others are served");
    drop(held);
    let again = std::iter::repeat_with(|| house.reconnect(&bob)).find(Result::is_ok);
    assert!(again.is_some_and(|client: Result<_, ClientError>| client.is_ok()));
}
