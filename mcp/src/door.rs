//! The way to the daemon, as this crate needs it: whoever runs the server brings one.

use std::os::unix::net::UnixStream;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::Renamed;

use crate::failure::Failure;

/// Which name to take up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// The configured one, else one made from the project's folder.
    Automatic,
    /// This one.
    Chosen {
        /// The name.
        name: Name,
        /// Whether to end the sessions of whoever has it now, with its own credential.
        takeover: bool,
    },
}

/// What taking up a name gives.
#[derive(Debug)]
pub struct Enrolment {
    /// The agent.
    pub agent_id: AgentId,
    /// How often its name has been taken over or claimed anew.
    pub incarnation: u32,
    /// What it is called.
    pub name: Name,
    /// Whether a program chose the name.
    pub automatic: bool,
    /// Messages that wait.
    pub waiting: u64,
    /// The names of others that are there.
    pub online: Vec<Name>,
    /// A session of our own.
    pub session: Credential,
    /// A connection on which it is proved.
    pub client: Client<UnixStream>,
}

/// A file that may be shared, and was read.
#[derive(Debug)]
pub struct SharedFile {
    /// Its path beneath the directory that it is shared from, without hidden characters.
    pub path: String,
    /// What it holds; never empty.
    pub text: String,
}

/// The way to the daemon. All of it may block: on files, on the daemon, on its start.
pub trait Door: Send + Sync + 'static {
    /// Takes up a name, with a session of its own.
    ///
    /// # Errors
    /// [`Failure`], with the daemon's code where it says no.
    fn enrol(&self, wish: &Wish) -> Result<Enrolment, Failure>;

    /// Comes back to the agent once called `name` with the credential that is kept for it.
    ///
    /// # Errors
    /// As [`Door::enrol`].
    fn rejoin(&self, name: &Name) -> Result<Enrolment, Failure>;

    /// Whether a credential is kept here for an agent called `name`.
    fn knows(&self, name: &Name) -> bool;

    /// Proves `session` on another connection; starts the daemon if none runs.
    ///
    /// # Errors
    /// As [`Door::enrol`].
    fn connect(&self, session: &Credential) -> Result<Client<UnixStream>, Failure>;

    /// The same to a daemon that runs, for whoever waits: one that said that it stops may have been
    /// stopped on purpose.
    ///
    /// # Errors
    /// As [`Door::enrol`].
    fn connect_running(&self, session: &Credential) -> Result<Client<UnixStream>, Failure>;

    /// Has the agent of `session`, once called `name`, go by another name, here too.
    ///
    /// # Errors
    /// As [`Door::enrol`].
    fn rename(&self, session: &Credential, name: &Name, new_name: Name)
    -> Result<Renamed, Failure>;

    /// Gives up the name of an agent that has no use any more, here too.
    ///
    /// # Errors
    /// As [`Door::enrol`].
    fn leave(&self, session: &Credential, agent_id: AgentId, name: &Name) -> Result<(), Failure>;

    /// Reads the file at `path` if a person has allowed it to be shared.
    ///
    /// # Errors
    /// [`Failure`] says why not.
    fn shared_file(&self, path: &str) -> Result<SharedFile, Failure>;

    /// Switches the notices of the agent of `session` in the project's CLAUDE.md on or off; what
    /// to say of it.
    ///
    /// # Errors
    /// As [`Door::enrol`], and those of the file.
    fn switch_notices(
        &self,
        session: &Credential,
        agent_id: AgentId,
        on: bool,
    ) -> Result<String, Failure>;

    /// What a failed call means, with what helps.
    fn explain(&self, error: ClientError) -> Failure;

    /// Where files of this deployment are.
    fn data_dir(&self) -> &DataDir;

    /// 16 random bytes.
    fn random(&self) -> [u8; 16];
}
