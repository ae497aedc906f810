//! Pings: answered by the program that waits for mail, and shown to nobody.
//!
//! Only a ping is answered, and never an answer to one, so that two programs cannot go on answering
//! each other; the daemon gives out no ping that is older than a minute.

use std::time::Duration;

use ipc_protocol::limits::PINGS_PER_MINUTE;
use ipc_protocol::message::{Handover, Kind, Mail};
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Ack, Fetched, Send};

use super::text;
use super::wanted::Wanted;
use crate::clock::Deadline;
use crate::context::Context;
use crate::front::Front;

/// Answers to pings within the present minute. Beyond them pings stay unanswered: each answer is a
/// message of ours, and what we may send is for our own mail.
#[derive(Debug, Default)]
pub(crate) struct Pings {
    minute: Option<Deadline>,
    answered: u32,
}

impl Pings {
    /// Takes the pings out of what was fetched, if they came because we answer them, and does.
    pub(crate) fn answer(
        &mut self,
        context: &mut Context,
        front: &mut Front,
        wanted: &Wanted,
        mut fetched: Fetched,
    ) -> Fetched {
        if !wanted.pings {
            return fetched;
        }
        let (pings, others) = fetched
            .messages
            .into_iter()
            .partition(|mail| mail.kind == Kind::Ping);
        fetched.messages = others;
        let pings: Vec<Mail> = pings;
        for ping in &pings {
            if self.has_room() {
                // What does not get through is not said: whoever asked hears nothing, which is so.
                drop(answer(context, front, ping));
            }
        }
        if !pings.is_empty() {
            drop(front.call(&Ack {
                message_ids: pings.iter().map(|ping| ping.id).collect(),
                handover: Handover::Cli,
            }));
        }
        fetched
    }

    fn has_room(&mut self) -> bool {
        if self.minute.is_none_or(|end| end.remaining().is_none()) {
            self.minute = Some(Deadline::after(Duration::from_mins(1)));
            self.answered = 0;
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= PINGS_PER_MINUTE
    }
}

fn answer(
    context: &mut Context,
    front: &mut Front,
    ping: &Mail,
) -> Result<(), crate::failure::Failure> {
    let Some(sender) = &ping.from else {
        return Ok(());
    };
    front.call(&Send {
        to: Recipient::Agent(sender.agent_id),
        text: Kind::Ack.as_str().to_owned(),
        kind: Kind::Ack,
        data: None,
        reply_to: Some(ping.id),
        idempotency_key: Some(text::key(context, None)?),
        known_only: true,
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_pings_are_answered_in_a_minute_than_leave_room_for_mail() {
        let mut pings = Pings::default();
        let answered = (0..1_000).filter(|_| pings.has_room()).count();
        assert_eq!(u32::try_from(answered).unwrap(), PINGS_PER_MINUTE);
    }
}
