//! Calls that the daemon may answer only after a while, and that can be given up.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::client::PATIENCE;
use ipc_protocol::request::Method;
use tokio_util::sync::CancellationToken;

use super::calls::ProvedConnection;
use super::{Agent, Desk, blocking};
use crate::clock::Deadline;
use crate::failure::Failure;
use crate::limits::{ATTEMPTS, PARTING, RESTART};

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Waited<T> {
    /// With a reply.
    Answered(T),
    /// It was given up; a reply that came all the same is here.
    GivenUp(Option<T>),
}

impl Desk {
    /// Makes a call that the daemon may answer only after `wait`; `ask` makes the request for the
    /// milliseconds that are left. Ends early when `cancelled` is, or the host is gone. A daemon
    /// that goes away meanwhile is found again; one that says that it stops is not started again.
    pub(crate) async fn wait_for<M>(
        self: &Arc<Self>,
        wait: Duration,
        cancelled: &CancellationToken,
        ask: impl Fn(u32) -> M,
    ) -> Result<Waited<M::Reply>, Failure>
    where
        M: Method + Send + 'static,
        M::Reply: Send + 'static,
    {
        let deadline = Deadline::after(wait);
        let mut attempts = ATTEMPTS;
        // What an idle connection holds may have been said long before this wait.
        let connect = if wait.is_zero() {
            Self::connection
        } else {
            Self::own_connection
        };
        loop {
            attempts = attempts.saturating_sub(1);
            let before = self.agent().await?;
            if cancelled.is_cancelled() || self.closing.is_cancelled() {
                return Ok(Waited::GivenUp(None));
            }
            let left = deadline.remaining().unwrap_or_default();
            let request = ask(u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
            let failure = match self.wait_once(connect, request, left, cancelled).await {
                Err(failure) => failure,
                done => return done,
            };
            let has_stopped = failure.says_stop() && !wait.is_zero();
            if has_stopped {
                if !self.await_next(deadline, cancelled).await? {
                    return Err(failure);
                }
                attempts = ATTEMPTS;
            } else if attempts == 0 {
                return Err(failure);
            } else if failure.is_stale_credential() {
                self.renew(before).await?;
            } else if failure.may_retry() {
                self.lost();
                let pause = Duration::from_millis(failure.retry_after_ms.unwrap_or(0));
                self.pause(pause.min(PATIENCE), cancelled).await;
            } else {
                return Err(failure);
            }
        }
    }

    /// Waits for the daemon that follows one that said that it stops; says whether there is one.
    /// None is started: somebody may have stopped it on purpose. Ends early as a wait does.
    pub(crate) async fn await_next(
        self: &Arc<Self>,
        deadline: Deadline,
        cancelled: &CancellationToken,
    ) -> Result<bool, Failure> {
        self.lost();
        while let Some(left) = deadline.remaining() {
            if self.pause(RESTART.min(left), cancelled).await {
                return Ok(true);
            }
            let desk = Arc::clone(self);
            match blocking(move || desk.running_connection()).await {
                Ok((agent, client)) => {
                    self.keep(&agent, client);
                    return Ok(true);
                }
                // It is there, and the next call makes the session good.
                Err(failure) if failure.is_stale_credential() => return Ok(true),
                Err(failure) if failure.is_outage() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(false)
    }

    /// Waits for `pause`, or until there is no use in waiting; says whether it is so.
    async fn pause(&self, pause: Duration, cancelled: &CancellationToken) -> bool {
        tokio::select! {
            () = tokio::time::sleep(pause) => false,
            () = cancelled.cancelled() => true,
            () = self.closing.cancelled() => true,
        }
    }

    /// The session of `before` has ended: gets another one.
    async fn renew(self: &Arc<Self>, before: Arc<Agent>) -> Result<(), Failure> {
        let desk = Arc::clone(self);
        blocking(move || {
            let (agent, client) = desk.come_back(&before)?;
            desk.keep(&agent, client);
            Ok(())
        })
        .await
    }

    /// Makes a call that waits beside all others, of a daemon that runs: what fails concerns nobody
    /// else, and a session that ended is made good.
    pub(crate) async fn listen<M>(self: &Arc<Self>, request: M, wait: Duration) -> Option<M::Reply>
    where
        M: Method + Send + 'static,
        M::Reply: Send + 'static,
    {
        let before = self.agent().await.ok()?;
        let waited = self.wait_once(Self::running_connection, request, wait, &self.closing);
        match waited.await {
            Ok(Waited::Answered(reply)) => Some(reply),
            Ok(Waited::GivenUp(_)) => None,
            Err(failure) => {
                if failure.is_stale_credential() {
                    // If this fails, the next call says why.
                    drop(self.renew(before).await);
                }
                None
            }
        }
    }

    async fn wait_once<M>(
        self: &Arc<Self>,
        connect: fn(&Self) -> Result<ProvedConnection, Failure>,
        request: M,
        wait: Duration,
        cancelled: &CancellationToken,
    ) -> Result<Waited<M::Reply>, Failure>
    where
        M: Method + Send + 'static,
        M::Reply: Send + 'static,
    {
        let desk = Arc::clone(self);
        let (agent, mut client) = blocking(move || connect(&desk)).await?;
        let breaker = client
            .breaker()
            .map_err(|error| Failure::local(format!("no descriptor left: {error}")))?;
        let desk = Arc::clone(self);
        let mut call = std::pin::pin!(blocking(move || {
            let reply = client.call_waiting(&request, wait);
            let reply = reply.map_err(|error| desk.door.explain(error));
            match &reply {
                Ok(_) => desk.keep(&agent, client),
                Err(failure) => desk.note_takeover(&agent, failure),
            }
            reply
        }));
        tokio::select! {
            reply = &mut call => return reply.map(Waited::Answered),
            () = cancelled.cancelled() => {}
            () = self.closing.cancelled() => {}
        }
        // A reply that is on its way holds mail on a lease: it is read, to be given back.
        breaker.finish();
        let parted = tokio::time::timeout(PARTING, &mut call).await;
        let reply = if let Ok(reply) = parted {
            reply
        } else {
            breaker.hang_up();
            call.await
        };
        Ok(Waited::GivenUp(reply.ok()))
    }
}
