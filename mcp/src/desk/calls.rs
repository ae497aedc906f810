//! Calls that the daemon answers at once.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::MessageId;
use ipc_protocol::message::Handover;
use ipc_protocol::request::{Ack, Method, Nack};
use rmcp::model::RequestId;

use super::{Agent, Desk, blocking};
use crate::failure::Failure;
use crate::limits::{ATTEMPTS, SECOND_THOUGHTS};

/// A connection, and the agent that it is proved for.
pub(super) type ProvedConnection = (Arc<Agent>, Client<UnixStream>);

/// How long a call gives a daemon that is leaving, before it looks for the next one.
const PAUSE: Duration = Duration::from_millis(100);

impl Desk {
    /// Makes a call that may be made twice.
    pub(crate) async fn call<M>(self: &Arc<Self>, request: M) -> Result<M::Reply, Failure>
    where
        M: Method + Send + 'static,
        M::Reply: Send + 'static,
    {
        self.agent().await?;
        let desk = Arc::clone(self);
        blocking(move || desk.call_here(&request)).await
    }

    /// The response to `call` will carry these messages.
    pub(crate) async fn offer(self: &Arc<Self>, call: RequestId, messages: Vec<MessageId>) {
        let left = self.offered.add(call, messages);
        self.give_back_all(left).await;
    }

    /// The response to `call` was flushed: what it carried has been handed over, unless the host
    /// gives the call up before it goes on.
    pub(crate) async fn acknowledge(self: &Arc<Self>, call: &RequestId) {
        if !self.offered.has(call) {
            return;
        }
        tokio::select! {
            () = self.heard.notified() => {}
            () = tokio::time::sleep(SECOND_THOUGHTS) => {}
            () = self.closing.cancelled() => {}
        }
        let message_ids = self.offered.take(call);
        if !message_ids.is_empty() {
            // If this does not get through, the lease ends and the mail is offered again.
            let handover = Handover::Mcp;
            drop(
                self.call(Ack {
                    message_ids,
                    handover,
                })
                .await,
            );
        }
    }

    /// The response to `call` will never be seen.
    pub(crate) async fn give_back(self: &Arc<Self>, call: &RequestId) {
        let messages = self.offered.take(call);
        self.give_back_all(messages).await;
    }

    /// Nobody has seen these messages.
    pub(crate) async fn give_back_all(self: &Arc<Self>, message_ids: Vec<MessageId>) {
        if !message_ids.is_empty() {
            drop(self.call(Nack { message_ids }).await);
        }
    }

    fn call_here<M: Method>(&self, request: &M) -> Result<M::Reply, Failure> {
        let mut left = ATTEMPTS;
        loop {
            left = left.saturating_sub(1);
            let (agent, mut client) = self.connection()?;
            let failure = match client.call(request) {
                Ok(reply) => {
                    self.keep(&agent, client);
                    return Ok(reply);
                }
                Err(error) => self.door.explain(error),
            };
            self.note_takeover(&agent, &failure);
            if left == 0 {
                return Err(failure);
            }
            if failure.is_stale_credential() {
                self.come_back(&agent)?;
            } else if failure.may_retry() {
                self.lost();
                if !failure.is_lost {
                    std::thread::sleep(PAUSE);
                }
            } else {
                self.keep(&agent, client);
                return Err(failure);
            }
        }
    }

    /// A connection of its own; starts the daemon if none runs.
    pub(super) fn own_connection(&self) -> Result<ProvedConnection, Failure> {
        self.connect_by(|session| self.door.connect(session))
    }

    /// The same to a daemon that runs.
    pub(super) fn running_connection(&self) -> Result<ProvedConnection, Failure> {
        self.connect_by(|session| self.door.connect_running(session))
    }

    fn connect_by(
        &self,
        connect: impl FnOnce(&Credential) -> Result<Client<UnixStream>, Failure>,
    ) -> Result<ProvedConnection, Failure> {
        if let Some(failure) = self.takeover() {
            return Err(failure);
        }
        let agent = self.current_agent();
        let agent = agent.ok_or_else(|| Failure::local("not registered"))?;
        let client = connect(&agent.session)?;
        Ok((agent, client))
    }

    /// A connection on which our agent is proved: one that is idle, else another.
    pub(super) fn connection(&self) -> Result<ProvedConnection, Failure> {
        if let Some(failure) = self.takeover() {
            return Err(failure);
        }
        let (agent, idle) = {
            let mut current = self.current();
            (current.agent.clone(), current.idle.pop())
        };
        let agent = agent.ok_or_else(|| Failure::local("not registered"))?;
        if let Some(client) = idle {
            return Ok((agent, client));
        }
        match self.door.connect(&agent.session) {
            Ok(client) => Ok((agent, client)),
            Err(failure) if failure.is_stale_credential() => self.come_back(&agent),
            Err(failure) => Err(failure),
        }
    }

    /// A session of `before` is over: comes back with the credential that is kept for it.
    pub(super) fn come_back(&self, before: &Arc<Agent>) -> Result<ProvedConnection, Failure> {
        let now = self.current_agent();
        if now.is_some_and(|now| !Arc::ptr_eq(&now, before)) {
            // Another call was faster.
            return self.connection();
        }
        let mut enrolment = self.door.rejoin(&before.name)?;
        if enrolment.agent_id != before.id || enrolment.incarnation != before.incarnation {
            let failure = self.door.explain(ClientError::Refused(Refusal::new(
                ErrorCode::TakenOver,
                "another front-end took this agent over",
            )));
            self.note_takeover(before, &failure);
            return Err(failure);
        }
        enrolment.automatic = before.automatic;
        self.note(format!(
            "the session had ended; registered again as {}",
            enrolment.name
        ));
        self.become_agent(enrolment);
        self.connection()
    }

    /// A connection was lost: so are the others that were open beside it.
    pub(super) fn lost(&self) {
        self.current().idle.clear();
        self.note("the connection to the daemon was lost; connected again".to_owned());
    }
}
