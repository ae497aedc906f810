//! `notices`: whether a file of what waits is kept for the caller's agent.
//!
//! Here is only who wants one; `notice_files.rs` writes it.

use ipc_protocol::id::AgentId;
use ipc_protocol::message::AutoCheckMode;
use ipc_protocol::request::{NoticeReport, Notices, NoticesAction, NoticesReport, ReadsWith};

use super::sender;
use crate::caller::Caller;
use crate::error::Done;
use crate::store::context::{Context, Effect, View};
use crate::store::{names, notice_files, unread};

/// Does what the request says, and tells how it stands then.
pub(crate) fn notices(
    request: Notices,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<NoticesReport> {
    let agent = caller.agent();
    sender::of(context, agent)?;
    match request.action {
        NoticesAction::On => {
            notice_files::begin(context.db, agent, context.now.wall)?;
            // Once more where it is on: a file that was lost comes back.
            context.effects.push(Effect::NoticesOn(agent));
        }
        NoticesAction::Off => {
            notice_files::end(context.db, agent)?;
            context.effects.push(Effect::NoticesOff(agent));
        }
        NoticesAction::Status => {}
    }
    status(caller, context)
}

/// How it stands; nothing changes.
pub(crate) fn status(caller: &Caller, view: &View<'_>) -> Done<NoticesReport> {
    sender::of(view, caller.agent())?;
    let since_ms = notice_files::since(view.db, caller.agent())?;
    Ok(NoticesReport {
        on: since_ms.is_some(),
        since_ms,
    })
}

/// What the file of `agent` is to hold: one line, or nothing while nothing waits. No file at all
/// where none is kept.
pub(crate) fn line(agent: AgentId, view: &View<'_>) -> Done<Option<String>> {
    if notice_files::since(view.db, agent)?.is_none() {
        return Ok(None);
    }
    let (Some(name), Some(unread)) = (names::current(view.db, agent)?, unread::whole(view, agent)?)
    else {
        return Ok(Some(String::new()));
    };
    let report = NoticeReport {
        name,
        waiting: unread.number,
        senders: unread.senders,
        more_senders: unread.more_senders,
        newest: None,
        is_due: false,
        mode: AutoCheckMode::default(),
    };
    Ok(Some(format!("{}\n", report.sentence(ReadsWith::Tool))))
}
