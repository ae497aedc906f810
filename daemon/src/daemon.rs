//! What every connection holds: the store's two ends, the rates, and the stop bell.

use std::sync::Arc;

use ipc_protocol::request::Sandbox;
use ipc_protocol::time::Timestamp;
use tokio::sync::{Semaphore, watch};

use crate::legacy::OldPort;
use crate::quota::Quotas;
use crate::shared::Shared;
use crate::store::reader::Reader;
use crate::store::writer::Writer;

/// The running daemon, as its connections see it.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    /// A reader for searches alone.
    pub(crate) searcher: Reader,
    pub(crate) quotas: Quotas,
    /// Bytes of requests that may still be taken in, over all connections.
    pub(crate) inbound: Arc<Semaphore>,
    /// Places for connections.
    pub(crate) places: Arc<Semaphore>,
    /// Turns true when the daemon stops.
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) started: Timestamp,
    pub(crate) leaves_when_idle: bool,
    pub(crate) sandbox: Sandbox,
    pub(crate) old_port: OldPort,
    pub(crate) data_dir: ipc_protocol::paths::DataDir,
    /// Held while a backup is made: one at a time.
    pub(crate) backup: tokio::sync::Mutex<()>,
}

/// Waits until the daemon stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}
