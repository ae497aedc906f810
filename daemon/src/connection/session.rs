//! The session of a connection: counted as present, checked at every request, told of its end.

use ipc_protocol::error::Refusal;
use ipc_protocol::time::Timestamp;

use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::error;
use crate::presence::{Connected, Ended, ended};
use crate::store::credentials::Lifetime;

/// The session of one connection.
#[derive(Debug)]
pub(crate) struct Session {
    caller: Caller,
    lifetime: Lifetime,
    last_used: Timestamp,
    connected: Connected,
}

impl Session {
    /// The session that `caller` has just proved or been given.
    ///
    /// # Errors
    /// `busy` when the agent has too many connections.
    pub(crate) fn new(
        caller: &Caller,
        lifetime: Lifetime,
        daemon: &Daemon,
    ) -> Result<Self, Refusal> {
        let now = daemon.shared.clock.now().wall;
        let presence = &daemon.shared.presence;
        let (agent, session) = (caller.agent(), caller.session());
        let connected = presence
            .connect(agent, session)
            .ok_or_else(error::crowded)?;
        presence.used(agent, session, now);
        Ok(Self {
            caller: caller.clone(),
            lifetime,
            last_used: now,
            connected,
        })
    }

    /// Notes a request, unless the session has expired meanwhile.
    pub(crate) fn used(&mut self, daemon: &Daemon) -> Result<(), Refusal> {
        let now = daemon.shared.clock.now();
        let presence = &daemon.shared.presence;
        let last_used = presence.session_used(self.caller.session(), self.last_used);
        if !self
            .lifetime
            .is_good(now, &daemon.shared.boot_id, last_used)
        {
            return Err(error::expired());
        }
        self.last_used = now.wall;
        presence.used(self.caller.agent(), self.caller.session(), now.wall);
        Ok(())
    }

    /// Says when the session is ended from elsewhere.
    pub(crate) fn ended(&self) -> Ended {
        self.connected.ended()
    }

    /// Waits for the end of `session`; without one, for ever.
    pub(crate) async fn end_of(session: Option<&Self>) -> Refusal {
        match session {
            Some(session) => ended(session.ended()).await,
            None => std::future::pending().await,
        }
    }
}
