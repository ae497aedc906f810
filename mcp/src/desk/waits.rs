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
use crate::limits::{ATTEMPTS, PARTING};

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
    /// that goes away meanwhile is found again.
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
        loop {
            attempts = attempts.saturating_sub(1);
            let before = self.agent().await?;
            let left = deadline.remaining().unwrap_or_default();
            let request = ask(u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
            let failure = match self
                .wait_once(Self::connection, request, left, cancelled)
                .await
            {
                Err(failure) => failure,
                done => return done,
            };
            if attempts == 0 || !(failure.passes() || failure.is_stale_credential()) {
                return Err(failure);
            }
            if failure.is_stale_credential() {
                self.renew(before).await?;
                continue;
            }
            self.lost();
            let pause = failure.retry_after_ms.unwrap_or(0);
            let pause = Duration::from_millis(pause).min(PATIENCE);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancelled.cancelled() => return Ok(Waited::GivenUp(None)),
                () = self.closing.cancelled() => return Ok(Waited::GivenUp(None)),
            }
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
