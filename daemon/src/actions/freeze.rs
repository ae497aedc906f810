//! `admin_freeze` and `admin_thaw`: stop an agent, or everybody, and let it go on.
//!
//! A frozen agent is refused everything but `whoami` and `status`, on every connection and at once;
//! what waits is woken and refused. Nothing of its is lost: mail to it is stored, its sessions and its
//! name are kept. Thawing everybody leaves those frozen who were frozen by name.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::request::{AdminFreeze, AdminThaw, FrozenReport};

use super::admin::{self, Target};
use crate::audit::event::{Event, Whom};
use crate::caller::Operator;
use crate::error::Done;
use crate::store::context::{Context, Effect, View};
use crate::store::freezes;

/// Freezes whom the request names, and says who is frozen then.
pub(crate) fn freeze(
    request: &AdminFreeze,
    operator: &Operator,
    context: &mut Context<'_>,
) -> Done<FrozenReport> {
    admin::check_current(operator, context)?;
    let Some(named) = &request.agent else {
        return report(false, context);
    };
    let now = context.now.wall;
    let (changed, agent, whom) = match admin::target(named, context)? {
        Target::Agent(agent) => {
            let changed = freezes::freeze(context.db, agent, now)?;
            (changed, Some(agent), Whom::Agent(agent))
        }
        Target::Everybody => {
            let changed = freezes::freeze_everybody(context.db, now)?;
            (changed, None, Whom::Everybody(true))
        }
    };
    let pid = operator.pid();
    if changed {
        context.effects.push(Effect::Froze(agent));
        context
            .effects
            .push(Effect::Audited(Event::Frozen { whom, pid }));
        tracing::info!(agent = ?request.agent, "frozen by an operator");
    }
    report(changed, context)
}

/// Lets whom the request names go on, and says who is frozen then.
pub(crate) fn thaw(
    request: &AdminThaw,
    operator: &Operator,
    context: &mut Context<'_>,
) -> Done<FrozenReport> {
    admin::check_current(operator, context)?;
    let (changed, agent, whom) = match admin::target(&request.agent, context)? {
        Target::Agent(agent) => {
            let changed = freezes::thaw(context.db, agent)?;
            (changed, Some(agent), Whom::Agent(agent))
        }
        Target::Everybody => {
            let changed = freezes::thaw_everybody(context.db)?;
            (changed, None, Whom::Everybody(true))
        }
    };
    let pid = operator.pid();
    if changed {
        context.effects.push(Effect::Thawed(agent));
        context
            .effects
            .push(Effect::Audited(Event::Thawed { whom, pid }));
        tracing::info!(agent = ?request.agent, "thawed by an operator");
    }
    report(changed, context)
}

fn report(changed: bool, view: &View<'_>) -> Done<FrozenReport> {
    Ok(FrozenReport {
        changed,
        everybody: freezes::everybody(view.db)?,
        agents: freezes::rows(view.db)?,
    })
}

/// Refuses whoever comes while everybody is frozen, and whoever comes back as a frozen agent: nobody
/// gets out of a freeze by another session or another name.
pub(crate) fn check_entrance(agent: Option<AgentId>, view: &View<'_>) -> Done<()> {
    if freezes::everybody(view.db)? {
        return Err(
            Refusal::new(ErrorCode::Frozen, "an operator has frozen everybody")
                .hint("nobody comes in before `ipc admin thaw --all`")
                .into(),
        );
    }
    match agent {
        Some(agent) if freezes::by_itself(view.db, agent)? => {
            Err(crate::store::credentials::frozen().into())
        }
        Some(_) | None => Ok(()),
    }
}
