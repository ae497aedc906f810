//! The real program in a directory of its own.

use std::error::Error;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, connect};
use ipc_protocol::conversation::Title;
use ipc_protocol::message::{Handover, Kind};
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::request::{
    Ack, Conversation, Enrolment, Fetch, History, List, Register, Registered, Send, Status,
    WhenLive,
};
use ipc_protocol::secret::SharedSecret;
use ipc_protocol::token::Token;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng};

use crate::figures::moment;
use crate::usage;

/// Rates that no measurement meets.
pub(crate) const CONFIG: &str = "[limits]
send_per_minute = 10000000
send_burst = 10000000
fetch_per_minute = 10000000
mailbox_unread = 100000
mailbox_unread_per_sender = 100000
";

/// What the first command and the unit start the daemon with.
const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// A daemon of its own, and its clients.
#[derive(Debug)]
pub(crate) struct Daemon {
    room: tempfile::TempDir,
    program: PathBuf,
    child: Child,
}

impl Daemon {
    /// Where the program is.
    pub(crate) fn program_path(&self) -> &Path {
        &self.program
    }

    /// Starts `ipc daemon run`, the program beside this one, with rates that no measurement meets.
    pub(crate) fn start() -> Result<Self, Box<dyn Error>> {
        Self::start_with(CONFIG)
    }

    /// The same with this `config.toml`.
    pub(crate) fn start_with(config: &str) -> Result<Self, Box<dyn Error>> {
        Self::start_program(&Self::built()?, config)
    }

    /// The program beside this one.
    pub(crate) fn built() -> Result<PathBuf, Box<dyn Error>> {
        let program = std::env::current_exe()?.with_file_name("ipc");
        if !program.exists() {
            let program = program.display();
            return Err(format!("{program} is not built: `cargo build --release`").into());
        }
        Ok(program)
    }

    /// Starts `program`, whichever build it is.
    pub(crate) fn start_program(program: &Path, config: &str) -> Result<Self, Box<dyn Error>> {
        let private = std::fs::Permissions::from_mode(0o700);
        let room = tempfile::Builder::new()
            .prefix("ipc-bench-")
            .permissions(private)
            .tempdir()?;
        private::write_file(&room.path().join("config.toml"), config.as_bytes())?;
        let child = serving(program, room.path())?;
        Ok(Self {
            room,
            program: program.to_owned(),
            child,
        })
    }

    /// Ends it and starts it again in the same directory: what it still had to write is written.
    pub(crate) fn restart(&mut self) -> Result<(), Box<dyn Error>> {
        self.command(&["daemon", "stop"])?;
        self.child.wait()?;
        self.child = serving(&self.program, self.room.path())?;
        Ok(())
    }

    /// Where it keeps its data.
    pub(crate) fn room(&self) -> &Path {
        self.room.path()
    }

