//! A job for the writer: work on the store, and somebody who waits for what it comes to.
//!
//! What always holds: a job is answered once, and with a success only when its transaction has committed.

use tokio::sync::oneshot;

use super::context::Context;
use crate::error::{ActionError, Done, Fault};

/// What a job will come to.
pub(crate) type Pending<T> = oneshot::Receiver<Done<T>>;

/// A job that waits at a mailbox for the transaction that stores what is waited for there.
pub(crate) struct DeferredJob(Box<dyn Job>);

impl DeferredJob {
    /// The job, and what it will come to.
    pub(crate) fn new<T: Send + 'static>(
        work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> (Self, Pending<T>) {
        let (job, pending) = task(work);
        (Self(job), pending)
    }

    pub(super) fn into_job(self) -> Box<dyn Job> {
        self.0
    }
}

impl std::fmt::Debug for DeferredJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("DeferredJob").finish_non_exhaustive()
    }
}

/// Waits for what a job comes to.
pub(crate) async fn settle<T>(pending: Pending<T>) -> Done<T> {
    pending
        .await
        .unwrap_or(Err(ActionError::Fault(Fault::Stopping)))
}

/// What the writer runs.
pub(super) trait Job: Send {
    /// Does the work; says whether its changes are to stay.
    fn run(&mut self, context: &mut Context<'_>) -> bool;
    /// Answers: with what the work came to if the transaction committed, else with the fault.
    fn answer(self: Box<Self>, committed: Result<(), String>);
}

struct Task<T, W> {
    work: Option<W>,
    outcome: Option<Done<T>>,
    reply: oneshot::Sender<Done<T>>,
}

/// `work` as a job, and what it will come to.
pub(super) fn task<T: Send + 'static>(
    work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
) -> (Box<dyn Job>, Pending<T>) {
    let (reply, pending) = oneshot::channel();
    let job = Task {
        work: Some(work),
        outcome: None,
        reply,
    };
    (Box::new(job), pending)
}

impl<T: Send, W: FnOnce(&mut Context<'_>) -> Done<T> + Send> Job for Task<T, W> {
    fn run(&mut self, context: &mut Context<'_>) -> bool {
        if self.outcome.is_none() {
            self.outcome = self.work.take().map(|work| work(context));
        }
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, committed: Result<(), String>) {
        let outcome = match (self.outcome, committed) {
            (Some(Ok(_)) | None, Err(why)) => Err(Fault::NotCommitted(why).into()),
            (Some(outcome), _) => outcome,
            (None, Ok(())) => Err(Fault::Stopping.into()),
        };
        // A caller that has gone needs no answer.
        drop(self.reply.send(outcome));
    }
}
