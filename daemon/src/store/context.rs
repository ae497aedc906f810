//! What an action is given: the store, the moment, and what the daemon knows.

use std::ops::Deref;
use std::sync::Arc;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Sid;
use rand::rngs::StdRng;
use rusqlite::Connection;

use crate::audit::event::Event;
use crate::clock::{BootId, Now};
use crate::config::{NamePolicy, Secrets};
use crate::host::HostProcess;
use crate::key::DeploymentKey;
use crate::limits::Limits;
use crate::presence::Presence;
use crate::store::verifiers::SecretVerifier;
use crate::wanted::Envelope;

/// What an action may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// The store; inside the writer, inside the job's savepoint.
    pub db: &'a Connection,
    /// The moment that the action happens at.
    pub now: Now,
    /// The present boot.
    pub boot_id: &'a BootId,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Who is connected.
    pub presence: &'a Presence,
}

/// What an action that changes something is given.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// What it may look at.
    pub view: View<'a>,
    /// Where randomness comes from.
    pub rng: &'a mut StdRng,
    /// What makes credentials ours.
    pub key: &'a DeploymentKey,
    /// What the shared secret alone may do to a held name.
    pub names: NamePolicy,
    /// What becomes of credentials in outgoing mail.
    pub secrets: &'a Secrets,
    /// What is to happen outside the store once it has committed.
    pub effects: &'a mut Vec<Effect>,
}

impl<'a> Deref for Context<'a> {
    type Target = View<'a>;

    fn deref(&self) -> &View<'a> {
        &self.view
    }
}

/// What happens outside the store once a job has committed, in the order of the jobs.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Something can be had from this mailbox again: whoever waits there looks again.
    MailAvailable(AgentId),
    /// The same of an agent that it has muted: nobody is woken, but whoever looks finds it.
    QuietMailAvailable(AgentId),
    /// What waits for this agent is less now, or it is called otherwise.
    MailboxChanged(AgentId),
    /// A file of what waits is kept for this agent from now on.
    NoticesOn(AgentId),
    /// None is kept any more.
    NoticesOff(AgentId),
    /// This message came: whoever waits for such a one looks.
    MessageArrived(AgentId, Envelope),
    /// An agent has ended, or a delivery has: whoever waits for an answer of its looks again.
    RecipientGone,
    /// This agent is told of mail in another way now: whoever waits for that looks again.
    AutoCheckChosen(AgentId),
    /// Nothing is to be had from this mailbox before something comes, or a lease ends.
    Drained {
        /// Whose mailbox.
        agent: AgentId,
        /// When the first lease ends, if any runs.
        until: Option<Timestamp>,
    },
    /// This session is over; its connections hear `why`.
    SessionEnded {
        /// Which.
        sid: Sid,
        /// Why.
        why: ErrorCode,
    },
    /// This process stands for an agent from now on.
    HostStands(HostProcess),
    /// This agent is frozen from now on, or everybody: who waits is refused.
    Froze(Option<AgentId>),
    /// This agent goes on, or everybody who is not frozen by itself.
    Thawed(Option<AgentId>),
    /// This is to be in the audit log.
    Audited(Event),
    /// A message was stored.
    Stored,
    /// So many deliveries were acknowledged.
    Delivered(u64),
    /// Another shared secret is in force.
    Rotated(Arc<Vec<SecretVerifier>>),
    /// The verifiers of the shared secret are these now.
    VerifiersChanged(Arc<Vec<SecretVerifier>>),
}
