//! The threads beside the runtime: of the store, which are started together and ended in order, and
//! of the audit log.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use ipc_protocol::paths::DataDir;
use rand::rngs::StdRng;
use rusqlite::Connection;

use crate::DaemonError;
use crate::deployment::DeploymentError;
use crate::shared::Shared;
use crate::store::guard::Guard;
use crate::store::hardening;
use crate::store::reader::Reader;
use crate::store::writer::{Broken, Writer};

/// The store at work: who writes, who reads, and their threads.
pub(crate) struct Store {
    pub(crate) writer: Writer,
    pub(crate) broken: Broken,
    pub(crate) reader: Reader,
    pub(crate) searcher: Reader,
    pub(crate) threads: StoreThreads,
}

pub(crate) struct StoreThreads {
    writing: JoinHandle<Connection>,
    reading: [JoinHandle<()>; 2],
}

/// Every thread that a stop waits for.
pub(crate) struct Threads {
    pub(crate) store: StoreThreads,
    /// Ends when nobody is left who could hand anything in: after those of the store.
    pub(crate) auditing: JoinHandle<()>,
}

/// Starts the writer on `db` and the readers beside it.
pub(crate) fn start_store(
    db: Connection,
    data_dir: &DataDir,
    shared: &Arc<Shared>,
    rng: StdRng,
) -> Result<Store, DaemonError> {
    let guard = Guard::new(&data_dir.database())?;
    let (writer, broken, writing) = Writer::start(db, guard, rng, Arc::clone(shared))?;
    let (reader, answering) = start_reader("reader", data_dir, shared)?;
    let (searcher, searching) = start_reader("searcher", data_dir, shared)?;
    Ok(Store {
        writer,
        broken,
        reader,
        searcher,
        threads: StoreThreads {
            writing,
            reading: [answering, searching],
        },
    })
}

fn start_reader(
    name: &str,
    data_dir: &DataDir,
    shared: &Arc<Shared>,
) -> Result<(Reader, JoinHandle<()>), DaemonError> {
    let db = hardening::open_reader(&data_dir.database()).map_err(DeploymentError::Sqlite)?;
    Ok(Reader::start(name, db, Arc::clone(shared))?)
}

impl Threads {
    /// Lets them finish when nobody hands anything in any more: what was handed in is done.
    pub(crate) async fn settle(self) {
        let joined = tokio::task::spawn_blocking(|| self.join());
        if !matches!(joined.await, Ok(Ok(()))) {
            tracing::error!("a thread of the store or of the audit log ended badly");
        }
    }

    /// The writer's connection is closed when the readers' are: the last one puts the log into the
    /// database and removes it, and of two that are closed at once neither may find itself the last.
    fn join(self) -> thread::Result<()> {
        let StoreThreads { writing, reading } = self.store;
        let db = writing.join();
        let read = reading.map(JoinHandle::join);
        let wrote = db.map(drop);
        let audited = self.auditing.join();
        read.into_iter().chain([wrote, audited]).collect()
    }
}
