//! `renew` and `revoke`: the session of this connection.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Renew, Renewed, Revoke, SessionRevoked};
use ipc_protocol::token::TokenKind;

use crate::audit::event::{Entrance, Event, SessionEnd};
use crate::caller::Caller;
use crate::error::{Done, Fault, refuse};
use crate::limits::RENEW_GRACE_MS;
use crate::store::context::{Context, Effect};
use crate::store::credentials;

/// Rotates the caller's session: a new token, the old one good for a minute more. The new one ends
/// when the old one would have: whoever stole a session cannot keep it for ever.
pub(crate) fn renew(_: &Renew, caller: &Caller, context: &mut Context<'_>) -> Done<Renewed> {
    let Some(peer) = caller.peer() else {
        return refuse(
            ErrorCode::Forbidden,
            "a session of the old port is not renewed",
            "register again",
        );
    };
    let old = credentials::find(context.db, context.key, caller.session())?;
    let old = old.ok_or_else(|| Refusal::new(ErrorCode::Expired, "this session is over"))?;
    let (kid, host, ends) = (old.kid.clone(), old.host(), old.lifetime.expires);
    let grace = context.now.wall.plus_millis(RENEW_GRACE_MS);
    credentials::shorten(context, old, grace)?;
    credentials::make_room(context, caller.agent())?;
    let (session, lifetime) = credentials::issue(
        context,
        TokenKind::Session,
        caller.agent(),
        &kid,
        peer,
        host,
    )?;
    let abs_expires_ms = lifetime.expires.min(ends);
    let abs_expires_ms = abs_expires_ms.ok_or(Fault::Inconsistent("a session, no end"))?;
    let new = credentials::find(context.db, context.key, session.sid())?;
    let new = new.ok_or(Fault::Inconsistent("a session that was not stored"))?;
    credentials::shorten(context, new, abs_expires_ms)?;
    context.effects.push(Effect::Audited(Event::SessionOpened {
        agent: caller.agent(),
        name: None,
        how: Entrance::Renewed,
        session: session.sid(),
        pid: Some(peer.pid),
        program: peer.program.clone(),
    }));
    Ok(Renewed {
        session,
        abs_expires_ms,
    })
}

/// Ends the caller's session, or all sessions of its agent.
pub(crate) fn revoke(
    request: &Revoke,
    caller: &Caller,
    context: &mut Context<'_>,
) -> Done<SessionRevoked> {
    let sessions = if request.all {
        credentials::void_sessions(context, caller.agent(), SessionEnd::Revoked)?
    } else {
        credentials::void(context, caller.session(), SessionEnd::Revoked)?;
        1
    };
    Ok(SessionRevoked { sessions })
}
