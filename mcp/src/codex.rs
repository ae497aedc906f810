//! Notices queued as messages to a thread of Codex: the one way to reach an idle one, only when asked
//! for.
//!
//! It arrives as a message of the user, so that it is the fixed sentence of every notice and nothing
//! else. Which thread this server belongs to, Codex says with every tool call. `codex queue` ends
//! well even for a thread that is gone.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use ipc_protocol::request::ReadsWith;

use crate::clock::Deadline;
use crate::desk::{Desk, blocking};
use crate::failure::Failure;
use crate::limits::QUEUEING;
use crate::{Options, notices};

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

/// Queues notices for as long as the host is there; never comes to an end.
pub(crate) async fn serve(desk: &Arc<Desk>, options: Options) {
    if options.queue_codex {
        pass_on(desk).await;
    }
    std::future::pending::<()>().await;
}

async fn pass_on(desk: &Arc<Desk>) {
    let mut threads = desk.threads();
    // Until the first call nobody knows where to.
    while threads.wait_for(Option::is_some).await.is_ok() {
        let Some(report) = notices::next_to_tell(desk).await else {
            return;
        };
        let Some(thread) = threads.borrow().clone() else {
            return;
        };
        let sentence = report.sentence(ReadsWith::Tool);
        let queued = blocking(move || queue(&thread, &sentence).map_err(Failure::local));
        if let Err(failure) = queued.await {
            desk.note(failure.message);
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
