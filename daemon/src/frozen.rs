//! Who is frozen, in memory: for requests that never touch the store.
//!
//! The store decides (`store/credentials/checking.rs`), in the transaction of each request; what is
//! here is as it was when the last batch committed. Without it a fetch from a mailbox that is known to
//! be empty would wait.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use ipc_protocol::error::Refusal;
use ipc_protocol::id::AgentId;
use ipc_protocol::request::Request;

use crate::store::credentials;

/// Who is frozen: bounded by the agents that there are.
#[derive(Debug, Default)]
struct State {
    everybody: bool,
    agents: HashSet<AgentId>,
}

/// Who is frozen.
#[derive(Debug, Default)]
pub(crate) struct Frozen {
    state: RwLock<State>,
}

impl Frozen {
    /// What the store says at the start.
    pub(crate) fn begin(&self, everybody: bool, agents: Vec<AgentId>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.everybody = everybody;
        state.agents = agents.into_iter().collect();
    }

    /// `agent` is frozen from now on, or not any more; without one, everybody.
    pub(crate) fn set(&self, agent: Option<AgentId>, is_frozen: bool) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match (agent, is_frozen) {
            (None, is_frozen) => state.everybody = is_frozen,
            (Some(agent), true) => drop(state.agents.insert(agent)),
            (Some(agent), false) => drop(state.agents.remove(&agent)),
        }
    }

    /// Refuses `request` of `agent` while it is frozen, unless it only asks who and how things are.
    pub(crate) fn check(&self, agent: AgentId, request: &Request) -> Result<(), Refusal> {
        if matches!(request, Request::Whoami(_) | Request::Status(_)) {
            return Ok(());
        }
        if self.holds(agent) {
            return Err(credentials::frozen());
        }
        Ok(())
    }

    /// Whether `agent` is frozen.
    pub(crate) fn holds(&self, agent: AgentId) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.everybody || state.agents.contains(&agent)
    }
}
