//! `whoami`: the agent of this connection.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::{Whoami, WhoamiReport};

use super::sender;
use crate::caller::Caller;
use crate::error::Done;
use crate::key::DeploymentKey;
use crate::store::context::View;
use crate::store::{agents, boundaries, credentials, deliveries, freezes, names, profiles};

/// Says who the caller is.
pub(crate) fn whoami(
    _: &Whoami,
    caller: &Caller,
    key: &DeploymentKey,
    view: &View<'_>,
) -> Done<WhoamiReport> {
    let id = caller.agent();
    let gone = || Refusal::new(ErrorCode::Expired, "this session is over");
    let sender = sender::of(view, id)?;
    let agent = agents::find(view.db, id)?.ok_or_else(gone)?;
    let session = credentials::find(view.db, key, caller.session())?.ok_or_else(gone)?;
    let profile = profiles::find(view.db, id)?;
    Ok(WhoamiReport {
        agent_id: id,
        name: sender.name,
        incarnation: agent.incarnation,
        aliases: names::aliases(view, id)?,
        registered_ms: agent.registered,
        sessions: u32::try_from(credentials::sessions(view, id)?.len()).unwrap_or(u32::MAX),
        session_expires_ms: session.lifetime.expires.ok_or_else(gone)?,
        waiting: deliveries::waiting(view, id)?.0,
        muted: boundaries::muted(view, id)?,
        status: profile.status(),
        summary: profile.summary(),
        capabilities: profile.capabilities,
        frozen: freezes::of(view.db, id)?,
    })
}
