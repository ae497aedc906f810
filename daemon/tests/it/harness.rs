//! A daemon in a room of its own, and agents that talk to it like any front-end.

pub(crate) mod predecessor;
pub(crate) mod raw;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

use ipc_daemon::clock::{BootId, Clock, Now};
use ipc_daemon::config::Config;
use ipc_daemon::sandbox::{self, Inside, SandboxPolicy};
use ipc_daemon::store::backup::BackupError;
use ipc_daemon::store::restore;
use ipc_daemon::{DaemonError, Deps, KeptSecret};
use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError, connect};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::MessageId;
use ipc_protocol::message::{Handover, Mail};
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::{
    Ack, Fetch, Method, Register, Registered, Rename, Renamed, Send, Sent, WhenLive, Whoami,
    WhoamiReport,
};
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::time::Timestamp;
use ipc_protocol::token::Token;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};
use tokio::sync::oneshot;

/// The secret of every test's deployment.
pub(crate) const SECRET: &str = "correct horse battery staple";

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct TestClock {
    now: Mutex<Now>,
    boot_id: BootId,
}

impl TestClock {
    /// Lets time pass, on both clocks.
    pub(crate) fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().unwrap();
        let milliseconds = seconds.saturating_mul(1_000);
        now.wall = now.wall.plus_millis(milliseconds);
        now.boot_ms = now.boot_ms.saturating_add(milliseconds);
    }

    /// Sets the wall clock, as a person would.
    pub(crate) fn set_back(&self, seconds: i64) {
        let mut now = self.now.lock().unwrap();
        now.wall = now.wall.plus_millis(seconds.saturating_mul(-1_000));
    }
}

impl Clock for TestClock {
    fn now(&self) -> Now {
        *self.now.lock().unwrap()
    }

    fn boot_id(&self) -> BootId {
        self.boot_id.clone()
    }
}

/// A directory with a daemon in it.
pub(crate) struct House {
    room: tempfile::TempDir,
    pub(crate) clock: Arc<TestClock>,
    running: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), DaemonError>>,
}

impl House {
    /// A daemon in which nobody has been yet.
    pub(crate) fn new() -> Self {
        Self::with_config("")
    }

    /// The same with this `config.toml`.
    pub(crate) fn with_config(config: &str) -> Self {
        let mut house = Self::empty();
        for (name, bytes) in deployment() {
            ipc_protocol::private::write_file(&house.path().join(name), bytes).unwrap();
        }
        if !config.is_empty() {
            let path = house.data_dir().config();
            ipc_protocol::private::write_file(&path, config.as_bytes()).unwrap();
        }
        house.start().unwrap();
        house
    }

    /// A private directory in which no daemon has been yet.
    pub(crate) fn empty() -> Self {
        let private = std::fs::Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let room = builder.prefix("ipc-").permissions(private).tempdir();
        let start = Now {
            wall: Timestamp::from_millis(1_800_000_000_000),
            boot_ms: 1_000_000,
        };
        let clock = TestClock {
            now: Mutex::new(start),
            boot_id: BootId("boot".to_owned()),
        };
        Self {
            room: room.unwrap(),
            clock: Arc::new(clock),
            running: None,
        }
    }

    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::new(self.room.path().to_owned(), None).unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.room.path()
    }

    /// That this process is where it may look into databases. It has threads: what the sandbox holds
    /// is for `tests/inside` to see.
    pub(crate) fn inside(&self) -> Inside {
        sandbox::enter(SandboxPolicy::Off, &self.data_dir()).unwrap()
    }

    /// Puts a backup in the place of the store, while no daemon runs.
    pub(crate) fn restore(
        &self,
        from: &Path,
        now: Timestamp,
    ) -> Result<Option<PathBuf>, BackupError> {
        restore::restore(&self.data_dir(), from, now, &self.inside())
    }

    /// Starts the daemon; an error is why it did not.
    pub(crate) fn start(&mut self) -> Result<(), DaemonError> {
        self.start_with(Some(SECRET))
    }

    /// The store, for looking into while no daemon runs.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data_dir().database()).unwrap()
    }

    /// Starts the daemon with another secret, or with none.
    pub(crate) fn start_with(&mut self, secret: Option<&str>) -> Result<(), DaemonError> {
        let secret = secret.map(|s| SharedSecret::new(s.as_bytes().to_vec()).unwrap());
        let secret = secret.map(KeptSecret::new);
        let config = Config {
            secret,
            ..Config::load(self.data_dir()).unwrap()
        };
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let deps = Deps {
            clock: Arc::<TestClock>::clone(&self.clock),
            rng: StdRng::try_from_rng(&mut SysRng).unwrap(),
            ready: Box::new(move || ready.send(()).unwrap()),
        };
        let thread = std::thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let shutdown = async { drop(stopped.await) };
            let prepared = ipc_daemon::prepare(&config)?;
            runtime
                .unwrap()
                .block_on(ipc_daemon::run(prepared, config, deps, shutdown))
        });
        let thread = thread.unwrap();
        if is_ready.blocking_recv().is_err() {
            return Err(thread.join().unwrap().unwrap_err());
        }
        self.running = Some(Running { stop, thread });
        Ok(())
    }

    /// Starts another daemon beside the one that runs.
    pub(crate) fn start_another(&mut self) -> Result<(), DaemonError> {
        let first = self.running.take();
        let outcome = self.start();
        if outcome.is_ok() {
            self.stop().unwrap();
        }
        self.running = first;
        outcome
    }

    /// Stops the daemon and waits until it has.
    pub(crate) fn stop(&mut self) -> Result<(), DaemonError> {
        let running = self.running.take().unwrap();
        drop(running.stop);
        running.thread.join().unwrap()
    }

    /// Stops the daemon and starts it again.
    pub(crate) fn restart(&mut self) {
        self.stop().unwrap();
        self.start().unwrap();
    }

    /// Waits until the daemon ends by itself.
    pub(crate) fn wait_for_end(&mut self) -> Result<(), DaemonError> {
        self.running.take().unwrap().thread.join().unwrap()
    }

    /// A raw stream to the daemon.
    pub(crate) fn stream(&self) -> UnixStream {
        connect(self.data_dir().socket(), false).unwrap().stream
    }

    /// A connection that has proved `credential`.
    pub(crate) fn prove(&self, credential: &Credential) -> Result<Client<UnixStream>, ClientError> {
        let connection = connect(self.data_dir().socket(), false)?;
        let mut nonce = [0; 32];
        StdRng::try_from_rng(&mut SysRng)
            .unwrap()
            .fill_bytes(&mut nonce);
        Client::open(connection, credential, nonce)
    }

    /// A connection that has proved the shared secret.
    pub(crate) fn operator(&self) -> Client<UnixStream> {
        self.prove(&secret(SECRET)).unwrap()
    }

    /// Registers a name with the secret.
    pub(crate) fn register(&self, name: &str) -> Agent {
        self.try_register(name).unwrap()
    }

    /// Tries to register a name with the secret.
    pub(crate) fn try_register(&self, name: &str) -> Result<Agent, ClientError> {
        let mut client = self.prove(&secret(SECRET))?;
        let registered = client.call(&registration(name, WhenLive::Refuse))?;
        Ok(Agent { client, registered })
    }

    /// Comes back with a resume credential.
    pub(crate) fn resume(
        &self,
        token: &Token,
        name: &str,
        when_live: WhenLive,
    ) -> Result<Agent, ClientError> {
        let mut client = self.prove(&Credential::Token(copy(token)))?;
        let registered = client.call(&registration(name, when_live))?;
        Ok(Agent { client, registered })
    }

    /// Comes back on a new connection with a session.
    pub(crate) fn reconnect(&self, agent: &Agent) -> Result<Client<UnixStream>, ClientError> {
        self.prove(&Credential::Token(copy(&agent.registered.session)))
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            drop(running.stop);
            drop(running.thread.join());
        }
    }
}

