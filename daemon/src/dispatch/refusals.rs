//! What is refused before there is an action, and having refusals in the audit log.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::request::Request;

use crate::audit::event::Who;
use crate::daemon::Daemon;
use crate::error::{ActionError, Done};

/// Has a refusal that is of interest in the audit log.
pub(crate) fn note_denial<T>(outcome: &Done<T>, request: &'static str, who: Who, daemon: &Daemon) {
    if let Err(ActionError::Refused(refusal)) = outcome {
        daemon.shared.audit.refused(refusal, request, who);
    }
}

/// For whoever has proved a credential and is no agent.
pub(super) fn unregistered(request: &Request) -> Refusal {
    let text = format!(
        "`{}` is for registered agents, or not for this credential",
        request.name()
    );
    Refusal::new(ErrorCode::Unauthenticated, text).hint("register first: `ipc register NAME`")
}

/// For what comes first on a connection, and once.
pub(super) fn already() -> Refusal {
    Refusal::new(ErrorCode::Conflict, "this connection has done that already")
        .hint("open another connection")
}

/// For an agent that administers.
pub(super) fn not_for_agents() -> Refusal {
    Refusal::new(
        ErrorCode::Forbidden,
        "administration needs the shared secret, not a session",
    )
    .hint("`ipc admin` proves it")
}
