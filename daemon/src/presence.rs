//! Who is there: open connections, and when agents and sessions were last used.
//!
//! Kept in memory, so that being there costs no disk write; what must outlive the daemon reaches
//! the store now and then (`housekeeping.rs`).

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Sid;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, Semaphore, watch};

use crate::host::HostProcess;
use crate::limits::{
    BULKY_PER_AGENT, CONNECTIONS_PER_AGENT, ENDED_SESSIONS, HOSTS_WATCHED, INBOUND_PER_AGENT,
};

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

/// The open connections of one agent.
#[derive(Debug, Default)]
struct Open {
    /// How many, never zero.
    all: u32,
    /// Those of them whose session has ended: they are about to close, and nobody is there.
    ending: u32,
    shares: Shares,
}

/// The open connections under one session.
#[derive(Debug)]
struct Session {
    agent: AgentId,
    connections: u32,
    bell: watch::Sender<Option<ErrorCode>>,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<AgentId, Open>,
    /// Sessions that have an open connection, and the bell for their end.
    sessions: HashMap<Sid, Session>,
    /// Sessions that ended while they had no connection, the latest last: one may be about to have
    /// its first, of a registration that was committed together with the revocation.
    ended: VecDeque<(Sid, ErrorCode)>,
    /// Used since the store last heard of it. Emptied by every flush.
    agents_used: HashMap<AgentId, Timestamp>,
    sessions_used: HashMap<Sid, Timestamp>,
    /// Host processes that are to be watched.
    hosts: Vec<HostProcess>,
}

/// Who is there.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    state: Mutex<State>,
    /// Rings when somebody is no longer there in one way or another.
    departures: Notify,
    /// Rings when a host process is to be watched.
    host_came: Notify,
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
            let open = state.connections.entry(agent).or_default();
            if open.all >= most {
                return None;
            }
            open.all = open.all.saturating_add(1);
            let ended = state.ended.iter().find(|(sid, _)| *sid == session);
            let ended = ended.map(|(_, why)| *why);
            let new = || Session {
                agent,
                connections: 0,
                bell: watch::Sender::new(ended),
            };
            let session = state.sessions.entry(session).or_insert_with(new);
            session.connections = session.connections.saturating_add(1);
            if session.bell.borrow().is_some() {
                open.ending = open.ending.saturating_add(1);
            }
            Some((session.bell.subscribe(), open.shares.clone()))
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
                .is_some_and(|open| open.all >= CONNECTIONS_PER_AGENT)
        })
    }

    /// Whether `agent` has an open connection under a session that has not ended.
    pub(crate) fn is_connected(&self, agent: AgentId) -> bool {
        self.with(|state| {
            let open = state.connections.get(&agent);
            open.is_some_and(|open| open.all > open.ending)
        })
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
            let Some(session) = state.sessions.get(&session) else {
                state.ended.push_back((session, why));
                if state.ended.len() > ENDED_SESSIONS {
                    state.ended.pop_front();
                }
                return;
            };
            let had_ended = session.bell.send_replace(Some(why)).is_some();
            if let (Some(open), false) = (state.connections.get_mut(&session.agent), had_ended) {
                open.ending = open.ending.saturating_add(session.connections);
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

    /// These processes stand for agents from now on. Those beyond what is watched are let go.
    pub(crate) fn stand(&self, hosts: impl IntoIterator<Item = HostProcess>) {
        self.with(|state| {
            let room = HOSTS_WATCHED.saturating_sub(state.hosts.len());
            state.hosts.extend(hosts.into_iter().take(room));
        });
        self.host_came.notify_waiters();
    }

    /// Hears of the next process that is to be watched.
    pub(crate) fn host_came(&self) -> Notified<'_> {
        self.host_came.notified()
    }

    /// Takes the processes that are to be watched.
    pub(crate) fn take_hosts(&self) -> Vec<HostProcess> {
        self.with(|state| std::mem::take(&mut state.hosts))
    }

    fn disconnect(&self, agent: AgentId, session: Sid) {
        let was_last = self.with(|state| {
            let mut has_ended = false;
            if let Some(of) = state.sessions.get_mut(&session) {
                has_ended = of.bell.borrow().is_some();
                of.connections = of.connections.saturating_sub(1);
                if of.connections == 0 {
                    state.sessions.remove(&session);
                }
            }
            if let Some(open) = state.connections.get_mut(&agent) {
                open.all = open.all.saturating_sub(1);
                open.ending = open.ending.saturating_sub(u32::from(has_ended));
                if open.all == 0 {
                    state.connections.remove(&agent);
                }
            }
            !state.connections.contains_key(&agent)
        });
        if was_last {
            self.somebody_left();
        }
    }

    /// Whether nobody is counted any more, in any way.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.with(|state| state.connections.is_empty() && state.sessions.is_empty())
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
