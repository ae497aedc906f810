//! Sessions of the old port: ordinary rows, with keys of their own making and no process.

use ipc_protocol::auth::Verifier;
use ipc_protocol::id::AgentId;
use ipc_protocol::token::{Sid, TokenKind};

use super::{Credential, Lifetime};
use crate::limits::SESSION_ABSOLUTE_MS;
use crate::store::context::Context;

/// Keeps a session `sid` of `agent` that `verifier` checks, registered under the secret `kid` by a
/// process of user `uid` that nothing names.
pub(crate) fn keep(
    context: &Context<'_>,
    sid: Sid,
    verifier: Verifier,
    agent: AgentId,
    kid: &str,
    uid: u32,
) -> rusqlite::Result<()> {
    let now = context.now;
    let credential = Credential {
        sid,
        kind: TokenKind::Session,
        agent,
        verifier,
        kid: kid.to_owned(),
        lifetime: Lifetime {
            created: now,
            boot_id: context.boot_id.clone(),
            expires: Some(now.wall.plus_millis(SESSION_ABSOLUTE_MS)),
            last_used: now.wall,
        },
        host: None,
        peer: (uid, 0),
    };
    credential.write(context.db, context.key)
}
