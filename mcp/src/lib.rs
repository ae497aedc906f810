//! The MCP server: it makes every host that speaks the Model Context Protocol an agent of the
//! daemon.
//!
//! A call comes in through `transport`, `rmcp` hands it to `server`, `tools` (one file each)
//! does it at the `desk`, which is where we are an agent: enrolled with the first use, with a
//! session of our own, connected again when the daemon went away. What comes back is made for
//! models by `render`. `resources`, `prompts` and `subscriptions` are the other faces of
//! the same desk; `channel` and `codex` push notices into hosts that take them. [`run`] is the whole: it
//! takes its world (the way to the daemon, the two streams, when to stop) from outside.
//!
//! What always holds: mail is acknowledged only after the response that carries it was flushed to
//! the host, and given back when that response was dropped; text of a peer stands in tool results
//! and message resources alone, inside a fence that it cannot know, never in descriptions, errors,
//! lists or notices; a host that only looks (lists tools, reads the instructions) makes no agent.
//!
//! Deliberately elsewhere: finding names, credentials and the daemon (a [`Door`], which the program
//! `ipc` brings), and what a request does (`daemon/src/actions/`).

mod answer;
mod channel;
mod clock;
mod codex;
mod codex_thread;
mod desk;
mod door;
mod failure;
#[cfg(test)]
mod fake;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod instructions;
mod limits;
mod lines;
mod notices;
mod offered;
mod pings;
mod prompts;
mod render;
mod resources;
mod server;
mod subscriptions;
#[cfg(test)]
mod tests;
mod tools;
mod transport;

use std::sync::Arc;

use rmcp::ServiceExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

pub use codex_thread::{InvalidThreadId, ThreadId, queue};
use desk::Desk;
pub use door::{Door, Enrolment, SharedFile, Wish};
pub use failure::Failure;
use limits::LEAVING;
use server::Server;
use transport::Flushing;

/// How the server is to behave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Push notices of mail into the host (`claude/channel`): the host must have asked for it.
    pub channel: bool,
    /// Queue notices of mail as messages to the thread of Codex that uses this server.
    pub queue_codex: bool,
}

/// Serves the host at the other end of the two `streams`, from it and to it, until it is gone or
/// `stop` is cancelled.
///
/// Must run in a Tokio runtime with time and a pool of blocking threads.
pub async fn run<R, W>(
    door: Arc<dyn Door>,
    options: Options,
    streams: (R, W),
    stop: CancellationToken,
) where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    let desk = Arc::new(Desk::new(door, stop.child_token()));
    let transport = Flushing::new(streams, Arc::clone(&desk), server::versions(options));
    let late = desk.enrol_late();
    let served = async {
        let server = Server::new(Arc::clone(&desk), options);
        let Ok(running) = server.serve_with_ct(transport, stop.clone()).await else {
            return;
        };
        let host = running.peer().clone();
        tokio::select! {
            done = running.waiting() => drop(done),
            () = channel::serve(&desk, options, &host) => {}
            () = codex::serve(&desk, options) => {}
            () = subscriptions::serve(&desk, &host) => {}
            () = pings::serve(&desk) => {}
        }
    };
    let left = async {
        desk.closing().cancelled().await;
        tokio::time::sleep(LEAVING).await;
    };
    tokio::select! {
        () = served => {}
        () = late => {}
        () = left => {}
    }
}
