//! A thread of Codex, and queueing a message to it.
//!
//! `codex queue` ends well even for a thread that is gone.

use std::process::{Child, Command, ExitStatus, Stdio};

use crate::clock::Deadline;
use crate::limits::QUEUEING;

/// A thread of Codex: 1 to 128 letters, digits, `_` or `-`, not beginning with `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadId(String);

/// The text names no thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a thread of codex is 1 to 128 letters, digits, `_` or `-`")]
pub struct InvalidThreadId;

impl std::str::FromStr for ThreadId {
    type Err = InvalidThreadId;

    fn from_str(text: &str) -> Result<Self, InvalidThreadId> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let is_one = (1..=128).contains(&text.len()) && text.bytes().all(fits);
        if is_one && !text.starts_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidThreadId)
        }
    }
}

/// Has Codex queue `sentence` as a message to `thread`. Blocks for at most 30 s.
///
/// # Errors
/// Why it could not be, in words.
pub fn queue(thread: &ThreadId, sentence: &str) -> Result<(), String> {
    let mut command = Command::new("codex");
    command.args(["queue", "--thread", &thread.0, "--message", sentence]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.stderr(Stdio::null()).spawn();
    let ended = child.map_err(|error| error.to_string()).and_then(await_end);
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("codex queue: {status}")),
        Err(why) => Err(format!("codex queue: {why}")),
    }
}

fn await_end(mut child: Child) -> Result<ExitStatus, String> {
    let (longest, round) = QUEUEING;
    let deadline = Deadline::after(longest);
    while deadline.remaining().is_some() {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(status);
        }
        std::thread::sleep(round);
    }
    // One that has ended meanwhile needs no killing.
    drop(child.kill());
    drop(child.wait());
    Err(format!("it took longer than {} s", longest.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_one_word_and_no_option() {
        assert!("0199-ab_C".parse::<ThreadId>().is_ok());
        for wrong in ["", "-x", "a b", "a;b", "é", &"x".repeat(129)] {
            assert_eq!(wrong.parse::<ThreadId>(), Err(InvalidThreadId), "{wrong}");
        }
    }
}
