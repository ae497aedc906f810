//! `ipc renew` and `ipc revoke`: the session that commands here share.

use ipc_protocol::client::StoredSession;
use ipc_protocol::request::{Renew, Revoke};
use serde_json::json;

use crate::args::RevokeArguments;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::times;

/// Replaces the session by a fresh one.
pub(crate) fn renew(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let renewed = front.call(&Renew {})?;
    let expires = renewed.abs_expires_ms;
    store(
        context,
        &front,
        Some(StoredSession {
            token: renewed.session,
            abs_expires_ms: expires,
        }),
    )?;
    let value = json!({"name": front.name, "session_expires_ms": expires});
    context.screen.confirm(&value, || {
        format!(
            "renewed; the session ends {}\n",
            times::relative(expires, clock::now())
        )
    })?;
    Ok(ExitStatus::Done)
}

/// Ends the session, or all of the agent's.
pub(crate) fn revoke(
    context: &mut Context,
    arguments: &RevokeArguments,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let revoked = front.call(&Revoke { all: arguments.all })?;
    store(context, &front, None)?;
    context
        .screen
        .confirm(&revoked, || match revoked.sessions {
            1 => "ended 1 session\n".to_owned(),
            n => format!("ended {n} sessions\n"),
        })?;
    Ok(ExitStatus::Done)
}

/// Puts `session` in the place of the one in the agent's file.
fn store(context: &Context, front: &Front, session: Option<StoredSession>) -> Result<(), Failure> {
    let files = context.agent_files();
    let lock = files.lock(&front.name)?;
    if let Some(mut record) = lock.read()? {
        record.session = session;
        lock.write(record)?;
    }
    Ok(())
}
