//! From a request to the action that does it, and from what it came to back to a reply.
//!
//! Handing in is done before this returns, so that requests of one connection enter the writer in
//! their order (a fetch excepted, which may wait); the future that it returns waits for the
//! outcome.

pub(crate) mod charge;
mod operator;
mod refusals;
mod reply;
mod self_report;
mod wait;
mod waiting_fetch;

use std::future::Future;
use std::sync::Arc;

use ipc_protocol::error::Refusal;
use ipc_protocol::request::{
    AutoCheckAction, Conversation, Enrolment, NoticesAction, Register, Request, WhenLive,
};
use ipc_protocol::rpc::CallId;
use serde::Serialize;

use crate::actions;
use crate::actions::register::Enrolled;
use crate::audit::event::Who;
use crate::caller::{Caller, Newcomer, Peer};
use crate::daemon::Daemon;
use crate::error::{ActionError, Done};
use crate::lease::Leased;
use crate::presence::Ended;
use crate::quota::Budget;
use crate::store::context::{Context, View};
use crate::store::credentials;
use crate::store::job::{Pending, settle};
use crate::store::reader::Reader;
use crate::{auth, housekeeping, secrets};
pub(crate) use refusals::note_denial;
use refusals::{already, not_for_agents, unregistered};
pub(crate) use reply::{Reply, ReplyFuture, encode};

/// Who speaks on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Speaker {
    /// Somebody who has proved a credential and is no agent yet.
    Newcomer(Newcomer),
    /// An agent.
    Agent(Caller),
}

impl Speaker {
    /// Who it is, for the audit log.
    pub(crate) const fn who(&self) -> Who {
        match self {
            Self::Agent(caller) => Who::Agent(caller.agent()),
            Self::Newcomer(newcomer) => newcomer.who(),
        }
    }
}

/// Hands `request` in; the future waits for the reply.
pub(crate) async fn dispatch(
    id: CallId,
    request: Request,
    speaker: &Speaker,
    ended: Option<Ended>,
    paid: bool,
    daemon: &Arc<Daemon>,
) -> ReplyFuture {
    let dispatch = Dispatch {
        id,
        request: request.name(),
        who: speaker.who(),
        paid,
        daemon,
    };
    match speaker {
        Speaker::Agent(caller) => dispatch.for_agent(request, caller, ended).await,
        Speaker::Newcomer(Newcomer::Secret(operator)) => {
            dispatch.for_operator(request, operator).await
        }
        Speaker::Newcomer(Newcomer::Agent { .. }) => dispatch.refuse(unregistered(&request)),
    }
}

/// Registers a newcomer.
pub(crate) async fn register(
    mut request: Register,
    newcomer: Newcomer,
    peer: Peer,
    daemon: &Arc<Daemon>,
) -> Done<Enrolled> {
    match &newcomer {
        Newcomer::Secret(_) => {
            if daemon.shared.gate.enrolment() == Enrolment::SecretChanged {
                return Err(auth::secret_changed().into());
            }
            daemon.quotas.charge_enrolment()?;
        }
        Newcomer::Agent { agent, .. } => {
            daemon.quotas.charge(*agent, Budget::Read)?;
            // A takeover ends the others' connections, so it never finds too many.
            let crowded = daemon.shared.presence.is_crowded(*agent);
            if crowded && request.when_live != WhenLive::TakeOver {
                return Err(crate::error::crowded().into());
            }
        }
    }
    secrets::screen(&mut request, &daemon.shared.secrets)?;
    let work = move |context: &mut Context<'_>| {
        actions::register::register(&request, &newcomer, &peer, context)
    };
    daemon.writer.run(work).await
}

/// One request on its way to its action.
struct Dispatch<'a> {
    id: CallId,
    /// What it is called.
    request: &'static str,
    /// Whose it is.
    who: Who,
    /// Whether it was charged as a send before it was decoded.
    paid: bool,
    daemon: &'a Arc<Daemon>,
}

