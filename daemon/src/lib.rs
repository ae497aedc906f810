//! The daemon of claude-ipc: it takes mail in, keeps it, and hands it over.
//!
//! A request comes in at `listener` (who may speak at all), goes through `connection` (frames in
//! and out), `auth` (who is it), `dispatch` (which action) to one file of `actions` (what it
//! does), whose changes the one `store::writer` commits before anybody hears of them; the reply
//! goes back the same way. [`run`] is the whole of it: it takes its world (configuration, clock,
//! randomness, when to stop) from outside.
//!
//! What always holds: an acknowledged message is on disk; a sender is the agent that the
//! connection proved to be, never a field of a request; whatever a peer sends costs bounded
//! memory.
//!
//! Deliberately elsewhere: the words on the wire (`ipc_protocol`), and everything that a person
//! sees (the program `ipc`).

mod actions;
pub mod audit;
mod auth;
mod caller;
pub mod clock;
pub mod config;
mod connection;
mod counters;
mod daemon;
pub mod deployment;
mod dispatch;
mod error;
pub mod foreign;
mod frozen;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod gate;
mod heartbeat;
mod host;
mod hosts;
mod housekeeping;
mod key;
mod lease;
mod legacy;
pub mod limits;
mod listener;
mod locked;
mod mailboxes;
pub mod migrate;
mod notice_board;
mod notice_files;
mod prepared;
mod presence;
#[cfg(test)]
mod properties;
mod quota;
pub mod sandbox;
#[cfg(test)]
mod scheduler;
mod secrets;
mod shared;
pub mod store;
pub mod systemd;
mod threads;
mod wanted;

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;

use ipc_protocol::paths::DataDir;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use audit::LogError;
use audit::event::Event;
use clock::Clock;
use config::{Config, Listening};
use daemon::Daemon;
use deployment::{DaemonLock, DeploymentError};
use gate::Gate;
use legacy::OldPort;
pub use listener::BindError;
use listener::Listener;
pub use locked::KeptSecret;
pub use prepared::{Prepared, prepare};
use quota::Quotas;
use shared::Shared;
use store::open::OpenError;
use store::writer::Broken;
use threads::Threads;

