//! `unregister` and `offline`: give the name up, or only step out.

use ipc_protocol::request::{GoOffline, Left, Offline, Unregister};

use super::sender;
use crate::audit::event::AgentEnd;
use crate::caller::Caller;
use crate::error::Done;
use crate::store::agents;
use crate::store::context::Context;

/// Ends the caller's agent: the name is free, what waits is refused, and its senders are told.
pub(crate) fn unregister(_: &Unregister, caller: &Caller, context: &mut Context<'_>) -> Done<Left> {
    let name = sender::of(context, caller.agent())?.name;
    let refused = agents::end(context, caller.agent(), AgentEnd::Unregistered)?;
    Ok(Left { name, refused })
}

/// Marks the caller's agent offline until it does something again.
pub(crate) fn offline(_: &Offline, caller: &Caller, context: &Context<'_>) -> Done<GoOffline> {
    let name = sender::of(context, caller.agent())?.name;
    agents::step_out(context.db, caller.agent(), context.now.wall)?;
    Ok(GoOffline { name })
}
