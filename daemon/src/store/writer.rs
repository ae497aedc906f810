//! The one writer: takes what waits, runs each job in a savepoint of its own, commits once, and
//! only then answers. What waiting fetches have deferred until such mail comes is done in the same
//! transaction. After that, when it is time, it puts words into the index of the search.
//!
//! A slow flush fills the next batch, so that no timer is needed. After a failed commit nobody in
//! the batch hears a success; after a failed flush nothing more is written at all, because a
//! second flush of the same pages may report a success that the disk never had.

use std::sync::Arc;
use std::thread::JoinHandle;

use rand::rngs::StdRng;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::{mpsc, watch};

use super::context::{Context, Effect, View};
use super::guard::Guard;
use super::indexing;
use super::job::{DeferredJob, Job, Pending, settle, task};
use super::thread::others_may_run;
use crate::error::Done;
use crate::limits::{BATCH, DEFERRED_JOBS, QUEUE};
use crate::shared::Shared;

/// Where jobs are handed in.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

/// The same for what must not keep the writer from ending.
#[derive(Debug, Clone)]
pub(crate) struct WeakWriter {
    queue: mpsc::WeakSender<Box<dyn Job>>,
}

/// Says that the writer will write no more, and why.
pub(crate) type Broken = watch::Receiver<Option<String>>;

impl Writer {
    /// Starts the writer's thread on `db`. It ends when every [`Writer`] is gone, and gives `db`
    /// back.
    pub(crate) fn start(
        db: Connection,
        guard: Guard,
        rng: StdRng,
        shared: Arc<Shared>,
    ) -> std::io::Result<(Self, Broken, JoinHandle<Connection>)> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (worker, is_broken) = Worker::new(db, guard, rng, shared);
        let thread = super::thread::start("writer", || worker.work(jobs))?;
        Ok((Self { queue }, is_broken, thread))
    }

    /// A handle that does not keep the writer at work.
    pub(crate) fn weak(&self) -> WeakWriter {
        let queue = self.queue.downgrade();
        WeakWriter { queue }
    }

    /// Hands in a job; jobs run in the order in which this returns.
    pub(crate) async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> Pending<T> {
        let (job, pending) = task(work);
        // A writer that is gone drops the job, and the caller hears that the daemon is stopping.
        drop(self.queue.send(job).await);
        pending
    }

    /// Hands in a job and waits for what it comes to.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> Done<T> {
        settle(self.submit(work).await).await
    }
}

#[cfg(test)]
impl Writer {
    /// The same with no thread and room for `queued` jobs: the future is to be driven.
    pub(crate) fn unstarted(
        db: Connection,
        guard: Guard,
        shared: Arc<Shared>,
        queued: usize,
    ) -> (Self, Broken, impl Future<Output = ()>) {
        use rand::SeedableRng;
        let (queue, jobs) = mpsc::channel(queued);
        let (worker, broken) = Worker::new(db, guard, StdRng::seed_from_u64(1), shared);
        let work = async { drop(worker.work(jobs).await) };
        (Self { queue }, broken, work)
    }
}

impl WeakWriter {
    /// Hands in a job whose outcome nobody waits for, if there is room and the writer is at work.
    pub(crate) fn try_submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
    ) {
        let (job, _) = task(work);
        if let Some(queue) = self.queue.upgrade() {
            drop(queue.try_send(job));
        }
    }
}

/// The writer's thread and all that it owns.
struct Worker {
    db: Connection,
    guard: Guard,
    rng: StdRng,
    shared: Arc<Shared>,
    broken: watch::Sender<Option<String>>,
    effects: Vec<Effect>,
}

impl Worker {
    fn new(db: Connection, guard: Guard, rng: StdRng, shared: Arc<Shared>) -> (Self, Broken) {
        let (broken, is_broken) = watch::channel(None);
        let worker = Self {
            db,
            guard,
            rng,
            shared,
            broken,
            effects: Vec::new(),
        };
        (worker, is_broken)
    }

