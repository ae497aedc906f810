//! What ought to be: names, mailboxes and times as plain lists.

use std::collections::BTreeMap;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;

use crate::caller::Caller;

pub(super) const ALIAS_S: i64 = 7_200;
pub(super) const LEASE_S: i64 = 60;
pub(super) const WEEK_S: i64 = 7 * 86_400;

/// How long messages are kept that wait for nobody, from when they were sent or read.
pub(super) const KEPT_S: i64 = 30 * 86_400;

/// The text of message `at`: a word of its own, and one that every third has.
pub(super) fn text(at: usize) -> String {
    format!("n{at} third{}", at % 3)
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Unclaimed(usize),
    Waiting {
        agent: usize,
        lease_until: Option<i64>,
    },
    Delivered {
        agent: usize,
        at: i64,
    },
    Ended,
    /// Deleted after thirty days.
    Gone,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) id: MessageId,
    pub(super) sender: usize,
    /// The name that it was sent to.
    pub(super) to: usize,
    pub(super) sent: i64,
    pub(super) offers: u32,
    pub(super) place: Place,
}

/// Who has a name: an agent, and until when if it is only an alias.
pub(super) type Held = (usize, Option<i64>);

#[derive(Debug)]
pub(super) struct AgentModel {
    pub(super) caller: Caller,
    pub(super) seen: i64,
    /// When it was seen last as far as the store knows.
    pub(super) written: i64,
    pub(super) ended: bool,
}

/// What ought to be.
#[derive(Default)]
pub(super) struct Model {
    pub(super) now: i64,
    pub(super) agents: Vec<AgentModel>,
    pub(super) names: BTreeMap<usize, Held>,
    pub(super) messages: Vec<Message>,
}

impl Model {
    pub(super) fn holder(&self, name: usize) -> Option<Held> {
        let held = self.names.get(&name).copied();
        held.filter(|(_, until)| until.is_none_or(|until| until > self.now))
    }

    pub(super) fn forgotten(&self, agent: usize) -> bool {
        self.now - self.agents[agent].seen > WEEK_S
    }

    pub(super) fn end(&mut self, agent: usize) -> u64 {
        self.agents[agent].ended = true;
        self.names.retain(|_, (holder, _)| *holder != agent);
        let mut refused = 0;
        for message in &mut self.messages {
            if matches!(message.place, Place::Waiting { agent: of, .. } if of == agent) {
                message.place = Place::Ended;
                refused += 1;
            }
        }
        refused
    }

    /// Gives the name; mail that waited for it comes along.
    pub(super) fn give(&mut self, name: usize, agent: usize) {
        self.names.insert(name, (agent, None));
        for message in &mut self.messages {
            if message.place == Place::Unclaimed(name) {
                let lease_until = None;
                message.place = Place::Waiting { agent, lease_until };
            }
        }
    }

    /// Whether `name` may be taken by `by`, or why not; a forgotten holder makes room.
    pub(super) fn make_free(&mut self, name: usize, by: Option<usize>) -> Result<(), ErrorCode> {
        match self.holder(name) {
            Some((holder, Some(_))) if Some(holder) != by => Err(ErrorCode::NameReserved),
            Some((holder, None)) if self.forgotten(holder) => {
                self.end(holder);
                Ok(())
            }
            Some((_, None)) if by.is_some() => Err(ErrorCode::NameInUse),
            Some((_, None)) => Err(ErrorCode::NameReserved),
            Some((_, Some(_))) | None => Ok(()),
        }
    }

    /// What `agent` could be offered now, in its order.
    pub(super) fn offerable(&self, agent: usize) -> Vec<usize> {
        let free = |place: Place| match place {
            Place::Waiting {
                agent: of,
                lease_until,
            } => of == agent && lease_until.is_none_or(|until| until <= self.now),
            Place::Unclaimed(_) | Place::Delivered { .. } | Place::Ended | Place::Gone => false,
        };
        let all = 0..self.messages.len();
        all.filter(|at| free(self.messages[*at].place)).collect()
    }

    pub(super) fn sweep(&mut self) {
        for agent in 0..self.agents.len() {
            if !self.agents[agent].ended && self.forgotten(agent) {
                self.end(agent);
            }
        }
        for message in &mut self.messages {
            if matches!(message.place, Place::Unclaimed(_)) && self.now - message.sent > WEEK_S {
                message.place = Place::Ended;
            }
            let kept_from = match message.place {
                Place::Unclaimed(_) | Place::Waiting { .. } => continue,
                Place::Delivered { at, .. } => at,
                Place::Ended | Place::Gone => message.sent,
            };
            if self.now - kept_from > KEPT_S {
                message.place = Place::Gone;
            }
        }
    }

    /// The past mail of `agent`: what it sent, and what was handed over to it.
    pub(super) fn history(&self, agent: usize) -> Vec<usize> {
        let all = 0..self.messages.len();
        all.filter(|at| {
            let message = &self.messages[*at];
            let is_sent = message.sender == agent && message.place != Place::Gone;
            is_sent || matches!(message.place, Place::Delivered { agent: to, .. } if to == agent)
        })
        .collect()
    }
}
