//! Acting for an agent: whose mailbox it is, and a connection on which that is proved.
//!
//! What always holds: a mailbox is chosen by `--as`, by `IPC_INSTANCE`, or by descent from the
//! process that registered it, never because it is the only one; a session that was taken over is
//! the end, and is never silently replaced.

mod anyone;
mod door;
pub(crate) mod enrol;
mod host;
pub(crate) mod mailbox;
mod own;
pub(crate) mod secret;
mod session;

use std::os::unix::net::UnixStream;
use std::time::Duration;

use ipc_protocol::client::{Breaker, Client, ClientError};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::request::Method;

use crate::context::Context;
use crate::failure::Failure;

pub(crate) use anyone::ask_as_anyone;
pub(crate) use door::McpDoor;
pub(crate) use host::own_host;
pub(crate) use own::OwnFront;
pub(crate) use session::{prove, prove_running};

/// A connection that is the agent.
#[derive(Debug)]
pub(crate) struct Front {
    /// The agent.
    pub(crate) agent_id: AgentId,
    /// What it is called, as far as we know.
    pub(crate) name: Name,
    client: Client<UnixStream>,
}

impl Front {
    /// Opens a connection for the agent that the command is about.
    pub(crate) fn open(context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::find(context)?;
        session::open(context, record)
    }

    /// The same for somebody whom nothing may hold up: no daemon is started, nobody is waited for.
    pub(crate) fn open_at_once(context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::find_or_expect(context)?;
        session::open_at_once(context, record)
    }

    /// A handle with which another thread can hang up.
    pub(crate) fn breaker(&self) -> std::io::Result<Breaker> {
        self.client.breaker()
    }

    /// Makes one call.
    pub(crate) fn call<M: Method>(&mut self, request: &M) -> Result<M::Reply, Failure> {
        let reply = self.client.call(request);
        reply.map_err(|error| self.explain(error))
    }

    /// Makes one call that the daemon may answer only after `wait`.
    pub(crate) fn call_waiting<M: Method>(
        &mut self,
        request: &M,
        wait: Duration,
    ) -> Result<M::Reply, Failure> {
        let reply = self.client.call_waiting(request, wait);
        reply.map_err(|error| self.explain(error))
    }

    /// Makes one call that may be made twice (it reads, or carries an idempotency key): if the
    /// connection is lost before the answer came, once more on another one.
    pub(crate) fn call_again<M: Method>(
        &mut self,
        context: &mut Context,
        request: &M,
    ) -> Result<M::Reply, Failure> {
        match self.call(request) {
            Err(failure) if failure.is_lost => {
                *self = self.reopen(context)?;
                self.call(request)
            }
            other => other,
        }
    }

    /// Another connection for the same agent, whatever the process tree says meanwhile; starts the
    /// daemon if need be. Not for somebody whom the daemon has told that it stops.
    pub(crate) fn reopen(&self, context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::of_name(context, &self.name)?;
        session::open(context, record)
    }

    /// The same to a daemon that runs: none is started.
    pub(crate) fn reopen_running(&self, context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::of_name(context, &self.name)?;
        session::open_running(context, record)
    }

    fn explain(&self, error: ClientError) -> Failure {
        taken_over_hint(error.into(), &self.name)
    }
}

fn taken_over_hint(failure: Failure, name: &Name) -> Failure {
    if failure.code == Some(ErrorCode::TakenOver) {
        failure.hint(format!("`ipc register {name} --takeover` takes it back"))
    } else {
        failure
    }
}
