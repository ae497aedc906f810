//! JSON for scripts: the protocol's replies, with RFC 3339 beside every point in time.
//!
//! A key `X_ms` that is a point in time gets a sibling `X`. Attached `data` is the sender's and is
//! left as it came. Characters that a terminal would obey or hide are written as `\u` escapes: the
//! same JSON, harmless to look at.

use std::fmt::Write;

use ipc_protocol::time::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::safe;
use crate::failure::Failure;

/// Keys that end in `_ms` but are stretches of time.
const STRETCHES: [&str; 2] = ["retry_after_ms", "wait_ms"];

/// The key under which a sender's own data stands.
const FOREIGN: &str = "data";

/// One line: `value` with its times.
pub(crate) fn line(value: &impl Serialize) -> Result<String, Failure> {
    let value = with_times(value)?;
    Ok(harmless(&value.to_string()))
}

/// `value` with its times.
pub(crate) fn with_times(value: &impl Serialize) -> Result<Value, Failure> {
    let mut value =
        serde_json::to_value(value).map_err(|e| Failure::local(format!("writing JSON: {e}")))?;
    add_times(&mut value);
    Ok(value)
}

/// One line: `{"error": …}`.
pub(crate) fn failure(failure: &Failure) -> String {
    let value = json!({"error": {
        "code": failure.code.map(ipc_protocol::error::ErrorCode::as_str),
        "exit_status": failure.status.code(),
        "hint": failure.hint,
        "message": failure.message,
        "retry_after_ms": failure.retry_after_ms,
    }});
    harmless(&value.to_string())
}

// As deep as the reply nests; a client refuses replies over 16 levels before they get here.
fn add_times(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object.iter_mut() {
                if key != FOREIGN {
                    add_times(inner);
                }
            }
            add_siblings(object);
        }
        Value::Array(items) => items.iter_mut().for_each(add_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn add_siblings(object: &mut Map<String, Value>) {
    let sibling = |(key, value): (&String, &Value)| {
        let stem = key
            .strip_suffix("_ms")
            .filter(|_| !STRETCHES.contains(&key.as_str()))?;
        let text = Timestamp::from_millis(value.as_i64()?).rfc3339()?;
        Some((stem.to_owned(), Value::String(text)))
    };
    let siblings: Vec<_> = object.iter().filter_map(sibling).collect();
    object.extend(siblings);
}

/// Hidden characters stand only inside strings of serialized JSON, where an escape means the same.
fn harmless(text: &str) -> String {
    let mut line = String::with_capacity(text.len().saturating_add(1));
    for c in text.chars() {
        if safe::is_hidden(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let written = write!(line, "\\u{unit:04x}");
                debug_assert!(written.is_ok());
            }
        } else {
            line.push(c);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn points_in_time_get_a_readable_sibling_and_data_is_left_alone() {
        let value = json!({
            "sent_ms": 0, "retry_after_ms": 5, "data": {"x_ms": 1}, "rows": [{"ended_ms": 1_000}],
        });
        let shown = with_times(&value).unwrap();
        assert_eq!(shown["sent"], "1970-01-01T00:00:00Z");
        assert_eq!(shown["rows"][0]["ended"], "1970-01-01T00:00:01Z");
        assert_eq!(shown["data"], json!({"x_ms": 1}));
        assert_eq!(shown.get("retry_after"), None);
    }

    proptest! {
        #[test]
        fn a_line_is_harmless_and_means_the_same(text in any::<String>()) {
            let line = line(&json!({"text": &text})).unwrap();
            prop_assert!(!line.trim_end_matches('\n').contains(safe::is_hidden));
            let back: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&back["text"], &text);
        }
    }
}
