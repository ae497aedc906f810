//! `ipc mcp`: the MCP server, for the host that started this process.

use std::sync::Arc;

use ipc_mcp::Options;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::args::McpArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::McpDoor;

/// Threads that may block at once: 16 calls, 4 subscriptions, one for notices, acknowledgements, and
/// those of the two streams.
const BLOCKING_THREADS: usize = 40;

/// Serves the host until it is gone or tells us to stop.
pub(crate) fn run(context: Context, arguments: &McpArguments) -> Result<ExitStatus, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|error| Failure::local(format!("starting the runtime: {error}")))?;
    let options = Options {
        channel: arguments.channel,
        queue_codex: arguments.queue_codex,
    };
    let door = Arc::new(McpDoor::new(context));
    let served = runtime.block_on(async {
        let signals = Signals::listen()?;
        let stop = CancellationToken::new();
        let streams = (tokio::io::stdin(), tokio::io::stdout());
        tokio::select! {
            () = ipc_mcp::run(door, options, streams, stop.clone()) => {}
            () = signals.any() => stop.cancel(),
        }
        Ok(ExitStatus::Done)
    });
    // A thread that reads standard input cannot be ended; it must not hold the process.
    runtime.shutdown_background();
    served
}

/// The ways in which hosts say that it is enough.
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::local(format!("listening for signals: {error}")))
        };
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn any(self) {
        let Self([mut interrupt, mut terminate, mut hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
