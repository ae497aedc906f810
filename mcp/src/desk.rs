//! Where we are an agent: enrolled with the first use, and connected again when need be.
//!
//! What always holds: a session that was taken over is the end, and never silently replaced; a
//! request is made twice only if that changes nothing (it reads, or carries an idempotency key).

mod calls;
mod names;
mod shown;
mod turns;
mod waits;

use std::future::Future;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use ipc_protocol::auth::Credential;
use ipc_protocol::client::Client;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::message::IdempotencyKey;
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::codex_thread::ThreadId;
use crate::door::{Door, Enrolment, SharedFile, Wish};
use crate::failure::Failure;
use crate::limits::{ENROL_AFTER, IDLE_CONNECTIONS, NOTES};
use crate::offered::Offered;
use shown::Shown;
use turns::Turns;
pub(crate) use waits::Waited;

/// The agent that we are.
#[derive(Debug)]
pub(crate) struct Agent {
    /// Who it is for good.
    pub(crate) id: AgentId,
    /// How often its name had been taken over or claimed anew when we became it.
    incarnation: u32,
    /// What it was called when we last heard.
    pub(crate) name: Name,
    /// Whether a program chose the name.
    pub(crate) automatic: bool,
    session: Credential,
}

/// What an enrolment has to say, without the credentials in it.
#[derive(Debug)]
pub(crate) struct Welcome {
    /// The agent.
    pub(crate) agent: Arc<Agent>,
    /// Messages that wait.
    pub(crate) waiting: u64,
    /// The names of others that are there.
    pub(crate) online: Vec<Name>,
}

/// Where the MCP server is an agent, or is about to become one.
pub(crate) struct Desk {
    door: Arc<dyn Door>,
    current: Mutex<Current>,
    /// Whoever enrols or comes back; the others find the result.
    enrolling: tokio::sync::Mutex<()>,
    /// Mail in responses that are on their way.
    offered: Offered,
    /// Cancelled when the host is gone, or we are to stop.
    closing: CancellationToken,
    turns: Turns,
    /// Rings at each request of the host.
    heard: Notify,
    shown: Mutex<Shown>,
    notes: Mutex<Vec<String>>,
    /// Whether a host of the older revisions wants to hear of the mailbox.
    subscribed: watch::Sender<bool>,
    /// Whether we are an agent by now.
    enrolled: watch::Sender<bool>,
    /// The thread of Codex that called last.
    thread: watch::Sender<Option<ThreadId>>,
}

/// As whom calls are made at present.
#[derive(Default)]
struct Current {
    agent: Option<Arc<Agent>>,
    /// Another window took our agent over: what every call hears until a name is taken up again.
    taken_over: Option<Failure>,
    /// Proved connections of this agent that no call uses.
    idle: Vec<Client<UnixStream>>,
}

impl Desk {
    /// A desk that is no agent yet.
    pub(crate) fn new(door: Arc<dyn Door>, closing: CancellationToken) -> Self {
        Self {
            door,
            current: Mutex::default(),
            enrolling: tokio::sync::Mutex::default(),
            offered: Offered::default(),
            closing,
            turns: Turns::default(),
            heard: Notify::new(),
            shown: Mutex::default(),
            notes: Mutex::default(),
            subscribed: watch::Sender::new(false),
            enrolled: watch::Sender::new(false),
            thread: watch::Sender::new(None),
        }
    }

