//! `register`: claim a name with the secret, or come back to it with its own credential.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::SystemEvent;
use ipc_protocol::name::Name;
use ipc_protocol::process;
use ipc_protocol::request::{HostProcess as ClaimedHost, Register, Registered, WhenLive};
use ipc_protocol::token::{Sid, TokenKind};

use super::{admin, freeze, list};
use crate::audit::event::{AgentEnd, Entrance, Event, SessionEnd};
use crate::caller::{Caller, Newcomer, Peer};
use crate::config::NamePolicy;
use crate::error::{Done, Fault, expired, refuse};
use crate::host::HostProcess;
use crate::limits::SESSION_IDLE_MS;
use crate::store::adoption;
use crate::store::agents::{self, Agent};
use crate::store::boundaries;
use crate::store::context::{Context, Effect};
use crate::store::credentials::{self, Lifetime};
use crate::store::deliveries;
use crate::store::names::{self, Holder};

/// Names of others that the reply carries at most.
const ONLINE_NAMES: usize = 64;

/// An agent, and the caller that its connection is from now on.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) reply: Registered,
    pub(crate) caller: Caller,
    pub(crate) lifetime: Lifetime,
}

/// Registers `newcomer`, who speaks from `peer`.
pub(crate) fn register(
    request: &Register,
    newcomer: &Newcomer,
    peer: &Peer,
    context: &mut Context<'_>,
) -> Done<Enrolled> {
    let host = request.host.as_ref().and_then(|host| believed(host, peer));
    let program = request.host.as_ref().and_then(|host| host.program.clone());
    let peer = Peer {
        program,
        ..peer.clone()
    };
    let (agent, kid, how) = match newcomer {
        Newcomer::Secret(operator) => {
            admin::check_current(operator, context)?;
            let (agent, how) = claim(request, context)?;
            (agent, operator.kid().to_owned(), how)
        }
        Newcomer::Agent { agent, resume, kid } => {
            let how = come_back(request, *agent, *resume, host, context)?;
            (*agent, kid.clone(), how)
        }
    };
    enrol(context, agent, &kid, &peer, host, how)
}

/// Claims a name for a newcomer who knows only the secret.
fn claim(request: &Register, context: &mut Context<'_>) -> Done<(AgentId, Entrance)> {
    let name = &request.name;
    freeze::check_entrance(None, context)?;
    match names::holder(context, name)? {
        Holder::Nobody => create(request, context),
        Holder::Alias { until, .. } => {
            let text = format!("`{name}` forwards to the agent that went by it");
            let wait = until.millis_since(context.now.wall);
            Err(Refusal::new(ErrorCode::NameReserved, text)
                .hint("choose another name, or wait until it no longer forwards")
                .retry_after(wait.unsigned_abs())
                .into())
        }
        Holder::Agent(id) => {
            freeze::check_entrance(Some(id), context)?;
            let holder = find(context, id)?;
            if holder.is_unowned() {
                return Ok((first_enrolment(id, context)?, Entrance::FirstEnrolment));
            }
            if holder.is_live(context)? {
                return Err(in_use(name).into());
            }
            if holder.is_forgotten(context)? {
                agents::end(context, id, AgentEnd::Forgotten)?;
                return create(request, context);
            }
            // Without a credential (revoked, or lost with the key) nobody could ever come back.
            let owned = credentials::has_resume(context.db, id)?;
            if owned && context.names == NamePolicy::Credential {
                return Err(held(name).into());
            }
            Ok((reclaim(name, id, context)?, Entrance::Reclaimed))
        }
    }
}

fn create(request: &Register, context: &mut Context<'_>) -> Done<(AgentId, Entrance)> {
    let agent = agents::create(context, request.automatic)?;
    names::give(context.db, &request.name, agent)?;
    adoption::adopt(context, &request.name, agent)?;
    Ok((agent, Entrance::New))
}

/// Makes the agent that was imported, or that came over the old port, the newcomer's own: from now
/// on its credential owns the name, and what was registered over the old port is over.
fn first_enrolment(agent: AgentId, context: &mut Context<'_>) -> Done<AgentId> {
    credentials::void_all(context, agent, SessionEnd::TakenOver)?;
    boundaries::distrust(context.db, agent)?;
    agents::reincarnate(context.db, agent)?;
    Ok(agent)
}

/// Gives a held name and its mail to whoever knows the secret: the former owner is out, and all
/// are told.
fn reclaim(name: &Name, agent: AgentId, context: &mut Context<'_>) -> Done<AgentId> {
    credentials::void_all(context, agent, SessionEnd::TakenOver)?;
    agents::reincarnate(context.db, agent)?;
    boundaries::distrust(context.db, agent)?;
    tracing::warn!(%name, %agent, "a held name was claimed with the shared secret alone");
    let others = list::recent(context, Some(agent))?;
    deliveries::tell(
        context,
        &others,
        &SystemEvent::NameReclaimed { name: name.clone() },
    )?;
    Ok(agent)
}

