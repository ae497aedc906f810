//! A connection without the client that would keep it right, and a count of what is said to it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than any deadline of the daemon.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that sends whatever it is told to.
#[derive(Debug)]
pub(super) struct Raw(UnixStream);

impl Raw {
    pub(super) fn connect(socket: &Path) -> io::Result<Self> {
        Self::over(UnixStream::connect(socket)?)
    }

    pub(super) fn over(stream: UnixStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        // Whoever never reads must not wait for room to write.
        stream.set_write_timeout(Some(Duration::from_millis(100)))?;
        Ok(Self(stream))
    }

    /// Writes bytes; a daemon that has closed, or takes no more, is what this is about.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        drop(self.0.write_all(bytes));
    }

    /// Sends one call.
    pub(super) fn call(&mut self, method: &str, params: &Value) {
        self.write(&framed(&call(method, params)));
    }

    /// Sends one call; what is said to it, or nothing when the daemon closes.
    pub(super) fn ask(&mut self, method: &str, params: &Value) -> io::Result<Option<Value>> {
        self.call(method, params);
        self.next()
    }

    /// The next frame, or nothing when the daemon has closed.
    pub(super) fn next(&mut self) -> io::Result<Option<Value>> {
        let mut length = [0; 4];
        match self.0.read_exact(&mut length) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(error),
            Err(_) => return Ok(None),
        }
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or_default();
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload)?;
        Ok(Some(serde_json::from_slice(&payload)?))
    }
}

/// One call.
pub(super) fn call(method: &str, params: &Value) -> Vec<u8> {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    call.to_string().into_bytes()
}

/// A payload behind its length.
pub(super) fn framed(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), payload].concat()
}

/// Whether this is an answer and no refusal.
pub(super) fn is_result(reply: &Value) -> bool {
    reply.get("result").is_some()
}

/// What was said, and how often.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeMap<String, u64>);

impl Heard {
    /// Counts a reply; one that is neither a result nor a refusal with a code is an error.
    pub(super) fn reply(
        &mut self,
        what: &str,
        reply: Option<&Value>,
    ) -> Result<(), Box<dyn Error>> {
        let word = match reply {
            None => "closed",
            Some(reply) if is_result(reply) => "let through",
            Some(reply) => reply
                .pointer("/error/data/code")
                .and_then(Value::as_str)
                .filter(|code| !["internal", "unavailable", ""].contains(code))
                .ok_or_else(|| format!("{what}: {reply}"))?,
        };
        self.count(what, word);
        Ok(())
    }

    pub(super) fn count(&mut self, what: &str, word: &str) {
        let count = self.0.entry(format!("{what}: {word}")).or_default();
        *count = count.saturating_add(1);
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (what, count)) in self.0.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{what:<44} {count:>12}")?;
        }
        Ok(())
    }
}
