//! A front-end with a session of its own: it runs for long, and a takeover or a renewal by the
//! commands beside it must not pull its session away.

use std::os::unix::net::UnixStream;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{AgentRecord, Client};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Register, WhenLive};

use super::session::{self, Prove};
use super::{Front, mailbox, taken_over_hint};
use crate::context::Context;
use crate::failure::Failure;

/// An agent, and the session that this process alone holds.
#[derive(Debug)]
pub(crate) struct OwnFront {
    /// The connection.
    pub(crate) front: Front,
    /// How often the agent's name had been taken over or claimed anew then.
    pub(crate) incarnation: u32,
    /// Messages that waited when the session was made.
    pub(crate) waiting: u64,
    /// The names of others that were there then.
    pub(crate) online: Vec<Name>,
    session: Credential,
}

impl OwnFront {
    /// Opens a connection for the agent that the command is about; starts the daemon if need be.
    pub(crate) fn open(context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::find(context)?;
        join(context, record, session::prove)
    }

    /// The same to a daemon that runs: none is started.
    pub(crate) fn open_running(context: &mut Context) -> Result<Self, Failure> {
        let record = mailbox::find(context)?;
        join(context, record, session::prove_running)
    }

    /// Opens a connection for the agent once called `name`; starts the daemon if need be.
    pub(crate) fn of(context: &mut Context, name: &Name) -> Result<Self, Failure> {
        let record = mailbox::of_name(context, name)?;
        join(context, record, session::prove)
    }

    /// The session and the connection, for somebody who looks after both.
    pub(crate) fn into_parts(self) -> (Credential, Client<UnixStream>) {
        (self.session, self.front.client)
    }

    /// Connects again to a daemon that runs. A daemon that was stopped on purpose stays stopped.
    pub(crate) fn reconnect(&mut self, context: &mut Context) -> Result<(), Failure> {
        match session::prove_running(context, &self.session) {
            Ok(client) => {
                self.front.client = client;
                Ok(())
            }
            Err(failure) if failure.is_stale_credential() => {
                let record = mailbox::of_name(context, &self.front.name)?;
                *self = join(context, record, session::prove_running)?;
                Ok(())
            }
            Err(failure) => Err(taken_over_hint(failure, &self.front.name)),
        }
    }
}

fn join(context: &mut Context, record: AgentRecord, prove: Prove) -> Result<OwnFront, Failure> {
    let AgentRecord {
        agent_id,
        name,
        resume,
        ..
    } = record;
    let mut client = prove(context, &Credential::Token(resume))
        .map_err(|failure| session::refused_resume(failure, &name))?;
    let request = Register {
        name,
        when_live: WhenLive::Join,
        automatic: false,
        host: None,
    };
    let registered = client.call(&request)?;
    Ok(OwnFront {
        front: Front {
            agent_id,
            name: registered.name,
            client,
        },
        incarnation: registered.incarnation,
        waiting: registered.waiting,
        online: registered.online,
        session: Credential::Token(registered.session),
    })
}
