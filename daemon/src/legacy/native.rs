//! Native requests, made by the old port in the name of whoever it speaks with.

use std::sync::Arc;

use ipc_protocol::error::Refusal;
use ipc_protocol::request::Request;
use ipc_protocol::rpc::Reply;
use serde::de::DeserializeOwned;

use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::dispatch::{self, Speaker};
use crate::error::Fault;

/// Lets `caller` ask natively, with all that this costs and checks.
pub(super) async fn ask<R: DeserializeOwned>(
    request: Request,
    caller: &Caller,
    daemon: &Arc<Daemon>,
) -> Result<R, Refusal> {
    let speaker = Speaker::Agent(caller.clone());
    let reply = dispatch::dispatch(0, request, &speaker, None, false, daemon).await;
    let answer = reply.await;
    // `check` acknowledges or gives back by itself, once the client has hung up.
    if let Some(lease) = answer.lease {
        lease.keep();
    }
    let outcome = Reply::decode(&answer.payload).map(|reply| reply.outcome);
    let value = outcome.unwrap_or_else(|| Err(unreadable()))?;
    serde_json::from_value(value).map_err(|_| unreadable())
}

fn unreadable() -> Refusal {
    Fault::Inconsistent("a reply that cannot be read").refusal()
}