/// The files of a deployment that has been started once: its verifiers take half a second to make,
/// and each test would make the same ones.
fn deployment() -> &'static [(&'static str, Vec<u8>)] {
    static FILES: OnceLock<Vec<(&'static str, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut first = House::empty();
        first.start().unwrap();
        first.stop().unwrap();
        let read = |name| (name, std::fs::read(first.path().join(name)).unwrap());
        ["messages.db", "daemon.key", "secret"].map(read).into()
    })
}

pub(crate) fn secret(text: &str) -> Credential {
    Credential::Secret(SharedSecret::new(text.as_bytes().to_vec()).unwrap())
}

pub(crate) fn copy(token: &Token) -> Token {
    Token::parse(&token.expose()).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn registration(text: &str, when_live: WhenLive) -> Register {
    Register {
        name: name(text),
        when_live,
        automatic: false,
        host: None,
    }
}

/// A registered agent with an open connection.
pub(crate) struct Agent {
    pub(crate) client: Client<UnixStream>,
    pub(crate) registered: Registered,
}

impl Agent {
    pub(crate) fn call<M: Method>(&mut self, request: &M) -> Result<M::Reply, ClientError> {
        self.client.call(request)
    }

    pub(crate) fn try_send(&mut self, to: &str, text: &str) -> Result<Sent, ClientError> {
        self.call(&message(to, text))
    }

    pub(crate) fn send(&mut self, to: &str, text: &str) -> Sent {
        self.try_send(to, text).unwrap()
    }

    /// Fetches what is there, without acknowledging it.
    pub(crate) fn fetch(&mut self) -> Vec<Mail> {
        self.call(&Fetch::default()).unwrap().messages
    }

    pub(crate) fn ack(&mut self, message_ids: Vec<MessageId>) -> u64 {
        self.call(&Ack {
            message_ids,
            handover: Handover::Cli,
        })
        .unwrap()
        .delivered
    }

    /// Fetches and acknowledges what is there: the texts.
    pub(crate) fn check(&mut self) -> Vec<String> {
        let mail = self.fetch();
        self.ack(mail.iter().map(|m| m.id).collect());
        mail.into_iter().map(|m| m.text).collect()
    }

    /// Renames the agent.
    pub(crate) fn rename(&mut self, new: &str) -> Result<Renamed, ClientError> {
        self.call(&Rename {
            new_name: name(new),
        })
    }

    pub(crate) fn whoami(&mut self) -> Result<WhoamiReport, ClientError> {
        self.call(&Whoami {})
    }

    pub(crate) fn resume(&self) -> &Token {
        self.registered.resume.as_ref().unwrap()
    }
}

pub(crate) fn message(to: &str, text: &str) -> Send {
    Send {
        to: to.parse().unwrap(),
        text: text.to_owned(),
        kind: ipc_protocol::message::Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    }
}

/// The refusal that the daemon answered with.
pub(crate) fn refusal<T: std::fmt::Debug>(outcome: Result<T, ClientError>) -> Refusal {
    match outcome {
        Err(ClientError::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, not {other:?}"),
    }
}

/// The code of the refusal.
pub(crate) fn code<T>(outcome: Result<T, ClientError>) -> ErrorCode {
    refusal(outcome.map(|_| ())).code
}
