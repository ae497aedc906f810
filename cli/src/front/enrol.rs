//! Getting a name: by the credential kept under exactly that name, else by the shared secret.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::private;
use ipc_protocol::request::{Describe, Register, Registered, WhenLive};
use ipc_protocol::time::Timestamp;
use serde::Serialize;

use super::host::own_host;
use super::{secret, session, taken_over_hint};
use crate::autostart;
use crate::context::Context;
use crate::failure::Failure;
use crate::place;

/// What a registration says, without the credentials in it.
#[derive(Debug, Serialize)]
pub(crate) struct Enrolled {
    /// The agent.
    pub(crate) agent_id: AgentId,
    /// What it is called.
    pub(crate) name: Name,
    /// How often its name has been taken over or released.
    pub(crate) incarnation: u32,
    /// Messages that wait.
    pub(crate) waiting: u64,
    /// The names of the others that are live or online.
    pub(crate) online: Vec<Name>,
    /// When the session ends in any case.
    pub(crate) session_expires_ms: Timestamp,
}

impl From<&Registered> for Enrolled {
    fn from(registered: &Registered) -> Self {
        Self {
            agent_id: registered.agent_id,
            name: registered.name.clone(),
            incarnation: registered.incarnation,
            waiting: registered.waiting,
            online: registered.online.clone(),
            session_expires_ms: registered.abs_expires_ms,
        }
    }
}

/// Which name to take up, and for whom.
#[derive(Debug)]
pub(crate) struct Claim<'a> {
    /// The name.
    pub(crate) name: &'a Name,
    /// What to do when its agent is live elsewhere.
    pub(crate) when_live: WhenLive,
    /// Whether a program chose it.
    pub(crate) automatic: bool,
    /// The folder of the project that the agent works in, where its host says so.
    pub(crate) project: Option<PathBuf>,
    /// What the agent says of itself with it.
    pub(crate) says: Describe,
}

/// Registers as `name` and keeps what there is to come back with.
pub(crate) fn enrol(
    context: &mut Context,
    name: &Name,
    when_live: WhenLive,
    says: Describe,
) -> Result<Enrolled, Failure> {
    let claim = Claim {
        name,
        when_live,
        automatic: false,
        project: None,
        says,
    };
    register(context, claim)
}

/// Registers as `claim` says and keeps what there is to come back with.
pub(crate) fn register(context: &mut Context, claim: Claim<'_>) -> Result<Enrolled, Failure> {
    let name = claim.name;
    drop(private::ensure_directory(context.data_dir.root())?);
    let files = context.agent_files();
    let lock = files.lock(name)?;
    let (host, host_record) = own_host(context.unknown_host).unzip();
    let request = Register {
        name: name.clone(),
        when_live: claim.when_live,
        automatic: claim.automatic,
        host,
    };
    let mut client = match lock.read()? {
        Some(record) => prove_either(context, &Credential::Token(record.resume), name)?,
        None => prove_secret(context)?,
    };
    let registered = client
        .call(&request)
        .map_err(|error| explain(error, name))?;
    note_other_version(context, &registered.version);
    let enrolled = Enrolled::from(&registered);
    let directory = claim.project.clone().or_else(|| context.project());
    session::keep(&files, &lock, registered, host_record, claim.project)?;
    let place = directory.and_then(|directory| place::of(&directory));
    let says = Describe {
        place,
        ..claim.says
    };
    describe(&mut client, &says, context)?;
    Ok(enrolled)
}

/// Says what there is to say of the agent. It has its name and its file by now: what an older
/// daemon does not keep is not worth losing them.
fn describe(
    client: &mut Client<UnixStream>,
    says: &Describe,
    context: &Context,
) -> Result<(), Failure> {
    let is_asked_for = says.summary.is_some() || says.capabilities.is_some();
    let Err(error) = client.call(says) else {
        return Ok(());
    };
    let failure = Failure::from(error);
    if is_asked_for && failure.code != Some(ErrorCode::UnsupportedVersion) {
        return Err(failure);
    }
    if is_asked_for {
        context.screen.note(
            "note: the daemon is older and keeps no summary and no capabilities\n\
             hint: `ipc daemon restart` runs the newer one",
        );
    }
    Ok(())
}

/// Says that the daemon is of another version than this program: here, and not at every command.
fn note_other_version(context: &Context, version: &str) {
    let own = env!("CARGO_PKG_VERSION");
    if !version.is_empty() && version != own {
        context.screen.note(&format!(
            "note: the daemon is version {version}, this program is {own}\n\
             hint: `ipc daemon restart` makes them the same"
        ));
    }
}

/// A credential that was revoked or whose name was released says no more than the secret does.
fn prove_either(
    context: &mut Context,
    resume: &Credential,
    name: &Name,
) -> Result<Client<UnixStream>, Failure> {
    match session::prove(context, resume) {
        Err(failure) if failure.is_stale_credential() => prove_secret(context),
        other => other.map_err(|failure| taken_over_hint(failure, name)),
    }
}

/// Proves the shared secret to the daemon, which is started if need be.
pub(crate) fn prove_secret(context: &mut Context) -> Result<Client<UnixStream>, Failure> {
    // The first daemon ever makes the secret, so it must run before the secret is looked for.
    if secret::find(context)?.is_none() {
        drop(autostart::reach(context)?);
    }
    let credential = secret::require(context)?;
    session::prove(context, &credential).map_err(refused_secret)
}

fn refused_secret(failure: Failure) -> Failure {
    if failure.is_stale_credential() {
        return failure.hint(
            "the secret (IPC_SHARED_SECRET, else the file `secret`) is not the one that this \
             deployment was made with; `ipc admin rotate-secret` changes it",
        );
    }
    failure
}

fn explain(error: ClientError, name: &Name) -> Failure {
    let failure = Failure::from(error);
    match failure.code {
        Some(ErrorCode::NameInUse) => {
            failure.hint_if_none(format!("`ipc register {name} --takeover`, or another name"))
        }
        _ => failure,
    }
}
