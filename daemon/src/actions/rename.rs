//! `rename`: go by another name; the old one forwards for two hours.
//!
//! The subject is the caller, always: no request can rename somebody else.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::message::SystemEvent;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Rename, Renamed};

use super::{boundaries, list, sender};
use crate::audit::event::{AgentEnd, Event};
use crate::caller::Caller;
use crate::error::{Done, Fault};
use crate::limits::ALIAS_MS;
use crate::store::adoption;
use crate::store::agents::{self, Agent};
use crate::store::context::{Context, Effect};
use crate::store::deliveries;
use crate::store::names::{self, Holder};

/// Gives the caller's agent another name, with all that hangs on it, in one transaction.
pub(crate) fn rename(
    request: &Rename,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<Renamed> {
    let id = caller.agent();
    let old = sender::of(context, id)?.name;
    let new = &request.new_name;
    if old.same_as(new) {
        names::give(context.db, new, id)?;
        return Ok(Renamed {
            old_name: old,
            name: new.clone(),
            forwards_until_ms: None,
            adopted: 0,
            told: 0,
        });
    }
    let agent = agents::find(context.db, id)?.ok_or(Fault::Inconsistent("a name, no agent"))?;
    check_cooldown(&agent, context)?;
    check_free(new, caller, context)?;
    let until = context.now.wall.plus_millis(ALIAS_MS);
    names::turn_into_alias(context.db, id, until)?;
    names::give(context.db, new, id)?;
    agents::renamed(context.db, id, context.now.wall)?;
    boundaries::apply_to_waiting(context, new, id)?;
    context.effects.push(Effect::MailboxChanged(id));
    context.effects.push(Effect::Audited(Event::Renamed {
        agent: id,
        old: old.clone(),
        new: new.clone(),
    }));
    let adopted = adoption::adopt(context, new, id)?;
    let others = list::recent(context, Some(id))?;
    let event = SystemEvent::Renamed {
        old: old.clone(),
        new: new.clone(),
    };
    deliveries::tell(context, &others, &event)?;
    Ok(Renamed {
        old_name: old,
        name: new.clone(),
        forwards_until_ms: Some(until),
        adopted: u64::try_from(adopted).unwrap_or(u64::MAX),
        told: u64::try_from(others.len()).unwrap_or(u64::MAX),
    })
}

/// A name that a program chose may be changed at once; any other once in a while.
fn check_cooldown(agent: &Agent, context: &Context<'_>) -> Result<(), Refusal> {
    let cooldown_ms = i64::from(context.limits.rename_cooldown_s).saturating_mul(1_000);
    let Some(renamed) = agent.renamed.filter(|_| !agent.automatic) else {
        return Ok(());
    };
    let since_ms = context.now.wall.millis_since(renamed);
    if !(0..cooldown_ms).contains(&since_ms) {
        return Ok(());
    }
    let wait = cooldown_ms.saturating_sub(since_ms).unsigned_abs();
    Err(Refusal::new(
        ErrorCode::RateLimited,
        "this agent was renamed a short while ago",
    )
    .hint("`rename_cooldown_s` under `[limits]` in config.toml sets how long that is")
    .retry_after(wait))
}

/// The new name must be nobody's, or an old one of the caller's own.
fn check_free(new: &Name, caller: &Caller, context: &mut Context<'_>) -> Done<()> {
    match names::holder(context, new)? {
        Holder::Nobody => Ok(()),
        Holder::Alias { agent, .. } if agent == caller.agent() => Ok(()),
        Holder::Alias { until, .. } => {
            let text = format!("`{new}` forwards to the agent that went by it");
            let wait = until.millis_since(context.now.wall).unsigned_abs();
            Err(Refusal::new(ErrorCode::NameReserved, text)
                .hint("choose another name")
                .retry_after(wait)
                .into())
        }
        Holder::Agent(id) => {
            let agent = agents::find(context.db, id)?;
            let agent = agent.ok_or(Fault::Inconsistent("a name without an agent"))?;
            if agent.is_forgotten(context)? {
                agents::end(context, id, AgentEnd::Forgotten)?;
                return Ok(());
            }
            let text = format!("another agent has the name `{new}`");
            Err(Refusal::new(ErrorCode::NameInUse, text)
                .hint("choose another name")
                .into())
        }
    }
}