/// Comes back to one's own agent.
fn come_back(
    request: &Register,
    id: AgentId,
    resume: Sid,
    host: Option<HostProcess>,
    context: &mut Context<'_>,
) -> Done<Entrance> {
    // Proved before, but what was proved may have been revoked since.
    if !credentials::exists(context.db, resume)? {
        return Err(expired().into());
    }
    freeze::check_entrance(Some(id), context)?;
    let agent = find(context, id)?;
    let own = match names::holder(context, &request.name)? {
        Holder::Agent(holder) | Holder::Alias { agent: holder, .. } => holder == id,
        Holder::Nobody => false,
    };
    if !own {
        return refuse(
            ErrorCode::Conflict,
            "this credential belongs to an agent of another name",
            "`ipc rename NEW` gives an agent another name",
        );
    }
    match request.when_live {
        WhenLive::Join => {}
        WhenLive::Refuse => {
            if agent.is_live(context)? && !shares_host(context, id, host)? {
                return Err(in_use(&request.name)
                    .hint("`--takeover` ends its other sessions; or choose another name")
                    .into());
            }
        }
        WhenLive::TakeOver => {
            credentials::void_sessions(context, id, SessionEnd::TakenOver)?;
            credentials::void(context, resume, SessionEnd::TakenOver)?;
            agents::reincarnate(context.db, id)?;
            return Ok(Entrance::TookOver);
        }
    }
    if let Some(host) = host {
        credentials::stand_for(context, resume, host)?;
    }
    Ok(Entrance::Resumed)
}

fn shares_host(context: &Context<'_>, id: AgentId, host: Option<HostProcess>) -> Done<bool> {
    let hosts = credentials::hosts(context, id)?;
    Ok(host.is_some_and(|host| hosts.contains(&host)))
}

/// Gives `agent` a session and says what it needs to know.
fn enrol(
    context: &mut Context<'_>,
    id: AgentId,
    kid: &str,
    peer: &Peer,
    host: Option<HostProcess>,
    how: Entrance,
) -> Done<Enrolled> {
    credentials::make_room(context, id)?;
    let (session, lifetime) = credentials::issue(context, TokenKind::Session, id, kid, peer, host)?;
    let resume = match how {
        Entrance::New
        | Entrance::FirstEnrolment
        | Entrance::Reclaimed
        | Entrance::TookOver
        | Entrance::OldPort => {
            Some(credentials::issue(context, TokenKind::Resume, id, kid, peer, host)?.0)
        }
        Entrance::Resumed | Entrance::Renewed => None,
    };
    context.effects.extend(host.map(Effect::HostStands));
    agents::seen(context.db, id, context.now.wall)?;
    let agent = find(context, id)?;
    let name = names::current(context.db, id)?.ok_or(Fault::Inconsistent("an agent, no name"))?;
    context.effects.push(Effect::Audited(Event::SessionOpened {
        agent: id,
        name: Some(name.clone()),
        how,
        session: session.sid(),
        pid: Some(peer.pid),
        program: peer.program.clone(),
    }));
    let online = list::online_names(context, id, ONLINE_NAMES)?;
    let reply = Registered {
        agent_id: id,
        name,
        incarnation: agent.incarnation,
        idle_s: u32::try_from(SESSION_IDLE_MS / 1_000).unwrap_or(u32::MAX),
        abs_expires_ms: lifetime
            .expires
            .ok_or(Fault::Inconsistent("a session, no end"))?,
        waiting: deliveries::waiting(context, id)?.0,
        online,
        resume,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        session,
    };
    let caller = Caller::new(id, reply.session.sid(), peer.clone());
    Ok(Enrolled {
        reply,
        caller,
        lifetime,
    })
}

fn find(context: &Context<'_>, id: AgentId) -> Done<Agent> {
    Ok(agents::find(context.db, id)?.ok_or(Fault::Inconsistent("a name without an agent"))?)
}

/// The process that is said to stand for the agent, if it is an ancestor of the one that says so.
fn believed(claimed: &ClaimedHost, peer: &Peer) -> Option<HostProcess> {
    let lineage = process::lineage(peer.pid);
    // A lineage that begins with another process means that the peer has gone and its id is used
    // again.
    let own = lineage
        .first()
        .filter(|own| Some(own.start_ticks) == peer.start_ticks)?;
    let ancestor = lineage
        .iter()
        .find(|f| f.pid == claimed.pid && f.start_ticks <= own.start_ticks)?;
    Some(HostProcess {
        pid: ancestor.pid,
        start_ticks: ancestor.start_ticks,
    })
}

fn in_use(name: &Name) -> Refusal {
    Refusal::new(ErrorCode::NameInUse, format!("`{name}` is live elsewhere")).hint(format!(
        "choose another name, for example `{}`",
        variant(name)
    ))
}

fn held(name: &Name) -> Refusal {
    Refusal::new(
        ErrorCode::NameReserved,
        format!("`{name}` is held for an agent that is offline"),
    )
    .hint(format!(
        "choose another name, or free it with `ipc admin release {name}`"
    ))
}

/// A name like `name` that may be free.
fn variant(name: &Name) -> String {
    let stem: String = name.as_str().chars().take(30).collect();
    format!("{stem}-2")
}
