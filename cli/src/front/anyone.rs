//! Asking what an agent and a person with the secret may both ask.

use ipc_protocol::request::Method;

use super::{Front, enrol, mailbox};
use crate::context::Context;
use crate::failure::Failure;

/// Asks as the agent if it is clear which, else with the shared secret.
pub(crate) fn ask_as_anyone<M: Method>(
    context: &mut Context,
    request: &M,
) -> Result<M::Reply, Failure> {
    // A name that was given must be good; one that is only looked for may be unclear.
    let is_named = context.acting_as.is_some() || context.environment.instance.is_some();
    if is_named || mailbox::find(context).is_ok() {
        let asked = Front::open(context).and_then(|mut front| front.call_again(context, request));
        match asked {
            Err(failure) if !is_named && failure.code.is_some() => {}
            other => return other,
        }
    }
    Ok(enrol::prove_secret(context)?.call(request)?)
}
