//! Who is there: open connections, and when agents and sessions were last used.
//!
//! Kept in memory, so that being there costs no disk write; what must outlive the daemon reaches
//! the store now and then (`housekeeping.rs`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Sid;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, Semaphore, watch};

use crate::limits::{BULKY_PER_AGENT, CONNECTIONS_PER_AGENT, INBOUND_PER_AGENT};

/// Says whether a session has ended, and why.
pub(crate) type Ended = watch::Receiver<Option<ErrorCode>>;

/// Waits for the end of a session, and says what its connections are told.
pub(crate) async fn ended(mut ended: Ended) -> Refusal {
    let why = ended
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|why| *why);
    match why {
        Some(ErrorCode::TakenOver) => Refusal::new(
            ErrorCode::TakenOver,
            "another front-end took this agent over",
        )
        .hint("`ipc register NAME --takeover` takes it back; nothing reconnects by itself"),
        Some(_) | None => crate::error::expired(),
    }
}

/// What the connections of one agent share, so that no agent uses up what is there for all.
#[derive(Debug, Clone)]
pub(crate) struct Shares {
    /// Bytes of large requests on their way.
    pub(crate) inbound: Arc<Semaphore>,
    /// Large replies that have not been taken.
    pub(crate) bulky: Arc<Semaphore>,
}

impl Default for Shares {
    fn default() -> Self {
        Self {
            inbound: Arc::new(Semaphore::new(INBOUND_PER_AGENT)),
            bulky: Arc::new(Semaphore::new(BULKY_PER_AGENT)),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// Open connections of each agent, never zero, and what they share.
    connections: HashMap<AgentId, (u32, Shares)>,
    /// Sessions that have an open connection: how many, and the bell for their end.
    sessions: HashMap<Sid, (u32, watch::Sender<Option<ErrorCode>>)>,
    /// Used since the store last heard of it. Emptied by every flush.
    agents_used: HashMap<AgentId, Timestamp>,
    sessions_used: HashMap<Sid, Timestamp>,
}

/// Who is there.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    state: Mutex<State>,
    /// Rings when somebody is no longer there in one way or another.
    departures: Notify,
}

/// Uses that the store has not heard of.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(crate) agents: Vec<(AgentId, Timestamp)>,
    pub(crate) sessions: Vec<(Sid, Timestamp)>,
}

impl Presence {
    /// Counts a connection of `agent` under `session`, until the guard is dropped. Nothing when
    /// the agent has `most` connections.
    pub(crate) fn connect(
        self: &Arc<Self>,
        agent: AgentId,
        session: Sid,
        most: u32,
    ) -> Option<Connected> {
        let (ended, shares) = self.with(|state| {
            let (count, shares) = state.connections.entry(agent).or_default();
            if *count >= most {
                return None;
            }
            *count = count.saturating_add(1);
            let new = || (0, watch::Sender::new(None));
            let (count, bell) = state.sessions.entry(session).or_insert_with(new);
            *count = count.saturating_add(1);
            Some((bell.subscribe(), shares.clone()))
        })?;
        Some(Connected {
            presence: Arc::clone(self),
            agent,
            session,
            ended,
            shares,
        })
    }

    /// Whether `agent` has as many connections as one may have.
    pub(crate) fn is_crowded(&self, agent: AgentId) -> bool {
        self.with(|state| {
            state
                .connections
                .get(&agent)
                .is_some_and(|(n, _)| *n >= CONNECTIONS_PER_AGENT)
        })
    }

    /// Whether `agent` has an open connection.
    pub(crate) fn is_connected(&self, agent: AgentId) -> bool {
        self.with(|state| state.connections.contains_key(&agent))
    }

    /// Notes that `agent` used its mailbox under `session`.
    pub(crate) fn used(&self, agent: AgentId, session: Sid, at: Timestamp) {
        self.with(|state| {
            state.agents_used.insert(agent, at);
            state.sessions_used.insert(session, at);
        });
    }

