//! `ack` and `nack`: messages were handed over, or could not be.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::{AgentId, MessageId};
use ipc_protocol::limits::ACK_IDS;
use ipc_protocol::request::{Ack, Acked, Nack, Nacked};

use crate::caller::Caller;
use crate::error::Done;
use crate::store::context::{Context, Effect};
use crate::store::deliveries;

/// Makes offered messages delivered; those that are already, or are not the caller's, count not.
pub(crate) fn ack(request: &Ack, caller: &Caller, context: &mut Context<'_>) -> Done<Acked> {
    check_number(&request.message_ids)?;
    let mut delivered = 0_u64;
    for id in &request.message_ids {
        let new = deliveries::acknowledge(context, caller.agent(), *id, request.handover)?;
        delivered = delivered.saturating_add(u64::from(new));
    }
    context.effects.push(Effect::Delivered(delivered));
    context.effects.push(Effect::MailboxChanged(caller.agent()));
    Ok(Acked { delivered })
}

/// Gives leases back, so that the messages are offered again at once.
pub(crate) fn nack(request: &Nack, caller: &Caller, context: &mut Context<'_>) -> Done<Nacked> {
    check_number(&request.message_ids)?;
    let returned = give_back(&request.message_ids, caller.agent(), context)?;
    Ok(Nacked { returned })
}

/// Gives the leases on these messages of `agent` back; says how many there were.
pub(crate) fn give_back(
    message_ids: &[MessageId],
    agent: AgentId,
    context: &mut Context<'_>,
) -> Done<u64> {
    let mut returned = 0_u64;
    for id in message_ids {
        let leased = deliveries::give_back(context, agent, *id)?;
        returned = returned.saturating_add(u64::from(leased));
    }
    if returned > 0 {
        context.effects.push(Effect::MailAvailable(agent));
    }
    Ok(returned)
}

fn check_number(ids: &[MessageId]) -> Result<(), Refusal> {
    if ids.len() <= ACK_IDS {
        return Ok(());
    }
    let text = format!("more than {ACK_IDS} messages in one request");
    Err(Refusal::new(ErrorCode::Malformed, text).hint("send several requests"))
}
