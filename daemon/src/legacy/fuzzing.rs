//! Any bytes as a request of the predecessor's wire.

use super::reading::{fields, is_cut_short};
use super::wire::{Action, Fields, Refused};

/// Beginnings of a request that are looked at: each is parsed anew.
const LONGEST: usize = 256;

/// A request is complete or refused as soon as it can be told, and no field of the wrong type is read.
pub fn old_port(bytes: &[u8]) {
    let Ok(request) = fields(bytes) else { return };
    let last = bytes.iter().rposition(|byte| *byte == b'}');
    for end in 0..=last.unwrap_or(0).min(LONGEST) {
        let beginning = bytes.get(..end).unwrap_or_default();
        assert!(
            is_cut_short(beginning),
            "what was to come is not waited for"
        );
    }
    assert!(!is_cut_short(bytes), "a whole request is waited for");
    let action = request.text("action").ok().and_then(Action::parse);
    let fields = ["to_id", "new_id", "auth_token", "session_token"];
    for field in fields.into_iter().chain(action.and_then(Action::subject)) {
        let (must, may) = (request.text(field), request.text_if_any(field));
        assert!(must.is_err() || Ok(must.ok()) == may);
    }
    read_message(request);
}

/// A message is text, and data that is not empty.
fn read_message(request: Fields) {
    match request.message() {
        Ok((_, data)) => assert!(data.is_none_or(|data| !data.is_empty())),
        Err(Refused(why)) => assert!(why.starts_with("Missing or wrong field: message")),
    }
}