    async fn work(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) -> Connection {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            let committed = self.transact(&mut batch);
            others_may_run().await;
            if committed.is_ok() {
                self.shared.apply(&self.effects);
            }
            self.effects.clear();
            for job in batch.drain(..) {
                others_may_run().await;
                job.answer(committed.clone());
            }
            if committed.is_ok() {
                others_may_run().await;
                self.index();
            }
            if self.broken.borrow().is_some() {
                break;
            }
        }
        self.db
    }

    /// Runs the batch, unless its files are gone: then nothing may be acknowledged any more.
    fn transact(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), String> {
        if let Err(why) = self.guard.check() {
            tracing::error!(why, "the store is not where it was");
            self.broken.send_replace(Some(why.clone()));
            return Err(why);
        }
        self.commit(batch)
    }

    fn commit(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), String> {
        let before = self.db.total_changes();
        let worked = self.begin().and_then(|()| self.run_all(batch));
        let worked = worked.and_then(|()| {
            let mut deferred = self.deferred_for_this();
            let done = self.run_all(&mut deferred);
            batch.append(&mut deferred);
            done
        });
        let changed = self.db.total_changes() != before;
        let committed = worked.and_then(|()| self.statement("COMMIT"));
        match &committed {
            Ok(()) if changed => self.shared.counters.committed(),
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "a transaction did not commit");
                self.recover(error);
            }
        }
        committed.map_err(|error| error.to_string())
    }

    /// Puts the words of what was stored into the index, if it is time. Nobody waits for it. What a
    /// full disk keeps from it is made good after a later batch, and until then searches read these
    /// texts themselves; a failing disk or damage ends the writer, as everywhere.
    fn index(&self) {
        if let Err(error) = self.catch_up_if_due() {
            tracing::error!(%error, "words are not in the index yet; all mail is stored");
            self.recover(&error);
        }
    }

    fn catch_up_if_due(&self) -> rusqlite::Result<()> {
        if !indexing::is_due(&self.db)? {
            return Ok(());
        }
        self.begin()?;
        indexing::catch_up(&self.db)?;
        self.statement("COMMIT")
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.statement("BEGIN IMMEDIATE")
    }

    /// What waiting fetches have deferred until mail comes that has come in this transaction: they
    /// take it without another one. The others hear of it and look.
    fn deferred_for_this(&self) -> Vec<Box<dyn Job>> {
        let deferred = self.effects.iter().filter_map(|effect| {
            let Effect::MessageArrived(agent, envelope) = effect else {
                return None;
            };
            self.shared.mailboxes.deferred_for(*agent, envelope)
        });
        deferred
            .take(DEFERRED_JOBS)
            .map(DeferredJob::into_job)
            .collect()
    }

    fn run_all(&mut self, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
        for job in batch {
            self.statement("SAVEPOINT job")?;
            let before = self.effects.len();
            let mut context = Context {
                view: View {
                    db: &self.db,
                    now: self.shared.clock.now(),
                    boot_id: &self.shared.boot_id,
                    limits: &self.shared.limits,
                    presence: &self.shared.presence,
                },
                rng: &mut self.rng,
                key: &self.shared.key,
                names: self.shared.names,
                secrets: &self.shared.secrets,
                effects: &mut self.effects,
            };
            let keep = job.run(&mut context);
            if self.db.is_autocommit() {
                // A full disk or a failed read may roll back everything, not just this savepoint.
                let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT);
                let why = "the whole transaction was rolled back by an earlier error".to_owned();
                return Err(rusqlite::Error::SqliteFailure(code, Some(why)));
            }
            if !keep {
                self.effects.truncate(before);
                self.statement("ROLLBACK TO job")?;
            }
            self.statement("RELEASE job")?;
        }
        Ok(())
    }

    fn recover(&self, error: &rusqlite::Error) {
        if !self.db.is_autocommit() {
            // If even this fails, the next BEGIN does, and its batch hears of it.
            drop(self.statement("ROLLBACK"));
        }
        let broken = error.sqlite_error_code().is_some_and(|code| {
            matches!(
                code,
                ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
            )
        });
        if broken {
            self.broken.send_replace(Some(error.to_string()));
        }
    }

    fn statement(&self, sql: &'static str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}

#[cfg(test)]
mod races;
#[cfg(test)]
mod tests;
