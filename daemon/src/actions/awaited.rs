//! Who was asked and has not answered: until when answers are waited for.
//!
//! A wait ends when everybody has answered finally, and when nobody is left who still could: who
//! gave its name up, or was released or forgotten; and who was there when the wait began and has
//! neither a connection nor a host process any more. Whoever was away all along may come yet.

use ipc_protocol::id::AgentId;
use ipc_protocol::message::WaitEnd;

use crate::caller::Caller;
use crate::error::Done;
use crate::store::asked::{self, Asked};
use crate::store::context::View;
use crate::store::{agents, offering};
use crate::wanted::Wanted;

/// Whoever has not answered.
#[derive(Debug, Default)]
pub(crate) struct Silent {
    /// Why no more answers are waited for; nothing while some may come.
    pub(crate) ended: Option<WaitEnd>,
    /// Those who are there.
    pub(crate) there: Vec<AgentId>,
}

/// Who has not answered what the caller waits to be answered; nobody if it does not wait for
/// answers, or to a message that it did not send.
pub(crate) fn silent(
    wanted: &Wanted,
    were_there: &[AgentId],
    caller: &Caller,
    view: &View<'_>,
) -> Done<Silent> {
    let Some(message) = wanted.answers_to else {
        return Ok(Silent::default());
    };
    let asked = asked::of(view.db, message, caller.agent())?;
    let (mut all_answered, mut may_come, mut there) = (!asked.is_empty(), false, Vec::new());
    let was_asked = all_answered;
    for asked in asked {
        let agent = match asked {
            Asked::Answered => continue,
            Asked::Ended => None,
            Asked::Unclaimed => {
                may_come = true;
                None
            }
            Asked::Silent(agent) => agents::find(view.db, agent)?,
        };
        all_answered = false;
        let Some(agent) = agent else { continue };
        let is_there = agent.is_live(view)?;
        if is_there {
            there.push(agent.id);
        }
        may_come |= is_there || !were_there.contains(&agent.id);
    }
    let nobody_is_left = was_asked && !may_come;
    // More answers than one reply holds: they come with the next.
    let more = nobody_is_left && !offering::offerable(view, caller.agent(), wanted, 1)?.is_empty();
    let ended = match (nobody_is_left && !more, all_answered) {
        (false, _) => None,
        (true, true) => Some(WaitEnd::Answered),
        (true, false) => Some(WaitEnd::RecipientGone),
    };
    Ok(Silent { ended, there })
}
