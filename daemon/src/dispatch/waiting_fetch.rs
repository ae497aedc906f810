//! One fetch, from its first look to its last.

use std::sync::Arc;

use ipc_protocol::id::AgentId;
use ipc_protocol::message::WaitEnd;
use ipc_protocol::name::Peer;
use ipc_protocol::request::{Fetch, Fetched};
use ipc_protocol::time::Timestamp;
use tokio::sync::futures::Notified;

use crate::actions::{awaited, fetch};
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::error::{Done, Fault};
use crate::lease::{Lease, Leased};
use crate::mailboxes::{Known, Subscription};
use crate::store::context::{Context, View};
use crate::store::credentials;
use crate::store::job::{DeferredJob, Pending, settle};
use crate::wanted::Wanted;

/// A fetch that is under way.
pub(super) struct WaitingFetch {
    request: Arc<Fetch>,
    pub(super) caller: Caller,
    pub(super) wanted: Wanted,
    daemon: Arc<Daemon>,
}

/// What one look came to.
pub(super) struct Looked {
    pub(super) leased: Leased<Fetched>,
    /// When something may be had that is leased now.
    pub(super) again: Option<Timestamp>,
    /// Who was asked, has not answered, and is there.
    pub(super) there: Vec<AgentId>,
}

/// A mailbox that is known to be empty.
pub(super) struct Empty {
    /// When the first lease ends, if one runs.
    pub(super) until: Option<Timestamp>,
}

/// A take that was handed in for the transaction that stores what is wanted.
pub(super) struct DeferredTake {
    outcome: Pending<Looked>,
}

/// Whether this ends the waiting.
pub(super) const fn is_an_answer(fetched: &Fetched) -> bool {
    !fetched.messages.is_empty() || fetched.ended.is_some()
}

impl WaitingFetch {
    /// Finds out what `request` is for, once: a name means whoever has it now.
    pub(super) async fn new(request: Fetch, caller: Caller, daemon: Arc<Daemon>) -> Done<Self> {
        let request = Arc::new(request);
        let wanted = match (&request.sent_by, request.conversation) {
            (Some(Peer::Name(_)), _) | (_, Some(_)) => {
                let (request, caller) = (Arc::clone(&request), caller.clone());
                let question = move |view: &View<'_>| {
                    credentials::check_caller(view, caller.session())?;
                    fetch::wanted(&request, &caller, view)
                };
                daemon.reader.run(question).await?
            }
            (Some(Peer::Agent(id)), None) => Wanted::of(&request, Some(*id)),
            (None, None) => Wanted::of(&request, None),
        };
        Ok(Self {
            request,
            caller,
            wanted,
            daemon,
        })
    }

    /// That the mailbox is known to be empty, so that nothing that is wanted can be there.
    pub(super) fn known_empty(&self, now: Timestamp) -> Option<Empty> {
        // What is known is known of mail, and says nothing of pings or of who may still answer.
        if self.wanted.has_pings() || self.wanted.answers_to.is_some() {
            return None;
        }
        match self.daemon.shared.mailboxes.known(self.caller.agent()) {
            Known::Empty { until } if until.is_none_or(|until| until > now) => {
                Some(Empty { until })
            }
            Known::Empty { .. } | Known::Maybe => None,
        }
    }

    /// Takes what is there.
    pub(super) async fn take(&self, were_there: Vec<AgentId>) -> Done<Looked> {
        self.daemon.shared.counters.looked();
        self.daemon.writer.run(self.taking(were_there)).await
    }

    /// Hands in the same to be done in the transaction that stores what is wanted.
    pub(super) fn defer_take(
        &self,
        subscription: &Subscription,
        were_there: Vec<AgentId>,
    ) -> DeferredTake {
        let (work, outcome) = DeferredJob::new(self.taking(were_there));
        subscription.defer(work);
        DeferredTake { outcome }
    }

    /// What it took. Nothing if it was not done, took nothing or did not commit: then one has to look.
    pub(super) async fn outcome_of(
        &self,
        deferred: DeferredTake,
        subscription: &Subscription,
    ) -> Option<Leased<Fetched>> {
        if subscription.cancel() {
            return None;
        }
        self.daemon.shared.counters.looked();
        let leased = settle(deferred.outcome).await.ok()?.leased;
        is_an_answer(&leased.reply).then_some(leased)
    }

    fn taking(
        &self,
        were_there: Vec<AgentId>,
    ) -> impl FnOnce(&mut Context<'_>) -> Done<Looked> + Send + use<> {
        let (request, caller) = (Arc::clone(&self.request), self.caller.clone());
        let (wanted, writer) = (self.wanted, self.daemon.writer.weak());
        move |context: &mut Context<'_>| {
            credentials::check_caller(context, caller.session())?;
            let taken = fetch::take(&request, &wanted, &were_there, &caller, context)?;
            let message_ids = taken.fetched.messages.iter().map(|mail| mail.id).collect();
            Ok(Looked {
                leased: Leased {
                    lease: Lease::on(caller.agent(), message_ids, &writer),
                    reply: taken.fetched,
                },
                again: taken.again,
                there: taken.there,
            })
        }
    }

    /// Waits until nobody is left who could answer: looks whenever somebody has left.
    pub(super) async fn answerer_gone(
        &self,
        departed: std::pin::Pin<Box<Notified<'_>>>,
        were_there: &[AgentId],
    ) {
        if self.wanted.answers_to.is_none() {
            return std::future::pending().await;
        }
        let mut departed = departed;
        loop {
            departed.await;
            departed = Box::pin(self.daemon.shared.presence.departures());
            departed.as_mut().enable();
            let (wanted, caller) = (self.wanted, self.caller.clone());
            let were_there = were_there.to_vec();
            let question = move |view: &View<'_>| {
                let silent = awaited::silent(&wanted, &were_there, &caller, view)?;
                Ok(silent.ended.is_some())
            };
            // A fault is met again, and told, by whoever takes.
            if self.daemon.reader.run(question).await.unwrap_or(true) {
                return;
            }
        }
    }

    /// The reply when nothing came: why, if answers were waited for.
    pub(super) fn nothing(&self, waiting: u64, ended: WaitEnd) -> Leased<Fetched> {
        let waited = self.request.wait_ms > 0 && self.wanted.answers_to.is_some();
        let reply = Fetched {
            messages: Vec::new(),
            waiting,
            leased_until_ms: None,
            ended: waited.then_some(ended),
        };
        let writer = self.daemon.writer.weak();
        let lease = Lease::on(self.caller.agent(), Vec::new(), &writer);
        Leased { reply, lease }
    }

    /// The reply when the daemon stops.
    pub(super) fn stopped(&self, waiting: u64) -> Done<Leased<Fetched>> {
        if self.wanted.answers_to.is_none() {
            return Err(Fault::Stopping.into());
        }
        Ok(self.nothing(waiting, WaitEnd::ShuttingDown))
    }
}