/// What a daemon needs besides its configuration.
pub struct Deps {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from: seeded by the system's.
    pub rng: StdRng,
    /// Called once the socket is bound and requests are served.
    pub ready: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Why the daemon did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The deployment cannot be opened.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// The socket cannot be bound.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The audit log cannot be opened.
    #[error("the audit log: {0}")]
    Audit(#[from] LogError),
    /// The system refuses something that a start needs.
    #[error("starting: {0}")]
    Io(#[from] io::Error),
    /// The store failed in a way that nothing more may be acknowledged after.
    #[error("the store failed and nothing more is acknowledged: {0}")]
    StoreFailed(String),
    /// The store is damaged.
    #[error("the store is damaged ({0}); the next start puts the newest good backup in its place")]
    StoreDamaged(String),
}

/// Runs the daemon on what was [`prepare`]d until `shutdown` comes, nobody needs it any more, or its
/// store fails.
///
/// # Errors
/// [`DaemonError`]; the process should then exit with a status other than zero.
pub async fn run(
    prepared: Prepared,
    mut config: Config,
    deps: Deps,
    shutdown: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    let Deps { clock, rng, ready } = deps;
    let data_dir = config.data_dir.clone();
    let watchdog = config.watchdog.take();
    let (stop, stopping) = watch::channel(false);
    let Built {
        daemon,
        socket,
        bound,
        old_socket,
        secret,
        broken,
        threads,
        lock,
    } = build(prepared, config, clock, rng, stopping).map_err(|error| damaged(&data_dir, error))?;
    let listener = Listener::new(socket, bound, Arc::clone(&daemon))?;
    let mut tasks = JoinSet::new();
    if let Some(socket) = old_socket {
        tasks.spawn(legacy::serve(Arc::clone(&daemon), socket));
    }
    tasks.spawn(housekeeping::run(Arc::clone(&daemon)));
    tasks.spawn(notice_files::run(Arc::clone(&daemon)));
    tasks.spawn(hosts::run(Arc::clone(&daemon)));
    if let Some(watchdog) = watchdog {
        tasks.spawn(heartbeat::run(Arc::clone(&daemon), watchdog));
    }
    tasks.spawn(housekeeping::examine_secret(Arc::clone(&daemon), secret));
    let outcome = serve(&daemon, listener, tasks, broken, ready, &stop, shutdown).await;
    drop(daemon);
    threads.settle().await;
    drop(lock);
    outcome
}

/// Damage that keeps the store from being opened is marked like damage that is found later.
fn damaged(data_dir: &DataDir, error: DaemonError) -> DaemonError {
    let DaemonError::Deployment(
        DeploymentError::Sqlite(source) | DeploymentError::Store(OpenError::Sqlite { source, .. }),
    ) = &error
    else {
        return error;
    };
    if !store::quarantine::is_damage(source) {
        return error;
    }
    let why = source.to_string();
    store::quarantine::mark(data_dir, &why);
    DaemonError::StoreDamaged(why)
}

/// Everything that a start makes before it serves.
struct Built {
    daemon: Arc<Daemon>,
    socket: StdListener,
    /// Whether the socket is ours to remove.
    bound: bool,
    old_socket: Option<TcpListener>,
    secret: Option<KeptSecret>,
    broken: Broken,
    threads: Threads,
    lock: DaemonLock,
}

/// Opens the deployment, binds the socket, and starts the store's threads.
fn build(
    prepared: Prepared,
    config: Config,
    clock: Arc<dyn Clock>,
    mut rng: StdRng,
    stopping: watch::Receiver<bool>,
) -> Result<Built, DaemonError> {
    let (now, data_dir) = (clock.now(), config.data_dir);
    let opened = deployment::open(&data_dir, config.secret, now, &mut rng, &prepared.lock)?;
    migrate::clear_leavings(&data_dir, &prepared.lock);
    let (socket, bound) = listen(config.listening, prepared.socket, &data_dir)?;
    let (old_port, old_socket) =
        OldPort::prepare(prepared.old_socket, opened.secret.as_deref(), prepared.zone);
    let own_rng = StdRng::from_rng(&mut rng);
    let gate = Gate::new(opened.id, opened.verifiers, opened.enrolment, own_rng);
    let policies = (config.names, config.secrets);
    let (audit, auditing) = audit::start(&data_dir, opened.past, &clock, &mut rng, &prepared.lock)?;
    let shared = Arc::new(Shared::new(
        clock,
        config.limits,
        policies,
        opened.key,
        gate,
        audit,
    ));
    store::freezes::begin(&opened.db, &shared.frozen).map_err(DeploymentError::Sqlite)?;
    let store = threads::start_store(opened.db, &data_dir, &shared, StdRng::from_rng(&mut rng))?;
    let daemon = Arc::new(Daemon {
        writer: store.writer,
        reader: store.reader,
        searcher: store.searcher,
        quotas: Quotas::new(&shared.limits),
        inbound: permits(shared.limits.inbound_bytes),
        places: permits(shared.limits.connections),
        stopping,
        started: now.wall,
        // Clients of the old port start no daemon.
        leaves_when_idle: config.leaves_when_idle && old_socket.is_none(),
        sandbox: prepared.sandbox,
        old_port,
        data_dir,
        backup: tokio::sync::Mutex::default(),
        shared,
    });
    Ok(Built {
        daemon,
        socket,
        bound,
        old_socket,
        secret: opened.secret,
        broken: store.broken,
        threads: Threads {
            store: store.threads,
            auditing,
        },
        lock: prepared.lock,
    })
}

/// The socket, and whether it is ours to remove.
fn listen(
    listening: Listening,
    bound: Option<StdListener>,
    data_dir: &DataDir,
) -> Result<(StdListener, bool), BindError> {
    match (listening, bound) {
        // Elsewhere than in the data directory it cannot be removed from inside the sandbox: whoever
        // stops the daemon does, or the next start.
        (Listening::Inherited(socket), _) | (Listening::Bind, Some(socket)) => Ok((socket, false)),
        (Listening::Bind, None) => Ok((listener::bind(data_dir.socket())?, true)),
    }
}

fn permits(number: u32) -> Arc<Semaphore> {
    let number = usize::try_from(number).unwrap_or(Semaphore::MAX_PERMITS);
    Arc::new(Semaphore::new(number))
}

/// Serves until the end, and sees every task out.
async fn serve(
    daemon: &Arc<Daemon>,
    listener: Listener,
    mut tasks: JoinSet<()>,
    mut broken: Broken,
    ready: Box<dyn FnOnce() + Send>,
    stop: &watch::Sender<bool>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    let mut checking = Box::pin(housekeeping::check_store(Arc::clone(daemon)));
    let mut serving = JoinSet::new();
    serving.spawn(listener.run());
    let pid = std::process::id();
    tracing::info!(pid, "ready");
    daemon.shared.audit.note(Event::Started {
        version: env!("CARGO_PKG_VERSION"),
        pid,
    });
    ready();
    let mut checked = false;
    let mut shutdown = Box::pin(shutdown);
    let outcome = loop {
        tokio::select! {
            () = &mut shutdown => break Ok(()),
            _ = serving.join_next() => break Ok(()),
            failed = broken.wait_for(Option::is_some) => {
                let why = failed.ok().and_then(|why| why.clone());
                break Err(DaemonError::StoreFailed(why.unwrap_or_else(|| "the writer has ended".to_owned())));
            }
            damage = &mut checking, if !checked => {
                checked = true;
                if let Some(why) = damage {
                    store::quarantine::mark(&daemon.data_dir, &why);
                    break Err(DaemonError::StoreDamaged(why));
                }
            }
        }
    };
    stop.send_replace(true);
    while serving.join_next().await.is_some() {}
    while tasks.join_next().await.is_some() {}
    tracing::info!("stopped");
    daemon.shared.audit.note(Event::Stopped {});
    outcome
}

/// Removes the socket of a daemon that has ended, if it is still there.
///
/// # Errors
/// [`BindError`]; a socket that somebody listens at is left alone.
pub fn remove_dead_socket(data_dir: &DataDir) -> Result<(), BindError> {
    listener::remove_stale(data_dir.socket())
}

/// The data directory's lock, for work that needs the daemon not to run.
///
/// # Errors
/// As [`DaemonLock::take`].
pub fn lock(data_dir: &DataDir) -> Result<DaemonLock, DeploymentError> {
    DaemonLock::take(data_dir)
}
