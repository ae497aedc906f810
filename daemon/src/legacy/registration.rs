//! Registering over the old port: a name for whoever proves the shared secret as the predecessor's
//! clients do, unless an agent owns it.

use std::sync::Arc;

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::name::{InvalidName, Name};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::token::OldToken;
use super::wire::{Fields, Given, Refused};
use crate::actions::freeze;
use crate::audit::event::{AgentEnd, Entrance, Event, SessionEnd, Who};
use crate::daemon::Daemon;
use crate::error::{Done, Fault};
use crate::limits::REFUSAL_DELAY;
use crate::secrets;
use crate::store::adoption;
use crate::store::context::{Context, Effect};
use crate::store::credentials;
use crate::store::deliveries;
use crate::store::names::{self, Holder};
use crate::store::{agents, boundaries, verifiers};

/// Registers whoever sent `fields`.
pub(super) async fn register(fields: &Fields, daemon: &Arc<Daemon>) -> Result<Given, Refused> {
    let (Some(kid), Some(secret)) = (daemon.old_port.kid(), &daemon.old_port.secret) else {
        return Err(Refused::AUTH_TOKEN);
    };
    let denied = |refusal: &Refusal| {
        let audit = &daemon.shared.audit;
        audit.refused(refusal, "register", Who::OldPort(true));
    };
    let told = |refusal: Refusal| {
        denied(&refusal);
        daemon.shared.counters.refused(&refusal);
        Refused::from(refusal)
    };
    daemon.quotas.may_try_the_old_port().map_err(told)?;
    let instance_id = fields.text("instance_id")?;
    let name = Name::parse(instance_id).map_err(|error| match error {
        InvalidName::Shape => Refused::NAME,
        InvalidName::Reserved => Refused::RESERVED,
    })?;
    let proof = fields.text_if_any("auth_token")?.unwrap_or_default();
    if !secret.is_proved(instance_id, proof) {
        return Err(wrong_proof(daemon).await);
    }
    daemon.quotas.charge_enrolment().map_err(told)?;
    let uid = daemon.shared.gate.uid;
    let wanted = name.clone();
    let work = move |context: &mut Context<'_>| enrol(&wanted, &kid, uid, context);
    let enrolled = daemon.writer.run(work).await;
    let enrolled = enrolled.map_err(|error| {
        let refusal = error.told(&daemon.shared.counters);
        denied(&refusal);
        told_of(refusal, &name)
    })?;
    daemon.old_port.usage.of(enrolled.agent);
    let message = match enrolled.waiting {
        0 => format!("Registered {name}"),
        waiting => format!("Registered {name} with {waiting} queued messages"),
    };
    Ok(Given::Registered {
        session_token: enrolled.token,
        message,
    })
}

/// Counts a wrong proof against everybody at the port, and makes whoever tries many wait.
async fn wrong_proof(daemon: &Daemon) -> Refused {
    daemon.shared.counters.failed_authentication();
    daemon.shared.audit.note(Event::Denied {
        request: "register",
        code: ErrorCode::Unauthenticated,
        who: Who::OldPort(true),
    });
    if daemon.quotas.charge_failure_over_the_old_port() {
        tracing::warn!("a wrong proof over the old port");
    }
    sleep(REFUSAL_DELAY).await;
    Refused::AUTH_TOKEN
}

/// What a client is told of a registration that came to nothing.
fn told_of(refusal: Refusal, name: &Name) -> Refused {
    match refusal.code {
        // Not a word of sessions: it has none yet.
        ErrorCode::Unauthenticated => Refused(refusal.message),
        ErrorCode::NameInUse => Refused(
            format!(
                "{name} belongs to an agent that registered with `ipc`; choose another name, or \
                 register with `ipc register {name}`"
            )
            .into(),
        ),
        _ => refusal.into(),
    }
}

/// An agent, and its new token.
#[derive(Debug)]
struct Enrolled {
    agent: AgentId,
    token: Zeroizing<String>,
    waiting: u64,
}

/// Gives `name` a session under the secret `kid`; a former one of the old port is over.
fn enrol(name: &Name, kid: &str, uid: u32, context: &mut Context<'_>) -> Done<Enrolled> {
    if !verifiers::is_current(context.db, kid)? {
        let text = "The shared secret was changed after the daemon started: `ipc daemon restart`";
        return Err(Refusal::new(ErrorCode::Unauthenticated, text).into());
    }
    freeze::check_entrance(None, context)?;
    let agent = claim(name, context)?;
    freeze::check_entrance(Some(agent), context)?;
    credentials::void_sessions(context, agent, SessionEnd::TakenOver)?;
    let token = OldToken::random(context.rng);
    credentials::old_port::keep(context, token.sid(), token.verifier(), agent, kid, uid)?;
    agents::seen(context.db, agent, context.now.wall)?;
    context.effects.push(Effect::Audited(Event::SessionOpened {
        agent,
        name: Some(name.clone()),
        how: Entrance::OldPort,
        session: token.sid(),
        pid: None,
        program: None,
    }));
    Ok(Enrolled {
        agent,
        token: token.expose(),
        waiting: deliveries::waiting(context, agent)?.0,
    })
}

/// The agent that `name` is, or a new one that nobody owns.
fn claim(name: &Name, context: &mut Context<'_>) -> Done<AgentId> {
    match names::holder(context, name)? {
        Holder::Nobody => create(name, context),
        Holder::Alias { .. } => {
            let text = format!("{name} forwards to the instance that went by it");
            Err(Refusal::new(ErrorCode::NameReserved, text)
                .hint("choose another name, or wait until it no longer forwards")
                .into())
        }
        Holder::Agent(id) => {
            let holder = agents::find(context.db, id)?;
            let holder = holder.ok_or(Fault::Inconsistent("a name without an agent"))?;
            if holder.is_unowned() {
                // Whoever knows the secret may be this one now: it need not be whom others allowed.
                boundaries::distrust(context.db, id)?;
                return Ok(id);
            }
            if holder.is_forgotten(context)? {
                agents::end(context, id, AgentEnd::Forgotten)?;
                return create(name, context);
            }
            let text = "an agent of its own has this name";
            Err(Refusal::new(ErrorCode::NameInUse, text).into())
        }
    }
}

fn create(name: &Name, context: &mut Context<'_>) -> Done<AgentId> {
    secrets::screen_word("name", name.as_str(), context.secrets)?;
    let agent = agents::create_unowned(context)?;
    names::give(context.db, name, agent)?;
    adoption::adopt(context, name, agent)?;
    Ok(agent)
}
