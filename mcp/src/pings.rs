//! Pings of other agents: answered here, so that no model is asked whether it is there.
//!
//! Only a ping is answered, and never an answer to one, so that two programs cannot go on answering
//! each other; the daemon gives out no ping that is older than a minute.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::limits::{PINGS_PER_MINUTE, WAIT_MS};
use ipc_protocol::message::{Handover, Kind, Mail};
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{Ack, Fetch, Send};

use crate::clock::Deadline;
use crate::desk::Desk;
use crate::limits::LOOK_AGAIN;

/// Answers pings for as long as the host is there; never comes to an end.
pub(crate) async fn serve(desk: &Arc<Desk>) {
    desk.enrolment().await;
    let mut budget = Budget::default();
    loop {
        let wanted = Fetch {
            kind: Some(Kind::Ping),
            wait_ms: WAIT_MS,
            ..Fetch::default()
        };
        let wait = Duration::from_millis(u64::from(WAIT_MS));
        match desk.listen(wanted, wait).await {
            Some(fetched) => answer_all(&fetched.messages, &mut budget, desk).await,
            // No daemon, or one that knows no such request, or another window has our agent.
            None => tokio::select! {
                () = tokio::time::sleep(LOOK_AGAIN) => {}
                () = desk.closing().cancelled() => return std::future::pending().await,
            },
        }
    }
}

async fn answer_all(pings: &[Mail], budget: &mut Budget, desk: &Arc<Desk>) {
    for ping in pings.iter().filter(|mail| mail.kind == Kind::Ping) {
        if let Some(sender) = &ping.from
            && budget.has_room()
        {
            let answer = Send {
                to: Recipient::Agent(sender.agent_id),
                text: Kind::Ack.as_str().to_owned(),
                kind: Kind::Ack,
                data: None,
                reply_to: Some(ping.id),
                idempotency_key: desk.key().ok(),
                known_only: true,
            };
            // What does not get through is not said: whoever asked hears nothing, which is so.
            drop(desk.call(answer).await);
        }
    }
    let message_ids: Vec<_> = pings.iter().map(|ping| ping.id).collect();
    if !message_ids.is_empty() {
        let handover = Handover::Mcp;
        drop(
            desk.call(Ack {
                message_ids,
                handover,
            })
            .await,
        );
    }
}

/// Answers within the present minute. Beyond them pings stay unanswered: each answer is a message of
/// our agent, and what it may send is for its own mail.
#[derive(Debug, Default)]
struct Budget {
    minute: Option<Deadline>,
    answered: u32,
}

impl Budget {
    fn has_room(&mut self) -> bool {
        if self.minute.is_none_or(|end| end.remaining().is_none()) {
            self.minute = Some(Deadline::after(Duration::from_mins(1)));
            self.answered = 0;
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= PINGS_PER_MINUTE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_pings_are_answered_in_a_minute_than_leave_room_for_mail() {
        let mut budget = Budget::default();
        let answered = (0..1_000).filter(|_| budget.has_room()).count();
        assert_eq!(u32::try_from(answered).unwrap(), PINGS_PER_MINUTE);
    }
}
