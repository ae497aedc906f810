//! `admin_*`: for an operator, who proved the shared secret. (`admin_backup` is no change of the
//! store and lives in `housekeeping.rs`.)

use std::sync::Arc;

use ipc_protocol::auth::{Kdf, KdfName, Verifier};
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{
    AdminRelease, AdminRevoke, AdminRotateSecret, Released, Revoked, Rotated,
};
use ipc_protocol::token::Sid;
use rand::Rng;

use crate::audit::event::{AgentEnd, Event, SessionEnd, Whom};
use crate::caller::Operator;
use crate::error::{Done, refuse};
use crate::store::context::{Context, Effect, View};
use crate::store::names::{self, Holder};
use crate::store::verifiers::{self, SecretVerifier};
use crate::store::{agents, credentials};

/// Frees a name whatever its state.
pub(crate) fn release(
    request: &AdminRelease,
    operator: &Operator,
    context: &mut Context<'_>,
) -> Done<Released> {
    check_current(operator, context)?;
    let name = request.name.clone();
    let refused = match names::holder(context, &name)? {
        Holder::Agent(id) => agents::end(context, id, AgentEnd::Released)?,
        Holder::Alias { .. } => {
            names::drop_alias(context.db, &name)?;
            0
        }
        Holder::Nobody => return Err(nobody(&name).into()),
    };
    tracing::info!(%name, refused, "a name was released by an operator");
    context.effects.push(Effect::Audited(Event::Released {
        name: name.clone(),
        pid: operator.pid(),
    }));
    Ok(Released { name, refused })
}

/// Ends all sessions of an agent and its resume credential, or those of everybody.
pub(crate) fn revoke(
    request: &AdminRevoke,
    operator: &Operator,
    context: &mut Context<'_>,
) -> Done<Revoked> {
    check_current(operator, context)?;
    let (sessions, whom) = match target(&request.name, context)? {
        Target::Agent(id) => {
            let sessions = credentials::void_all(context, id, SessionEnd::RevokedByOperator)?;
            (sessions, Whom::Agent(id))
        }
        Target::Everybody => {
            let sessions = void_every_session(context, SessionEnd::RevokedByOperator)?;
            credentials::clear(context.db)?;
            (sessions, Whom::Everybody(true))
        }
    };
    tracing::info!(name = ?request.name, sessions, "credentials were revoked");
    context.effects.push(Effect::Audited(Event::Revoked {
        whom,
        sessions,
        pid: operator.pid(),
    }));
    Ok(Revoked { sessions })
}

/// Puts other verifiers in the place of the deployment's, and ends all sessions.
pub(crate) fn rotate_secret(
    request: &AdminRotateSecret,
    operator: &Operator,
    context: &mut Context<'_>,
) -> Done<Rotated> {
    check_current(operator, context)?;
    let kdfs: Vec<_> = request.verifiers.iter().map(|v| v.kdf).collect();
    if kdfs != [KdfName::Argon2id, KdfName::Scrypt] {
        return refuse(
            ErrorCode::Malformed,
            "a rotation brings one verifier for argon2id and one for scrypt, in this order",
            "`ipc admin rotate-secret` does",
        );
    }
    verifiers::clear(context.db)?;
    let kid = format!("k{:016x}", context.rng.next_u64());
    for new in &request.verifiers {
        let wrong = |_| Refusal::new(ErrorCode::Malformed, "a derivation outside safe bounds");
        let kdf = Kdf::parse(new.kdf, &new.params).map_err(wrong)?;
        let salt = new.salt.as_slice().to_vec();
        if !(16..=32).contains(&salt.len()) {
            return Err(Refusal::new(ErrorCode::Malformed, "a salt is 16 to 32 bytes").into());
        }
        let (stored_key, server_key) = (new.stored_key.0, new.server_key.0);
        let verifier = Verifier {
            stored_key,
            server_key,
        };
        let secret = SecretVerifier {
            kid: kid.clone(),
            kdf,
            salt,
            verifier,
        };
        verifiers::add(context.db, context.key, &secret, context.now)?;
    }
    let sessions = void_every_session(context, SessionEnd::SecretRotated)?;
    let verifiers = Arc::new(verifiers::all(context.db, context.key)?);
    context.effects.push(Effect::Rotated(verifiers));
    tracing::info!(sessions, "the shared secret was rotated");
    context.effects.push(Effect::Audited(Event::SecretRotated {
        sessions,
        pid: operator.pid(),
    }));
    Ok(Rotated { sessions })
}

/// Whom an operator means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// This agent.
    Agent(AgentId),
    /// All there are.
    Everybody,
}

/// Whom `name` means: whoever has the name, or had it and it still forwards.
pub(super) fn target(name: &Recipient, view: &View<'_>) -> Done<Target> {
    match name {
        Recipient::All => Ok(Target::Everybody),
        Recipient::Name(name) => match names::holder(view, name)? {
            Holder::Agent(id) | Holder::Alias { agent: id, .. } => Ok(Target::Agent(id)),
            Holder::Nobody => Err(nobody(name).into()),
        },
        Recipient::Agent(id) => match agents::find(view.db, *id)? {
            Some(agent) => Ok(Target::Agent(agent.id)),
            None => refuse(
                ErrorCode::NotFound,
                "no agent has this id",
                "`ipc list` shows who is there",
            ),
        },
        Recipient::Conversation(_) => refuse(
            ErrorCode::Malformed,
            "this is for an agent, or for everybody",
            "a name, an agent's id, or `all`",
        ),
    }
}

/// A secret that was proved before it was rotated opens nothing after that.
pub(crate) fn check_current(operator: &Operator, view: &View<'_>) -> Done<()> {
    if verifiers::is_current(view.db, operator.kid())? {
        return Ok(());
    }
    refuse(
        ErrorCode::Unauthenticated,
        "the shared secret was rotated after you proved the old one",
        "prove the new one on another connection",
    )
}

fn void_every_session(context: &mut Context<'_>, why: SessionEnd) -> rusqlite::Result<u64> {
    let every: Vec<Sid> = {
        let sql = "SELECT sid FROM credentials WHERE kind = 'session'";
        let mut query = context.db.prepare_cached(sql)?;
        query
            .query_map([], |row| row.get(0).map(Sid::from_bytes))?
            .collect::<Result<_, _>>()?
    };
    let mut ended = 0_u64;
    for sid in every {
        credentials::void(context, sid, why)?;
        ended = ended.saturating_add(1);
    }
    Ok(ended)
}

fn nobody(name: &Name) -> Refusal {
    Refusal::new(ErrorCode::NotFound, format!("nobody has the name `{name}`"))
        .hint("`ipc list` shows who is there")
}
