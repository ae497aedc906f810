//! What proofs of the shared secret are checked with, in memory, and whether the door is open.

use std::sync::{Arc, PoisonError, RwLock};

use ipc_protocol::request::Enrolment;
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::store::verifiers::SecretVerifier;

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
    pub(crate) fn replace(&self, verifiers: Arc<Vec<SecretVerifier>>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.verifiers = verifiers;
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