    /// The program, with nothing in its environment and its data here.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().arg("--data-dir").arg(self.room.path());
        command
    }

    /// Runs one command to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
        let output = self.program().args(arguments).output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64, Box<dyn Error>> {
        usage::resident_mib(self.child.id())
    }

    /// How many messages it has stored.
    pub(crate) fn stored(&self) -> Result<u64, Box<dyn Error>> {
        Ok(self.prove()?.call(&Status {})?.messages)
    }

    /// Whether it has found its secret to be the one that it was made with.
    pub(crate) fn has_checked_its_secret(&self) -> Result<bool, Box<dyn Error>> {
        let status = self.prove()?.call(&Status {})?;
        Ok(status.enrolment == Enrolment::Open)
    }

    /// Registers an agent.
    pub(crate) fn agent(&self, name: &str) -> Result<Agent, Box<dyn Error>> {
        let (client, _) = self.enrol(name)?;
        Ok(Agent { client })
    }

    /// Registers an agent: its connection, and what it was given.
    pub(crate) fn enrol(
        &self,
        name: &str,
    ) -> Result<(Client<UnixStream>, Registered), Box<dyn Error>> {
        let mut client = self.prove()?;
        let registered = client.call(&Register {
            name: Name::parse(name)?,
            when_live: WhenLive::Refuse,
            automatic: false,
            host: None,
        })?;
        Ok((client, registered))
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> Result<PathBuf, Box<dyn Error>> {
        let data_dir = DataDir::new(self.room.path().to_owned(), None)?;
        Ok(data_dir.socket().to_owned())
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<(), Box<dyn Error>> {
        self.command(&["daemon", "stop"])?;
        self.child.wait()?;
        Ok(())
    }

    /// Connects as the agent whose session this is.
    pub(crate) fn log_in(&self, session: Token) -> Result<Client<UnixStream>, Box<dyn Error>> {
        self.open(&Credential::Token(session))
    }

    fn prove(&self) -> Result<Client<UnixStream>, Box<dyn Error>> {
        let data_dir = DataDir::new(self.room.path().to_owned(), None)?;
        let secret = private::read_file(&data_dir.secret(), 1_024)?;
        self.open(&Credential::Secret(SharedSecret::new(secret.to_vec())?))
    }

    fn open(&self, credential: &Credential) -> Result<Client<UnixStream>, Box<dyn Error>> {
        let socket = self.socket()?;
        let mut nonce = [0; 32];
        StdRng::try_from_rng(&mut SysRng)?.fill_bytes(&mut nonce);
        Ok(Client::open(connect(&socket, false)?, credential, nonce)?)
    }
}

/// Starts `program` in `room`, and waits until it serves.
fn serving(program: &Path, room: &Path) -> Result<Child, Box<dyn Error>> {
    let mut child = Command::new(program)
        .args(["daemon", "run", "--autostarted", "--data-dir"])
        .arg(room)
        .envs(ALLOCATOR)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    drop(child.stdin.take());
    let mut line = String::new();
    let output = child.stdout.take().ok_or("no standard output")?;
    BufReader::new(output.take(4_096)).read_line(&mut line)?;
    if line == "ready\n" {
        return Ok(child);
    }
    Err(line.into())
}

/// One agent with an open connection.
#[derive(Debug)]
pub(crate) struct Agent {
    client: Client<UnixStream>,
}

impl Agent {
    /// Sends one message and waits until it is on disk.
    pub(crate) fn send(&mut self, to: &str, text: &str) -> Result<(), Box<dyn Error>> {
        self.client.call(&message(to, text)?)?;
        Ok(())
    }

    /// Sends many, one after the other.
    pub(crate) fn send_many(&mut self, to: &str, number: usize) -> Result<(), Box<dyn Error>> {
        for at in 0..number {
            self.send(
                to,
                &format!("filling {at} of a store that is searched for words"),
            )?;
        }
        Ok(())
    }

    /// Looks past mail up by its words.
    pub(crate) fn search(&mut self, query: &str) -> Result<(), Box<dyn Error>> {
        self.client.call(&History {
            search: Some(query.parse()?),
            ..History::default()
        })?;
        Ok(())
    }

    /// Makes a group of this agent and `names`; what mail for it is sent to.
    pub(crate) fn create_group(&mut self, names: &[String]) -> Result<String, Box<dyn Error>> {
        let members: Result<_, _> = names.iter().map(|name| Name::parse(name)).collect();
        let report = self.client.call(&Conversation::Create {
            title: Title::parse("bench")?,
            members: members?,
            idempotency_key: None,
        })?;
        let group = report.conversations.first().ok_or("no group")?;
        Ok(group.id.to_string())
    }

    /// Waits for a message; says when its reply was in hand, and confirms it after that.
    pub(crate) fn wait_for_one(&mut self) -> Result<Instant, Box<dyn Error>> {
        let wait = Duration::from_mins(1);
        let request = Fetch {
            wait_ms: 60_000,
            ..Fetch::default()
        };
        let fetched = self.client.call_waiting(&request, wait)?;
        let in_hand = moment();
        let message_ids = fetched.messages.iter().map(|mail| mail.id).collect();
        self.client.call(&Ack {
            message_ids,
            handover: Handover::Cli,
        })?;
        Ok(in_hand)
    }

    /// Asks who is there.
    pub(crate) fn list(&mut self) -> Result<(), Box<dyn Error>> {
        self.client.call(&List::default())?;
        Ok(())
    }

    /// Fetches what waits and confirms it; says how much it was.
    pub(crate) fn take_some(&mut self) -> Result<usize, Box<dyn Error>> {
        let fetched = self.client.call(&Fetch {
            limit: Some(100),
            ..Fetch::default()
        })?;
        let message_ids: Vec<_> = fetched.messages.iter().map(|mail| mail.id).collect();
        let taken = message_ids.len();
        self.client.call(&Ack {
            message_ids,
            handover: Handover::Cli,
        })?;
        Ok(taken)
    }

    /// The same until nothing waits.
    pub(crate) fn take_all(&mut self) -> Result<(), Box<dyn Error>> {
        while self.take_some()? > 0 {}
        Ok(())
    }
}

/// A message.
pub(crate) fn message(to: &str, text: &str) -> Result<Send, Box<dyn Error>> {
    Ok(Send {
        to: to.parse()?,
        text: text.to_owned(),
        kind: Kind::Message,
        data: None,
        reply_to: None,
        idempotency_key: None,
        known_only: false,
    })
}
