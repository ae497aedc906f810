//! Coming back: by the session that the command line, hooks and shim share, else by the resume
//! credential, which makes a new session for all of them.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use ipc_protocol::auth::Credential;
use ipc_protocol::client::{
    AgentFiles, AgentLock, AgentRecord, Client, Connection, HostRecord, StoredSession,
    connect_within,
};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Register, Registered, WhenLive};
use ipc_protocol::token::Sid;

use super::host::host_now;
use super::{Front, mailbox, taken_over_hint};
use crate::autostart;
use crate::clock;
use crate::context::Context;
use crate::failure::Failure;

/// Connections that one proof may take: a daemon that leaves may take one, and leave another in
/// its queue; the next one finds nobody and starts the daemon anew.
const ATTEMPTS: u32 = 4;

/// How long a daemon may take to take a connection, and to answer, for somebody in a hurry: it
/// answers in a millisecond, and a host waits for its hooks.
const HURRY: Duration = Duration::from_millis(250);

/// A way to prove a credential: to which daemon, and whether one is started.
pub(super) type Prove = fn(&mut Context, &Credential) -> Result<Client<UnixStream>, Failure>;

/// Proves `credential` to the daemon, which is started if need be.
pub(crate) fn prove(
    context: &mut Context,
    credential: &Credential,
) -> Result<Client<UnixStream>, Failure> {
    let mut left = ATTEMPTS;
    loop {
        left = left.saturating_sub(1);
        match prove_over(context, credential, autostart::reach) {
            Err(failure) if failure.is_lost && left > 0 => {}
            other => return other,
        }
    }
}

/// Proves `credential` to the daemon that runs.
pub(crate) fn prove_running(
    context: &mut Context,
    credential: &Credential,
) -> Result<Client<UnixStream>, Failure> {
    prove_over(context, credential, |context| {
        Ok(autostart::try_connect(context)?)
    })
}

fn prove_over(
    context: &mut Context,
    credential: &Credential,
    connect: fn(&Context) -> Result<Connection, Failure>,
) -> Result<Client<UnixStream>, Failure> {
    let connection = connect(context)?;
    let nonce = context.random_bytes();
    Ok(Client::open(connection, credential, nonce)?)
}

/// Proves `credential` to the daemon that runs, if it answers at once.
fn prove_at_once(
    context: &mut Context,
    credential: &Credential,
) -> Result<Client<UnixStream>, Failure> {
    prove_over(context, credential, |context| {
        let (socket, any_pid) = (context.data_dir.socket(), context.environment.any_pid);
        Ok(connect_within(socket, any_pid, HURRY)?)
    })
}

/// How the daemon and the agent's file are reached.
#[derive(Clone, Copy)]
struct Means {
    prove: Prove,
    /// Whether to wait for whoever has the file.
    waits: bool,
}

/// Opens a connection for the agent of `record`; starts the daemon if need be.
pub(crate) fn open(context: &mut Context, record: AgentRecord) -> Result<Front, Failure> {
    let waits = true;
    open_by(context, record, Means { prove, waits })
}

/// The same to a daemon that runs: none is started.
pub(crate) fn open_running(context: &mut Context, record: AgentRecord) -> Result<Front, Failure> {
    let means = Means {
        prove: prove_running,
        waits: true,
    };
    open_by(context, record, means)
}

/// The same for somebody whom nothing may hold up: no daemon is started, nobody is waited for.
pub(crate) fn open_at_once(context: &mut Context, record: AgentRecord) -> Result<Front, Failure> {
    let means = Means {
        prove: prove_at_once,
        waits: false,
    };
    open_by(context, record, means)
}

fn open_by(context: &mut Context, record: AgentRecord, means: Means) -> Result<Front, Failure> {
    let AgentRecord {
        agent_id,
        name,
        session,
        ..
    } = record;
    let Some(session) = session.filter(is_good_for_now) else {
        return come_back(context, &name, None, means);
    };
    let tried = session.token.sid();
    match (means.prove)(context, &Credential::Token(session.token)) {
        Ok(client) => Ok(Front {
            agent_id,
            name,
            client,
        }),
        Err(failure) if failure.is_stale_credential() => {
            come_back(context, &name, Some(tried), means)
        }
        Err(failure) => Err(taken_over_hint(failure, &name)),
    }
}

fn is_good_for_now(session: &StoredSession) -> bool {
    session.abs_expires_ms > clock::now()
}

/// Makes a new session with the resume credential, under the lock of the agent's file, and keeps
/// it for everybody who acts for the agent. `tried` is the session that is no good.
fn come_back(
    context: &mut Context,
    name: &Name,
    tried: Option<Sid>,
    means: Means,
) -> Result<Front, Failure> {
    let files = context.agent_files();
    let lock = if means.waits {
        files.lock(name)?
    } else {
        files.try_lock(name)?
    };
    let record = lock.read()?.ok_or_else(|| mailbox::not_kept(name))?;
    let agent_id = record.agent_id;
    // Somebody else may have come back while we waited for the lock: their session is ours too.
    if let Some(session) = record.session.filter(is_good_for_now)
        && Some(session.token.sid()) != tried
    {
        let token = Credential::Token(session.token);
        match (means.prove)(context, &token) {
            Ok(client) => {
                return Ok(Front {
                    agent_id,
                    name: record.name,
                    client,
                });
            }
            Err(failure) if failure.is_stale_credential() => {}
            Err(failure) => return Err(taken_over_hint(failure, name)),
        }
    }
    let mut client = (means.prove)(context, &Credential::Token(record.resume))
        .map_err(|failure| refused_resume(failure, name))?;
    let (host, host_record) = host_now(context.unknown_host, record.host);
    let request = Register {
        name: record.name,
        when_live: WhenLive::Join,
        automatic: false,
        host,
    };
    let registered = client.call(&request)?;
    let name = registered.name.clone();
    keep(&files, &lock, registered, host_record, None)?;
    Ok(Front {
        agent_id,
        name,
        client,
    })
}

/// What is said when not even the resume credential is good.
pub(super) fn refused_resume(failure: Failure, name: &Name) -> Failure {
    if failure.is_stale_credential() {
        let text = format!("the credentials kept here for {name} are no longer good");
        return Failure {
            message: text,
            ..failure
        }
        .hint(format!("`ipc register {name}`"));
    }
    taken_over_hint(failure, name)
}

/// Keeps what a registration gave. The resume credential is the one in the file unless a new one
/// came, and so is the project; an agent that goes by another name by now gets a file of that name,
/// and a pointer here.
pub(super) fn keep(
    files: &AgentFiles,
    lock: &AgentLock<'_>,
    registered: Registered,
    host: Option<HostRecord>,
    project: Option<PathBuf>,
) -> Result<(), Failure> {
    let kept = lock.read()?;
    let is_here = kept
        .as_ref()
        .is_none_or(|kept| kept.name.same_as(&registered.name));
    let (kept_resume, kept_project) = kept.map(|kept| (kept.resume, kept.project)).unzip();
    let resume = registered.resume.or(kept_resume);
    let resume = resume.ok_or_else(|| Failure::local("the daemon gave no credential to keep"))?;
    let name = registered.name;
    let record = AgentRecord {
        agent_id: registered.agent_id,
        name: name.clone(),
        resume,
        session: Some(StoredSession {
            token: registered.session,
            abs_expires_ms: registered.abs_expires_ms,
        }),
        host,
        project: project.or_else(|| kept_project.flatten()),
    };
    if is_here {
        return Ok(lock.write(record)?);
    }
    files.lock(&name)?.write(record)?;
    Ok(lock.write_moved(name)?)
}
