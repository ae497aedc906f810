//! The session of a connection: counted as present, checked at every request, told of its end.

use ipc_protocol::error::Refusal;
use ipc_protocol::time::Timestamp;

use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::error;
use crate::limits::CONNECTIONS_PER_AGENT;
use crate::presence::{Connected, Ended, Shares, ended};
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
    /// The session that `caller` has just proved.
    ///
    /// # Errors
    /// `busy` when the agent has as many connections as one may have.
    pub(crate) fn proved(
        caller: &Caller,
        lifetime: Lifetime,
        daemon: &Daemon,
    ) -> Result<Self, Refusal> {
        Self::connect(caller, lifetime, daemon, CONNECTIONS_PER_AGENT).ok_or_else(error::crowded)
    }

    /// The session that `caller` has just been given: what is committed is not refused any more.
    pub(crate) fn given(caller: &Caller, lifetime: Lifetime, daemon: &Daemon) -> Option<Self> {
        Self::connect(caller, lifetime, daemon, u32::MAX)
    }

    fn connect(caller: &Caller, lifetime: Lifetime, daemon: &Daemon, most: u32) -> Option<Self> {
        let now = daemon.shared.clock.now().wall;
        let presence = &daemon.shared.presence;
        let connected = presence.connect(caller.agent(), caller.session(), most)?;
        presence.used(caller.agent(), caller.session(), now);
        Some(Self {
            caller: caller.clone(),
            lifetime,
            last_used: now,
            connected,
        })
    }

    /// What the connections of this agent share.
    pub(crate) fn shares(&self) -> &Shares {
        self.connected.shares()
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
