//! Who a caller is to others.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::message::Sender;

use crate::error::Done;
use crate::store::context::View;
use crate::store::{agents, names};

/// The sender as recipients will see it.
pub(crate) fn of(view: &View<'_>, id: AgentId) -> Done<Sender> {
    let gone = || Refusal::new(ErrorCode::Expired, "this agent has given its name up");
    let agent = agents::find(view.db, id)?.ok_or_else(gone)?;
    let name = names::current(view.db, id)?.ok_or_else(gone)?;
    Ok(Sender {
        agent_id: id,
        name,
        incarnation: agent.incarnation,
    })
}
