//! Notices queued as messages to a thread of Codex: the one way to reach an idle one, only when asked
//! for.
//!
//! It arrives as a message of the user, so that it is the fixed sentence of every notice and nothing
//! else. Which thread this server belongs to, Codex says with every tool call.

use std::sync::Arc;

use ipc_protocol::request::ReadsWith;

use crate::codex_thread::queue;
use crate::desk::{Desk, blocking};
use crate::failure::Failure;
use crate::{Options, notices};

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
