//! What the host says of its event: JSON on standard input, of which little matters.

use std::io::{self, Read};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::clock::Deadline;

/// Bytes that are kept; more is not understood. Tools answer at length.
const MOST: usize = 1_024 * 1_024;

/// How long the host may take to say it all.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(250);

/// Bytes asked of the stream at once.
const CHUNK: usize = 64 * 1_024;

/// What matters of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Input {
    /// The agent was kept from stopping once already.
    pub(super) stop_hook_active: bool,
    /// A part of the agent, with a context of its own, fired the event.
    pub(super) is_subagent: bool,
    /// The session that ends goes on: it was cleared, or another one is resumed in its place.
    pub(super) goes_on: bool,
}

impl Input {
    /// Reads it; nothing when it is not a JSON object, too long, or not there in time.
    pub(super) fn read() -> Option<Self> {
        parse(&read_all()?)
    }
}

/// Hears the host out, whatever became of the hook.
pub(crate) fn hear_out() {
    drop(read_all());
}

fn parse(bytes: &[u8]) -> Option<Input> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else {
        return None;
    };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let is_true = |name: &str| fields.get(name).and_then(Value::as_bool) == Some(true);
    Some(Input {
        stop_hook_active: is_true("stop_hook_active"),
        is_subagent: text("agent_id").is_some_and(|id| !id.is_empty()),
        goes_on: matches!(text("reason"), Some("clear" | "resume")),
    })
}

fn read_all() -> Option<Vec<u8>> {
    let mut source = io::stdin().lock();
    let deadline = Deadline::after(PATIENCE);
    let (mut bytes, mut is_long) = (Vec::new(), false);
    let mut chunk = vec![0; CHUNK];
    loop {
        let left = Timespec::try_from(deadline.remaining()?).ok()?;
        let mut there = [PollFd::new(&source, PollFlags::IN)];
        match poll(&mut there, Some(&left)) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
        }
        match source.read(&mut chunk) {
            Ok(0) => return (!is_long).then_some(bytes),
            // Read on: a host may take it ill when nobody hears it out.
            Ok(read) if bytes.len().saturating_add(read) > MOST => is_long = true,
            Ok(read) => bytes.extend_from_slice(chunk.get(..read)?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing {
    //! Any bytes as what a host says to a hook.

    use super::{Input, Value, parse};

    /// What is no object says nothing, and nothing is read of a field of the wrong type.
    pub(crate) fn hook(bytes: &[u8]) {
        let read: Option<Value> = serde_json::from_slice(bytes).ok();
        let fields = read.as_ref().and_then(Value::as_object);
        let input = parse(bytes);
        assert_eq!(input.is_some(), fields.is_some());
        if fields.is_some_and(|fields| !fields.values().any(|v| v.is_string() || v.is_boolean())) {
            assert_eq!(input, Some(Input::default()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_found_and_the_rest_let_pass() {
        let parsed = |text: &str| parse(text.as_bytes());
        assert_eq!(parsed("{}"), Some(Input::default()));
        let stop = parsed(r#"{"stop_hook_active": true, "agent_id": "", "new": [1]}"#).unwrap();
        assert!(stop.stop_hook_active && !stop.is_subagent);
        assert!(parsed(r#"{"agent_id": "a1"}"#).unwrap().is_subagent);
        assert!(parsed(r#"{"reason": "clear"}"#).unwrap().goes_on);
        let odd = parsed(r#"{"stop_hook_active": "yes", "agent_id": 7, "reason": null}"#);
        assert_eq!(odd, Some(Input::default()));
        for text in ["", "[]", "true", "{", "{}{}", "\u{1b}"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_hosts_say_holds_for_its_seeds() {
        crate::seeds::replay("hook", fuzzing::hook);
    }
}
