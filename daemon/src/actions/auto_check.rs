//! `auto_check`: when the caller's agent is told of waiting mail.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::limits::AUTO_CHECK_MINUTES;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{AutoCheck, AutoCheckAction, AutoCheckReport};

use super::notice::{Due, when};
use super::sender;
use crate::caller::Caller;
use crate::error::{Done, refuse};
use crate::store::context::{Context, Effect, View};
use crate::store::{auto_checks, unread};

/// Does what the request says, and tells how it stands then.
pub(crate) fn auto_check(
    request: &AutoCheck,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<AutoCheckReport> {
    sender::of(context, caller.agent())?;
    if let Some(mode) = chosen(request)? {
        let (agent, now) = (caller.agent(), context.now.wall);
        auto_checks::choose(context.db, agent, mode, request.minutes, now)?;
        context.effects.push(Effect::AutoCheckChosen(agent));
    }
    report(caller, context)
}

/// How it stands; nothing changes.
pub(crate) fn status(
    request: &AutoCheck,
    caller: &Caller,
    view: &View<'_>,
) -> Done<AutoCheckReport> {
    sender::of(view, caller.agent())?;
    chosen(request)?;
    report(caller, view)
}

/// The mode that the request chooses, if any.
fn chosen(request: &AutoCheck) -> Done<Option<AutoCheckMode>> {
    match (request.action, request.minutes) {
        (AutoCheckAction::Start, Some(minutes)) if AUTO_CHECK_MINUTES.contains(&minutes) => {
            Ok(Some(AutoCheckMode::Every))
        }
        (AutoCheckAction::Start, Some(_) | None) => refuse(
            ErrorCode::Malformed,
            "`start` takes 1 to 60 minutes",
            "for example: `ipc auto-check start 5`",
        ),
        (AutoCheckAction::Arrival | AutoCheckAction::Stop | AutoCheckAction::Status, Some(_)) => {
            refuse(
                ErrorCode::Malformed,
                "only `start` takes minutes",
                "for example: `ipc auto-check start 5`",
            )
        }
        (AutoCheckAction::Arrival, None) => Ok(Some(AutoCheckMode::Arrival)),
        (AutoCheckAction::Stop, None) => Ok(Some(AutoCheckMode::Off)),
        (AutoCheckAction::Status, None) => Ok(None),
    }
}

fn report(caller: &Caller, view: &View<'_>) -> Done<AutoCheckReport> {
    let row = auto_checks::find(view.db, caller.agent())?;
    let unread = unread::of(view, caller.agent())?;
    let now = view.now.wall;
    let next_ms = match unread.map(|unread| when(&row, &unread, now)) {
        Some(Due::Now) => Some(now),
        Some(Due::At(at)) => Some(at),
        Some(Due::NotOfThis) | None => None,
    };
    Ok(AutoCheckReport {
        mode: row.mode,
        minutes: row.minutes,
        started_ms: row.started,
        last_told_ms: row.told,
        next_ms,
    })
}
