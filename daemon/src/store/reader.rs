//! Readers: requests that change nothing, on a connection of their own, never behind the writer's
//! flushes. One answers searches, which may take long, so that nothing else waits for them.

use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::context::View;
use super::job::{Pending, settle};
use super::thread::others_may_run;
use crate::error::Done;
use crate::limits::QUEUE;
use crate::shared::Shared;

type Question = Box<dyn FnOnce(&View<'_>) + Send>;

/// Where questions are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    queue: mpsc::Sender<Question>,
}

impl Reader {
    /// Starts the thread `name` on `db`. It ends when every [`Reader`] of it is gone.
    pub(crate) fn start(
        name: &str,
        db: Connection,
        shared: Arc<Shared>,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, questions) = mpsc::channel(QUEUE);
        let thread = super::thread::start(name, || work(db, shared, questions))?;
        Ok((Self { queue }, thread))
    }

    /// Hands in a question.
    pub(crate) async fn submit<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Done<T> + Send + 'static,
    ) -> Pending<T> {
        let (reply, pending) = oneshot::channel();
        let question = move |view: &View<'_>| drop(reply.send(ask(view)));
        drop(self.queue.send(Box::new(question)).await);
        pending
    }

    /// Hands in a question and waits for the answer.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&View<'_>) -> Done<T> + Send + 'static,
    ) -> Done<T> {
        settle(self.submit(ask).await).await
    }
}

async fn work(db: Connection, shared: Arc<Shared>, mut questions: mpsc::Receiver<Question>) {
    while let Some(question) = questions.recv().await {
        question(&View {
            db: &db,
            now: shared.clock.now(),
            boot_id: &shared.boot_id,
            limits: &shared.limits,
            presence: &shared.presence,
        });
        others_may_run().await;
    }
}

#[cfg(test)]
impl Reader {
    /// The same with no thread: the future is to be driven.
    pub(crate) fn unstarted(
        db: Connection,
        shared: Arc<Shared>,
    ) -> (Self, impl Future<Output = ()>) {
        let (queue, questions) = mpsc::channel(QUEUE);
        (Self { queue }, work(db, shared, questions))
    }
}
