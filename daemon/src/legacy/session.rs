//! Whose a session token is, at the one place that makes callers of the old port.

use std::sync::Arc;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::token::{Sid, TokenKind};
use subtle::ConstantTimeEq;

use super::token::OldToken;
use super::wire::Refused;
use crate::audit::event::{Event, Who};
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::error::Done;
use crate::shared::Shared;
use crate::store::context::View;
use crate::store::credentials;
use crate::store::names::{self, Holder};

/// The agent that `token` was issued to. Where the request says `claimed`, that must be what the
/// agent is called, or was until a rename that still forwards.
pub(super) async fn caller(
    token: &str,
    claimed: Option<&str>,
    daemon: &Daemon,
) -> Result<Caller, Refused> {
    let token = OldToken::parse(token).ok_or(Refused::SESSION)?;
    let sid = token.sid();
    let claimed = claimed.map(Name::parse);
    let shared = Arc::clone(&daemon.shared);
    let question = move |view: &View<'_>| {
        let Some(agent) = agent_of(&token, &shared, view)? else {
            return Ok(Err(Refused::SESSION));
        };
        let agrees = match claimed {
            None => true,
            Some(Ok(name)) => has_name(agent, &name, view)?,
            Some(Err(_)) => false,
        };
        Ok(agrees.then_some(agent).ok_or(Refused::SUBJECT))
    };
    let found = daemon.reader.run(question).await;
    let found = found.map_err(|error| Refused::from(error.told(&daemon.shared.counters)))?;
    if found == Err(Refused::SESSION) {
        daemon.shared.counters.failed_authentication();
        daemon.shared.audit.note(Event::Denied {
            request: "authenticate",
            code: ErrorCode::Unauthenticated,
            who: Who::OldPort(true),
        });
    }
    let agent = found?;
    note_use(agent, sid, daemon);
    Ok(Caller::over_the_old_port(agent, sid))
}

/// The agent that `token` was issued to, if it is still good. Its expiry is told to nobody.
fn agent_of(token: &OldToken, shared: &Shared, view: &View<'_>) -> Done<Option<AgentId>> {
    let offered = token.verifier();
    let Some(kept) = credentials::find(view.db, &shared.key, token.sid())? else {
        return Ok(None);
    };
    let is_right = kept.verifier.stored_key.ct_eq(&offered.stored_key);
    if kept.kind != TokenKind::Session || !bool::from(is_right) {
        return Ok(None);
    }
    let stored = kept.lifetime.last_used;
    let last_used = view.presence.session_used(token.sid(), stored);
    let is_good = kept.lifetime.is_good(view.now, view.boot_id, last_used);
    Ok(is_good.then_some(kept.agent))
}

fn has_name(agent: AgentId, name: &Name, view: &View<'_>) -> Done<bool> {
    Ok(match names::holder(view, name)? {
        Holder::Agent(holder) | Holder::Alias { agent: holder, .. } => holder == agent,
        Holder::Nobody => false,
    })
}

fn note_use(agent: AgentId, sid: Sid, daemon: &Daemon) {
    let now = daemon.shared.clock.now().wall;
    daemon.shared.presence.used(agent, sid, now);
    daemon.old_port.usage.of(agent);
}