    /// When `agent` was last seen, where the store says `stored`.
    pub(crate) fn last_seen(&self, agent: AgentId, stored: Timestamp) -> Timestamp {
        self.with(|state| {
            state
                .agents_used
                .get(&agent)
                .map_or(stored, |at| stored.max(*at))
        })
    }

    /// When `session` was last used, where the store says `stored`.
    pub(crate) fn session_used(&self, session: Sid, stored: Timestamp) -> Timestamp {
        self.with(|state| {
            state
                .sessions_used
                .get(&session)
                .map_or(stored, |at| stored.max(*at))
        })
    }

    /// Takes the uses that the store has not heard of.
    pub(crate) fn take_uses(&self) -> Uses {
        self.with(|state| Uses {
            agents: state.agents_used.drain().collect(),
            sessions: state.sessions_used.drain().collect(),
        })
    }

    /// Tells the connections of `session` that it has ended, and why.
    pub(crate) fn end_session(&self, session: Sid, why: ErrorCode) {
        self.with(|state| {
            state.sessions_used.remove(&session);
            if let Some((_, bell)) = state.sessions.get(&session) {
                bell.send_replace(Some(why));
            }
        });
    }

    /// Hears of the next agent that closes its last connection or ends; who that is, and whether
    /// it is gone, is to be looked at.
    pub(crate) fn departures(&self) -> Notified<'_> {
        self.departures.notified()
    }

    /// An agent may be gone.
    pub(crate) fn somebody_left(&self) {
        self.departures.notify_waiters();
    }

    fn disconnect(&self, agent: AgentId, session: Sid) {
        let was_last = self.with(|state| {
            if let Some((count, _)) = state.connections.get_mut(&agent) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    state.connections.remove(&agent);
                }
            }
            if let Some((count, _)) = state.sessions.get_mut(&session) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    state.sessions.remove(&session);
                }
            }
            !state.connections.contains_key(&agent)
        });
        if was_last {
            self.somebody_left();
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// One connection of an agent, counted until dropped.
#[derive(Debug)]
pub(crate) struct Connected {
    presence: Arc<Presence>,
    agent: AgentId,
    session: Sid,
    ended: Ended,
    shares: Shares,
}

impl Connected {
    /// Says when the session ends.
    pub(crate) fn ended(&self) -> Ended {
        self.ended.clone()
    }
}

impl Connected {
    /// What the connections of this agent share.
    pub(crate) fn shares(&self) -> &Shares {
        &self.shares
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.presence.disconnect(self.agent, self.session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_connected_until_its_last_connection_goes() {
        let presence = Arc::new(Presence::default());
        let (agent, session) = (AgentId::from_row(1), Sid::from_bytes([1; 16]));
        let first = presence.connect(agent, session, 2).unwrap();
        let second = presence.connect(agent, session, 2).unwrap();
        drop(first);
        assert!(presence.is_connected(agent));
        presence.end_session(session, ErrorCode::TakenOver);
        assert_eq!(*second.ended().borrow(), Some(ErrorCode::TakenOver));
        drop(second);
        assert!(!presence.is_connected(agent));
        presence.with(|s| assert!(s.connections.is_empty() && s.sessions.is_empty()));
    }

    #[test]
    fn one_agent_does_not_take_the_places_of_all() {
        let presence = Arc::new(Presence::default());
        let (agent, session) = (AgentId::from_row(1), Sid::from_bytes([1; 16]));
        let connect = || presence.connect(agent, session, CONNECTIONS_PER_AGENT);
        let mut held: Vec<_> = (0..CONNECTIONS_PER_AGENT)
            .map(|_| connect().unwrap())
            .collect();
        assert!(connect().is_none());
        assert!(
            presence.connect(AgentId::from_row(2), session, 1).is_some(),
            "others are served"
        );
        held.pop();
        assert!(connect().is_some());
    }
}
