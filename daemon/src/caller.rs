//! Who is calling: values that only the gate can make.

use ipc_protocol::id::AgentId;
use ipc_protocol::message::ProgramName;
use ipc_protocol::token::Sid;

use crate::audit::event::Who;

/// The process at the other end, as the kernel names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its user id: always the daemon's own.
    pub uid: u32,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks after boot, if the system says so.
    pub start_ticks: Option<u64>,
    /// The host program that it says it runs in. A hint.
    pub program: Option<ProgramName>,
}

/// An agent that has proved itself on this connection. Every action but registration needs one,
/// and no request names another sender.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    agent: AgentId,
    session: Sid,
    peer: Option<Peer>,
}

impl Caller {
    /// Only `auth.rs` and registration make callers, each after a proof.
    pub(crate) const fn new(agent: AgentId, session: Sid, peer: Peer) -> Self {
        Self {
            agent,
            session,
            peer: Some(peer),
        }
    }

    /// A caller whose process no kernel names. Only `legacy/session.rs` makes one, after its token
    /// was right.
    pub(crate) const fn over_the_old_port(agent: AgentId, session: Sid) -> Self {
        Self {
            agent,
            session,
            peer: None,
        }
    }

    /// The agent.
    pub(crate) const fn agent(&self) -> AgentId {
        self.agent
    }

    /// Its session.
    pub(crate) const fn session(&self) -> Sid {
        self.session
    }

    /// The process that calls; nothing over the old port.
    pub(crate) const fn peer(&self) -> Option<&Peer> {
        self.peer.as_ref()
    }
}

/// Somebody who has proved the shared secret and may administer, or a newcomer who may register.
#[derive(Debug, Clone)]
pub(crate) struct Operator {
    kid: String,
    pid: u32,
}

impl Operator {
    pub(crate) const fn new(kid: String, pid: u32) -> Self {
        Self { kid, pid }
    }

    /// The process that proved it.
    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Which secret was proved.
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }
}

/// What a newcomer has proved.
#[derive(Debug, Clone)]
pub(crate) enum Newcomer {
    /// The shared secret.
    Secret(Operator),
    /// To be this agent.
    Agent {
        /// The agent.
        agent: AgentId,
        /// Its resume credential.
        resume: Sid,
        /// Which secret it was enrolled under.
        kid: String,
    },
}

impl Newcomer {
    /// Who it is, for the audit log.
    pub(crate) const fn who(&self) -> Who {
        match self {
            Self::Secret(operator) => Who::Pid(operator.pid),
            Self::Agent { agent, .. } => Who::Agent(*agent),
        }
    }
}