    /// Enrols when nobody has used the server for a while; never comes to an end.
    pub(crate) fn enrol_late(self: &Arc<Self>) -> impl Future<Output = ()> + Send + 'static {
        let desk = Arc::clone(self);
        async move {
            tokio::time::sleep(ENROL_AFTER).await;
            // What is wrong is said to whoever calls a tool.
            drop(desk.agent().await);
            std::future::pending::<()>().await;
        }
    }

    /// The agent that we are, enrolled if need be.
    pub(crate) async fn agent(self: &Arc<Self>) -> Result<Arc<Agent>, Failure> {
        if let Some(agent) = self.current_agent() {
            return Ok(agent);
        }
        let _alone = self.enrolling.lock().await;
        match self.current_agent() {
            Some(agent) => Ok(agent),
            None => Ok(self.enrol_now(Wish::Automatic).await?.agent),
        }
    }

    /// The agent that we are, if we are one yet.
    pub(crate) fn current_agent(&self) -> Option<Arc<Agent>> {
        self.current().agent.clone()
    }

    async fn rejoin_now(self: &Arc<Self>, name: Name, automatic: bool) -> Result<Welcome, Failure> {
        let desk = Arc::clone(self);
        blocking(move || {
            let enrolment = desk.door.rejoin(&name)?;
            Ok(desk.become_agent(Enrolment {
                automatic,
                ..enrolment
            }))
        })
        .await
    }

    async fn enrol_now(self: &Arc<Self>, wish: Wish) -> Result<Welcome, Failure> {
        let desk = Arc::clone(self);
        blocking(move || {
            let enrolment = desk.door.enrol(&wish)?;
            Ok(desk.become_agent(enrolment))
        })
        .await
    }

    /// Becomes the agent of `enrolment`; connections of whichever one we were before are closed.
    fn become_agent(&self, enrolment: Enrolment) -> Welcome {
        let Enrolment {
            agent_id,
            incarnation,
            name,
            automatic,
            waiting,
            online,
            session,
            client,
        } = enrolment;
        let agent = Arc::new(Agent {
            id: agent_id,
            incarnation,
            name,
            automatic,
            session,
        });
        let mut current = self.current();
        current.agent = Some(Arc::clone(&agent));
        current.taken_over = None;
        current.idle.clear();
        current.idle.push(client);
        drop(current);
        self.enrolled.send_replace(true);
        Welcome {
            agent,
            waiting,
            online,
        }
    }

    /// Why nothing more can be done as our agent: it was taken over.
    fn takeover(&self) -> Option<Failure> {
        self.current().taken_over.clone()
    }

    /// Keeps that `agent` was taken over, if that is what `failure` says.
    fn note_takeover(&self, agent: &Arc<Agent>, failure: &Failure) {
        let mut current = self.current();
        let is_ours = current
            .agent
            .as_ref()
            .is_some_and(|now| Arc::ptr_eq(now, agent));
        if is_ours && failure.code == Some(ErrorCode::TakenOver) {
            current.idle.clear();
            current.taken_over = Some(failure.clone());
        }
    }

    /// The host has made another request: it goes on from what it was answered.
    pub(crate) fn heard_from_host(&self) {
        self.heard.notify_waiters();
    }

    /// Keeps a sentence about the connection, to be told with the next result.
    pub(crate) fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES && !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Takes what there is to tell.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut notes)
    }

    /// A key for a message that was given none, so that it may be sent again after a lost
    /// connection.
    pub(crate) fn key(&self) -> Result<IdempotencyKey, Failure> {
        let text = data_encoding::BASE64URL_NOPAD.encode(&self.door.random());
        text.parse()
            .map_err(|error| Failure::local(format!("{error}")))
    }

    /// 16 random bytes.
    pub(crate) fn random(&self) -> [u8; 16] {
        self.door.random()
    }

    /// Where files of this deployment are.
    pub(crate) fn data_dir(&self) -> &DataDir {
        self.door.data_dir()
    }

    /// Reads a file that a person has allowed to be shared.
    pub(crate) async fn shared_file(&self, path: String) -> Result<SharedFile, Failure> {
        let door = Arc::clone(&self.door);
        blocking(move || door.shared_file(&path)).await
    }

    /// Switches the notices in the project's CLAUDE.md; what to say of it.
    pub(crate) async fn switch_notices(self: &Arc<Self>, on: bool) -> Result<String, Failure> {
        let agent = self.agent().await?;
        let door = Arc::clone(&self.door);
        blocking(move || door.switch_notices(&agent.session, agent.id, on)).await
    }

    /// What is cancelled when the host is gone, or we are to stop.
    pub(crate) const fn closing(&self) -> &CancellationToken {
        &self.closing
    }

    /// Whether a host of the older revisions wants to hear of the mailbox, from now on.
    pub(crate) fn subscribe(&self, wanted: bool) {
        self.subscribed.send_replace(wanted);
    }

    /// Hears of such wishes.
    pub(crate) fn subscribed(&self) -> watch::Receiver<bool> {
        self.subscribed.subscribe()
    }

    /// Waits until we are an agent: what only waits for mail makes none of us.
    pub(crate) async fn enrolment(&self) {
        let mut enrolled = self.enrolled.subscribe();
        // The sender is ours, so that it cannot be gone.
        drop(enrolled.wait_for(|is_enrolled| *is_enrolled).await);
    }

    /// A call came from this thread of Codex.
    pub(crate) fn called_from(&self, thread: ThreadId) {
        self.thread.send_replace(Some(thread));
    }

    /// Hears of such threads.
    pub(crate) fn threads(&self) -> watch::Receiver<Option<ThreadId>> {
        self.thread.subscribe()
    }

    /// Ends what waits: nobody is there to read it.
    pub(crate) fn host_is_gone(&self) {
        self.closing.cancel();
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for the next call, if it is still that of the agent that we are.
    fn keep(&self, agent: &Arc<Agent>, client: Client<UnixStream>) {
        let mut current = self.current();
        let is_ours = current
            .agent
            .as_ref()
            .is_some_and(|now| Arc::ptr_eq(now, agent));
        if is_ours && current.idle.len() < IDLE_CONNECTIONS {
            current.idle.push(client);
        }
    }
}

/// Runs `work`, which may block, beside the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Failure::local("the server is stopping")))
}
