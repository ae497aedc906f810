//! The threads of the store: each drives one future, which waits for nothing but its queue.
//!
//! Written as futures so that tests can schedule them together with those who hand in work, in every
//! order (`scheduler.rs`); what they wait on wakes them the same way here.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Builder, JoinHandle, Thread};

/// Starts the thread `name`, which drives the future that `work` makes there, and ends with it.
pub(super) fn start<F: Future<Output: Send + 'static>>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> io::Result<JoinHandle<F::Output>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(move || drive(work()))
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn drive<T>(work: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut work = pin!(work);
    loop {
        if let Poll::Ready(output) = work.as_mut().poll(&mut context) {
            return output;
        }
        // Woken meanwhile, this returns at once.
        thread::park();
    }
}

/// Where another thread may come in between: under the scheduler of the tests, one does.
#[cfg(not(test))]
pub(super) fn others_may_run() -> std::future::Ready<()> {
    std::future::ready(())
}

#[cfg(test)]
pub(super) use crate::scheduler::others_may_run;
