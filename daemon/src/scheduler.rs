//! A scheduler for tests: futures on one thread, in an order that a seed decides.
//!
//! Whatever waits in the daemon's registry, writer and readers waits on something that wakes a task, and
//! whatever could come in between two steps of another thread can do so where that one awaits. So an
//! order of polls is an order of events, and a seed is a run: the same seed, the same run. Half of the
//! seeds draw the next task anew each time; the other half give tasks ranks and change them a few times
//! (Burckhardt and others, 2010), which finds what needs one task to be left behind for long.
//!
//! What always holds: a task that nothing woke is not polled, so that a lost wake is a deadlock here too.

mod room;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

pub(crate) use room::Room;

/// Polls in one run, at most: more is a run that turns in a circle.
const POLLS: u32 = 20_000;

/// Polls among which ranks are changed, and how often.
const CHANGES: (u32, usize) = (200, 4);

/// Times as many runs in the long tests.
pub(crate) const LONG: u64 = 50;

/// What a task does.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    name: String,
    /// Nothing once it is done.
    work: Option<Work>,
    woken: Arc<Woken>,
    rank: u32,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The tasks of one run.
pub(crate) struct Scheduler {
    tasks: Vec<Task>,
    rng: StdRng,
    /// The polls at which the task that runs is ranked last; nothing where each is drawn anew.
    changes: Option<Vec<u32>>,
    polls: u32,
}

impl Scheduler {
    /// The run of `seed`, without tasks yet.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let (among, often) = CHANGES;
        let changes = (0..often).map(|_| rng.random_range(0..among)).collect();
        Self {
            tasks: Vec::new(),
            changes: seed.is_multiple_of(2).then_some(changes),
            rng,
            polls: 0,
        }
    }

    /// Randomness of this run, for what its tasks do.
    pub(crate) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }

    /// Adds a task.
    pub(crate) fn spawn(
        &mut self,
        name: impl Into<String>,
        work: impl Future<Output = ()> + 'static,
    ) {
        self.tasks.push(Task {
            name: name.into(),
            work: Some(Box::pin(work)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            // Above every rank that a change gives.
            rank: self.rng.random_range(CHANGES.0..u32::MAX),
        });
    }

    /// Runs until every task is done, or waits for what no other will do.
    pub(crate) fn run(&mut self) {
        self.run_for(POLLS);
    }

    /// The same, for at most so many polls.
    pub(crate) fn run_for(&mut self, polls: u32) {
        let end = self.polls.saturating_add(polls);
        while self.polls < end
            && let Some(at) = self.next()
        {
            self.polls = self.polls.saturating_add(1);
            assert!(
                self.polls < POLLS,
                "turns in a circle: {:?}",
                self.waiting()
            );
            let rank = self.rank();
            let task = &mut self.tasks[at];
            if let Some(rank) = rank {
                task.rank = rank;
            }
            task.woken.0.store(false, Ordering::Relaxed);
            let waker = Waker::from(Arc::clone(&task.woken));
            let work = task.work.as_mut().unwrap();
            if work.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Ready(()) {
                task.work = None;
            }
        }
    }

    /// Drops a task where it waits, as an ended connection does.
    pub(crate) fn cancel(&mut self, name: &str) {
        for task in self.tasks.iter_mut().filter(|task| task.name == name) {
            task.work = None;
        }
    }

    /// Who is not done.
    pub(crate) fn waiting(&self) -> Vec<&str> {
        let tasks = self.tasks.iter().filter(|task| task.work.is_some());
        tasks.map(|task| task.name.as_str()).collect()
    }

    fn next(&mut self) -> Option<usize> {
        let is_ready = |task: &Task| task.work.is_some() && task.woken.0.load(Ordering::Relaxed);
        let ready = (0..self.tasks.len()).filter(|at| is_ready(&self.tasks[*at]));
        if self.changes.is_some() {
            return ready.max_by_key(|at| self.tasks[*at].rank);
        }
        let ready: Vec<_> = ready.collect();
        let drawn = (!ready.is_empty()).then(|| self.rng.random_range(0..ready.len()))?;
        ready.get(drawn).copied()
    }

    /// The rank of the task that runs now, where this poll is one at which ranks change.
    fn rank(&self) -> Option<u32> {
        let changes = self.changes.as_ref()?;
        let change = changes.iter().position(|at| *at == self.polls)?;
        u32::try_from(change).ok()
    }
}

/// Lets every other task come first, once.
pub(crate) async fn others_may_run() {
    let mut came = false;
    std::future::poll_fn(|context| {
        if came {
            return Poll::Ready(());
        }
        came = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Makes `run` with one seed after another, and says which one failed.
///
/// `IPC_TEST_SCALE=long` makes [`LONG`] times as many runs; `IPC_TEST_SEED=N` makes only that one.
pub(crate) fn explore(runs: u64, run: impl Fn(u64)) {
    let (first, last) = match (variable("IPC_TEST_SEED"), variable("IPC_TEST_SCALE")) {
        (Some(seed), _) => {
            let seed: u64 = seed.parse().unwrap();
            (seed, seed.saturating_add(1))
        }
        (None, Some(scale)) if scale == "long" => (0, runs.saturating_mul(LONG)),
        (None, _) => (0, runs),
    };
    for seed in first..last {
        let said = Said(seed);
        run(seed);
        drop(said);
    }
}

/// Says the seed when a run of it panics.
struct Said(u64);

impl Drop for Said {
    #[expect(clippy::print_stderr, reason = "the seed of a test that fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the run that failed: IPC_TEST_SEED={}", self.0);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long tests may take")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;
    use std::rc::Rc;

    use super::*;

    /// The order in which three tasks of two steps each run.
    fn order(seed: u64) -> Vec<u8> {
        let mut scheduler = Scheduler::new(seed);
        let log = Rc::new(RefCell::new(Vec::new()));
        for name in 0..3 {
            let log = Rc::clone(&log);
            scheduler.spawn(name.to_string(), async move {
                log.borrow_mut().push(name);
                others_may_run().await;
                log.borrow_mut().push(name);
            });
        }
        scheduler.run();
        assert!(scheduler.waiting().is_empty());
        log.take()
    }

    #[test]
    fn a_seed_is_an_order_and_many_seeds_are_every_order() {
        assert!((0..50).all(|seed| order(seed) == order(seed)));
        let orders: BTreeSet<_> = (0..4_000).map(order).collect();
        // 6! / (2! 2! 2!)
        assert_eq!(orders.len(), 90);
    }

    #[test]
    fn a_task_that_nobody_wakes_is_found_waiting() {
        let mut scheduler = Scheduler::new(1);
        let (keep, never) = tokio::sync::oneshot::channel::<()>();
        scheduler.spawn("lost", async { drop(never.await) });
        scheduler.run();
        assert_eq!(scheduler.waiting(), ["lost"]);
        drop(keep);
        scheduler.run();
        assert!(scheduler.waiting().is_empty());
    }
}
