//! What every connection holds: the store's two ends, the rates, the gate, and the stop bell.

use std::sync::{Arc, PoisonError, RwLock};

use ipc_protocol::request::Enrolment;
use ipc_protocol::time::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, watch};

use crate::quota::Quotas;
use crate::shared::Shared;
use crate::store::reader::Reader;
use crate::store::verifiers::SecretVerifier;
use crate::store::writer::Writer;

/// The running daemon, as its connections see it.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
    pub(crate) reader: Reader,
    pub(crate) quotas: Quotas,
    pub(crate) gate: Gate,
    /// Bytes of requests that may still be taken in, over all connections.
    pub(crate) inbound: Arc<Semaphore>,
    /// Places for connections.
    pub(crate) places: Arc<Semaphore>,
    /// Turns true when the daemon stops.
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) started: Timestamp,
    pub(crate) leaves_when_idle: bool,
    pub(crate) data_dir: ipc_protocol::paths::DataDir,
    /// Held while a backup is made: one at a time.
    pub(crate) backup: tokio::sync::Mutex<()>,
}

impl Daemon {
    /// Connections that are open now.
    pub(crate) fn open_connections(&self) -> u64 {
        let limit = usize::try_from(self.shared.limits.connections).unwrap_or(usize::MAX);
        let open = limit.saturating_sub(self.places.available_permits());
        u64::try_from(open).unwrap_or(u64::MAX)
    }
}

/// Waits until the daemon stops.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// What proofs are checked with.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) deployment: [u8; 16],
    pub(crate) uid: u32,
    state: RwLock<GateState>,
    rng: std::sync::Mutex<StdRng>,
}

#[derive(Debug)]
struct GateState {
    verifiers: Arc<Vec<SecretVerifier>>,
    enrolment: Enrolment,
}

impl Gate {
    pub(crate) fn new(
        deployment: [u8; 16],
        verifiers: Vec<SecretVerifier>,
        enrolment: Enrolment,
        rng: StdRng,
    ) -> Self {
        Self {
            deployment,
            uid: rustix::process::geteuid().as_raw(),
            state: RwLock::new(GateState {
                verifiers: Arc::new(verifiers),
                enrolment,
            }),
            rng: std::sync::Mutex::new(rng),
        }
    }

    /// What proofs of the shared secret are checked with.
    pub(crate) fn verifiers(&self) -> Arc<Vec<SecretVerifier>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.verifiers)
    }

    /// Whether the shared secret opens the door.
    pub(crate) fn enrolment(&self) -> Enrolment {
        self.state
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .enrolment
    }

    /// Proofs are checked with these from now on.
    pub(crate) fn replace(&self, verifiers: Vec<SecretVerifier>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.verifiers = Arc::new(verifiers);
    }

    /// The shared secret opens the door, or not, from now on.
    pub(crate) fn set_enrolment(&self, enrolment: Enrolment) {
        self.state
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .enrolment = enrolment;
    }

    /// Randomness for one connection.
    pub(crate) fn fork_rng(&self) -> StdRng {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        StdRng::from_rng(&mut *rng)
    }
}
