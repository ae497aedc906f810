//! The world of one command.

use std::path::{Path, PathBuf};

use ipc_protocol::client::{AgentFiles, UnknownHost};
use ipc_protocol::name::Name;
use ipc_protocol::paths::{DEFAULT_DIRECTORY, DataDir};
use ipc_protocol::private;
use rand::Rng;
use rand::rngs::StdRng;

use crate::args::Globals;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Screen;

/// What a command may use: made once in `main`, handed down.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the environment says.
    pub(crate) environment: Environment,
    /// Where files live; an absolute path.
    pub(crate) data_dir: DataDir,
    /// `--as`.
    pub(crate) acting_as: Option<Name>,
    /// Where output goes and how.
    pub(crate) screen: Screen,
    /// Randomness.
    pub(crate) random: StdRng,
    /// Which process stands for the agent, where its host is not a known one.
    pub(crate) unknown_host: UnknownHost,
}

impl Context {
    /// Works out where files live, and refuses a data directory that others could have made.
    pub(crate) fn new(
        globals: &Globals,
        environment: Environment,
        screen: Screen,
        random: StdRng,
    ) -> Result<Self, Failure> {
        let root = root(globals, &environment)?;
        let socket = environment.socket.as_deref().map(absolute).transpose()?;
        let data_dir = DataDir::new(root, socket)?;
        match private::open_directory(data_dir.root()) {
            Ok(directory) => drop(directory),
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            environment,
            data_dir,
            acting_as: globals.acting_as.clone(),
            screen,
            random,
            unknown_host: UnknownHost::default(),
        })
    }

    /// `IPC_INSTANCE`.
    pub(crate) fn configured_name(&self) -> Result<Option<Name>, Failure> {
        let Some(text) = &self.environment.instance else {
            return Ok(None);
        };
        let name = Name::parse(&text.to_string_lossy());
        name.map(Some)
            .map_err(|error| Failure::from(error).hint("IPC_INSTANCE holds the name"))
    }

    /// The folder of the project that an agent works in, as its host says, else where it started us.
    pub(crate) fn project(&self) -> Option<PathBuf> {
        let hinted = self.environment.project.clone();
        hinted.or_else(|| std::env::current_dir().ok())
    }

    /// The credentials kept here.
    pub(crate) fn agent_files(&self) -> AgentFiles {
        AgentFiles::new(self.data_dir.clone())
    }

    /// Fresh random bytes.
    pub(crate) fn random_bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill_bytes(&mut bytes);
        bytes
    }
}

/// Where the data directory is: `--data-dir`, `IPC_DATA_DIR`, or its place in the home directory.
pub(crate) fn root(globals: &Globals, environment: &Environment) -> Result<PathBuf, Failure> {
    let named = globals
        .data_dir
        .clone()
        .or_else(|| environment.data_dir.clone());
    let in_home = || {
        environment
            .home
            .as_ref()
            .map(|home| home.join(DEFAULT_DIRECTORY))
    };
    let root = named.or_else(in_home).ok_or_else(|| {
        Failure::usage("HOME is not set, so there is no place for the data")
            .hint("`--data-dir DIR` or IPC_DATA_DIR names one")
    })?;
    led_to(&root)
}

/// The absolute path of the same place without the links on the way there, as a home directory may have
/// them: SQLite is told to follow none, wherever it stands. The last part stays: a link there is refused.
pub(crate) fn led_to(path: &Path) -> Result<PathBuf, Failure> {
    let path = absolute(path)?;
    let above = path.ancestors().skip(1);
    let real = above.filter_map(|above| {
        let below = path.strip_prefix(above).ok()?;
        Some(above.canonicalize().ok()?.join(below))
    });
    let real = real.into_iter().next();
    Ok(real.unwrap_or(path))
}

/// The daemon runs in `/`: a path that it is told must not depend on where the command ran.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}
