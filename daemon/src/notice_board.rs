//! For whom a file is kept that says that mail waits, and whose is to be looked at; in memory.
//!
//! Whoever stores mail notes here that something changed; `notice_files.rs` writes the files.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use ipc_protocol::id::AgentId;
use tokio::sync::Notify;

/// Whose file is to be looked at. Agents that want none cost a look into a set.
#[derive(Debug, Default)]
pub(crate) struct NoticeBoard {
    state: Mutex<State>,
    bell: Notify,
}

/// Both sets hold ids of agents that have a row in the store, or had one a moment ago.
#[derive(Debug, Default)]
struct State {
    kept: HashSet<AgentId>,
    changed: HashSet<AgentId>,
}

impl NoticeBoard {
    /// What waits for `agent` may be another.
    pub(crate) fn changed(&self, agent: AgentId) {
        let is_kept = self.with(|state| {
            let is_kept = state.kept.contains(&agent);
            if is_kept {
                state.changed.insert(agent);
            }
            is_kept
        });
        if is_kept {
            self.bell.notify_one();
        }
    }

    /// What `agent` is told may be another; without one, what everybody is told.
    pub(crate) fn may_differ(&self, agent: Option<AgentId>) {
        let Some(agent) = agent else {
            self.with(|state| state.changed.extend(state.kept.iter().copied()));
            return self.bell.notify_one();
        };
        self.changed(agent);
    }

    /// A file is kept for `agent` from now on.
    pub(crate) fn begin(&self, agent: AgentId) {
        self.with(|state| state.kept.insert(agent));
        self.changed(agent);
    }

    /// None is kept any more: what is there goes.
    pub(crate) fn end(&self, agent: AgentId) {
        self.with(|state| {
            state.kept.remove(&agent);
            state.changed.insert(agent);
        });
        self.bell.notify_one();
    }

    /// Waits until there is a file to be looked at.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// The agents whose files are to be looked at; from now on nobody's is.
    pub(crate) fn take(&self) -> HashSet<AgentId> {
        self.with(|state| std::mem::take(&mut state.changed))
    }

    /// Tries `agent` again with the next change of anything.
    pub(crate) fn put_back(&self, agent: AgentId) {
        self.with(|state| state.changed.insert(agent));
    }

    /// Looks at the file of `agent`, whether or not one is kept for it.
    pub(crate) fn look_at(&self, agent: AgentId) {
        self.put_back(agent);
        self.bell.notify_one();
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
