//! Who still uses the old port: so that one sees when it can go.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use ipc_protocol::id::AgentId;
use ipc_protocol::request::{OldPortReport, OldPortTrouble};
use ipc_protocol::time::Timestamp;

use crate::limits::AGENTS_IN_MEMORY;

/// What has come over the old port since the start.
#[derive(Debug, Default)]
pub(super) struct Usage {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: u64,
    /// At most [`AGENTS_IN_MEMORY`]: more are not counted.
    agents: HashSet<AgentId>,
    last: Option<Timestamp>,
    closed_unread: u64,
}

impl Usage {
    /// A request came at `at`.
    pub(super) fn request(&self, at: Timestamp) {
        self.with(|state| {
            state.requests = state.requests.saturating_add(1);
            state.last = Some(at);
        });
    }

    /// It was one of `agent`.
    pub(super) fn of(&self, agent: AgentId) {
        self.with(|state| {
            if state.agents.len() < AGENTS_IN_MEMORY {
                state.agents.insert(agent);
            }
        });
    }

    /// A connection was closed unread; says whether it was the first. The others are no line in
    /// the log, which another user must not fill.
    pub(super) fn closed_unread(&self) -> bool {
        self.with(|state| {
            state.closed_unread = state.closed_unread.saturating_add(1);
            state.closed_unread == 1
        })
    }

    pub(super) fn report(
        &self,
        address: Option<SocketAddr>,
        trouble: Option<OldPortTrouble>,
    ) -> OldPortReport {
        self.with(|state| OldPortReport {
            address,
            trouble,
            requests: state.requests,
            agents: u64::try_from(state.agents.len()).unwrap_or(u64::MAX),
            last_used_ms: state.last,
            closed_unread: state.closed_unread,
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
