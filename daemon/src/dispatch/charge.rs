//! What a request costs its agent.

use ipc_protocol::error::Refusal;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Demand, Request};

use super::Speaker;
use crate::caller::Caller;
use crate::daemon::Daemon;
use crate::quota::Budget;

/// Charges `request` of `caller`; with `paid`, its frame was charged as a send already.
pub(crate) fn request(
    request: &Request,
    caller: &Caller,
    paid: bool,
    daemon: &Daemon,
) -> Result<(), Refusal> {
    let quotas = &daemon.quotas;
    let to = if let Request::Send(send) = request {
        Some(&send.to)
    } else if let Request::Forward(forward) = request {
        Some(&forward.to)
    } else {
        None
    };
    if to == Some(&Recipient::All) {
        quotas.charge(caller.agent(), Budget::Broadcast)?;
    }
    let sends = request.demand() == Demand::Storing;
    if matches!(request, Request::Rename(_)) {
        quotas.charge_rename()?;
    }
    if let Request::Conversation(change) = request
        && change.changes()
    {
        quotas.charge_group_change(caller.agent())?;
    }
    if let Request::History(history) = request
        && history.search.is_some()
    {
        quotas.charge(caller.agent(), Budget::Search)?;
    }
    if sends && paid {
        return Ok(());
    }
    let budget = if sends { Budget::Send } else { Budget::Read };
    quotas.charge(caller.agent(), budget)
}

/// Charges a large frame before it is decoded: decoding is what is dear, whatever is in it.
pub(crate) fn large(speaker: &Speaker, daemon: &Daemon) -> Result<(), Refusal> {
    charge(speaker, Budget::Send, daemon)
}

/// Charges a frame that is no call.
pub(crate) fn bad(speaker: &Speaker, daemon: &Daemon) -> Result<(), Refusal> {
    charge(speaker, Budget::Read, daemon)
}

fn charge(speaker: &Speaker, budget: Budget, daemon: &Daemon) -> Result<(), Refusal> {
    match speaker {
        Speaker::Agent(caller) => daemon.quotas.charge(caller.agent(), budget),
        // Whoever has not registered sends small frames only, and not for long.
        Speaker::Newcomer(_) => Ok(()),
    }
}