impl Dispatch<'_> {
    #[expect(clippy::too_many_lines, reason = "one line for each request")]
    async fn for_agent(
        &self,
        mut request: Request,
        caller: &Caller,
        ended: Option<Ended>,
    ) -> ReplyFuture {
        if let Err(refusal) = charge::request(&request, caller, self.paid, self.daemon) {
            return self.refuse(refusal);
        }
        if let Err(refusal) = self.daemon.shared.frozen.check(caller.agent(), &request) {
            return self.refuse(refusal);
        }
        if let Err(refusal) = secrets::screen(&mut request, &self.daemon.shared.secrets) {
            return self.refuse(refusal);
        }
        match request {
            Request::Send(r) => self.send(caller, r).await,
            Request::Reply(r) => {
                self.store(caller, move |k, c| actions::reply::reply(&r, k, c))
                    .await
            }
            Request::Forward(r) => {
                self.store(caller, move |k, c| actions::forward::forward(&r, k, c))
                    .await
            }
            Request::Fetch(r) if r.peek => {
                self.look(caller, move |k, v| actions::fetch::peek(&r, k, v))
                    .await
            }
            Request::Fetch(r) => {
                let daemon = Arc::clone(self.daemon);
                self.carrying(wait::fetch(r, caller.clone(), ended, daemon))
            }
            Request::Notice(r) => {
                let daemon = Arc::clone(self.daemon);
                self.later(wait::notice(r, caller.clone(), ended, daemon))
            }
            Request::AutoCheck(r) if r.action == AutoCheckAction::Status => {
                self.look(caller, move |k, v| actions::auto_check::status(&r, k, v))
                    .await
            }
            Request::AutoCheck(r) => {
                self.write(caller, move |k, c| {
                    actions::auto_check::auto_check(&r, k, c)
                })
                .await
            }
            Request::Notices(r) if r.action == NoticesAction::Status => {
                self.look(caller, actions::notices::status).await
            }
            Request::Notices(r) => {
                self.write(caller, move |k, c| actions::notices::notices(r, k, c))
                    .await
            }
            Request::Conversation(r) => self.conversation(caller, r).await,
            Request::Ack(r) => {
                self.write(caller, move |k, c| actions::ack::ack(&r, k, c))
                    .await
            }
            Request::Nack(r) => {
                self.write(caller, move |k, c| actions::ack::nack(&r, k, c))
                    .await
            }
            Request::Read(r) => {
                self.look(caller, move |k, v| actions::read::read(&r, k, v))
                    .await
            }
            Request::History(r) => {
                let daemon = self.daemon;
                let is_search = r.search.is_some();
                let reader = if is_search {
                    &daemon.searcher
                } else {
                    &daemon.reader
                };
                let ask = move |k: &Caller, v: &View<'_>| actions::history::history(&r, k, v);
                self.look_with(reader, caller, ask).await
            }
            Request::Receipts(r) => {
                self.look(caller, move |k, v| actions::receipts::receipts(&r, k, v))
                    .await
            }
            Request::DeadLetters(r) => {
                self.look(caller, move |k, v| {
                    actions::dead_letters::dead_letters(&r, k, v)
                })
                .await
            }
            Request::List(r) => {
                self.look(caller, move |k, v| {
                    actions::list::list(&r, Some(k.agent()), v)
                })
                .await
            }
            Request::Describe(r) => {
                self.write(caller, move |k, c| actions::describe::describe(&r, k, c))
                    .await
            }
            Request::Boundaries(r) if !r.changes() => {
                self.look(caller, move |k, v| actions::boundaries::look(&r, k, v))
                    .await
            }
            Request::Boundaries(r) => {
                self.write(caller, move |k, c| {
                    actions::boundaries::boundaries(&r, k, c)
                })
                .await
            }
            Request::Whoami(r) => self.whoami(caller, r).await,
            Request::Rename(r) => {
                self.write(caller, move |k, c| actions::rename::rename(&r, k, c))
                    .await
            }
            Request::Unregister(r) => {
                self.write(caller, move |k, c| actions::leave::unregister(&r, k, c))
                    .await
            }
            Request::Offline(r) => self.offline(caller, r).await,
            Request::Renew(r) => {
                self.write(caller, move |k, c| actions::session::renew(&r, k, c))
                    .await
            }
            Request::Revoke(r) => {
                self.write(caller, move |k, c| actions::session::revoke(&r, k, c))
                    .await
            }
            Request::Status(_) => self.status(Some(caller)),
            Request::Hello(_) | Request::Authenticate(_) | Request::Register(_) => {
                self.refuse(already())
            }
            Request::AdminBackup(_)
            | Request::AdminRelease(_)
            | Request::AdminRevoke(_)
            | Request::AdminRotateSecret(_)
            | Request::AdminFreeze(_)
            | Request::AdminThaw(_)
            | Request::AdminReaders(_) => self.refuse(not_for_agents()),
        }
    }

    async fn send(&self, caller: &Caller, request: ipc_protocol::request::Send) -> ReplyFuture {
        self.store(caller, move |k, c| actions::send::send(&request, k, c))
            .await
    }

    async fn conversation(&self, caller: &Caller, request: Conversation) -> ReplyFuture {
        use actions::conversation::{conversation, look};
        if request.changes() {
            self.store(caller, move |k, c| conversation(&request, k, c))
                .await
        } else {
            self.look(caller, move |k, v| look(&request, k, v)).await
        }
    }

    async fn offline(
        &self,
        caller: &Caller,
        request: ipc_protocol::request::Offline,
    ) -> ReplyFuture {
        self.write(caller, move |k, c| actions::leave::offline(&request, k, c))
            .await
    }

    /// Hands in an action that stores mail; refused before the disk is full.
    async fn store<T: Serialize + Send + 'static>(
        &self,
        caller: &Caller,
        action: impl FnOnce(&Caller, &mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> ReplyFuture {
        if housekeeping::is_nearly_full(self.daemon.data_dir.root()) {
            return self.refuse(crate::error::no_space());
        }
        self.write(caller, action).await
    }

    async fn write<T: Serialize + Send + 'static>(
        &self,
        caller: &Caller,
        action: impl FnOnce(&Caller, &mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> ReplyFuture {
        let caller = caller.clone();
        let work = move |context: &mut Context<'_>| {
            credentials::check_caller(context, caller.session())?;
            action(&caller, context)
        };
        self.submit(work).await
    }

    async fn submit<T: Serialize + Send + 'static>(
        &self,
        work: impl FnOnce(&mut Context<'_>) -> Done<T> + Send + 'static,
    ) -> ReplyFuture {
        let pending = self.daemon.writer.submit(work).await;
        self.when(pending)
    }

    async fn look<T: Serialize + Send + 'static>(
        &self,
        caller: &Caller,
        ask: impl FnOnce(&Caller, &View<'_>) -> Done<T> + Send + 'static,
    ) -> ReplyFuture {
        self.look_with(&self.daemon.reader, caller, ask).await
    }

    async fn look_with<T: Serialize + Send + 'static>(
        &self,
        reader: &Reader,
        caller: &Caller,
        ask: impl FnOnce(&Caller, &View<'_>) -> Done<T> + Send + 'static,
    ) -> ReplyFuture {
        let caller = caller.clone();
        let question = move |view: &View<'_>| {
            credentials::check_caller(view, caller.session())?;
            ask(&caller, view)
        };
        let pending = reader.submit(question).await;
        self.when(pending)
    }

    fn when<T: Serialize + Send + 'static>(&self, pending: Pending<T>) -> ReplyFuture {
        self.later(settle(pending))
    }

    fn later<T: Serialize + Send + 'static>(
        &self,
        outcome: impl Future<Output = Done<T>> + Send + 'static,
    ) -> ReplyFuture {
        let (id, daemon) = (self.id, Arc::clone(self.daemon));
        let (request, who) = (self.request, self.who);
        Box::pin(async move {
            let outcome = outcome.await;
            note_denial(&outcome, request, who, &daemon);
            Reply::plain(encode(id, outcome, &daemon))
        })
    }

    /// The same for a reply with mail in it.
    fn carrying<T: Serialize + Send + 'static>(
        &self,
        outcome: impl Future<Output = Done<Leased<T>>> + Send + 'static,
    ) -> ReplyFuture {
        let (id, daemon) = (self.id, Arc::clone(self.daemon));
        let (request, who) = (self.request, self.who);
        Box::pin(async move {
            let outcome = outcome.await;
            note_denial(&outcome, request, who, &daemon);
            let (outcome, lease) = match outcome {
                Ok(Leased { reply, lease }) => (Ok(reply), Some(lease)),
                Err(error) => (Err(error), None),
            };
            Reply {
                payload: encode(id, outcome, &daemon),
                lease,
            }
        })
    }

    fn refuse(&self, refusal: Refusal) -> ReplyFuture {
        self.later(async { Err::<(), _>(ActionError::Refused(refusal)) })
    }
}
