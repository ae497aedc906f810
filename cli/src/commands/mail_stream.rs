//! Mail as it comes, over a session of its own that outlives restarts of the daemon.
//!
//! It connects again, more and more slowly, until the daemon has been away too long. It does not
//! start one: somebody may have stopped it on purpose.

use std::time::Duration;

use ipc_protocol::message::Mail;

use super::fetching;
use super::outage::{Backoff, REQUEST_WAIT, is_outage};
use super::pings::Pings;
use super::wanted::Wanted;
use crate::clock::Deadline;
use crate::context::Context;
use crate::failure::Failure;
use crate::front::{Front, OwnFront};
use crate::stop::Stop;

/// How long a daemon may be away before the stream is given up.
const AWAY: Duration = Duration::from_mins(10);

/// An agent's mail, until `stop` says that it is over.
pub(super) struct MailStream {
    pub(super) own: OwnFront,
    pub(super) stop: Stop,
    wanted: Wanted,
    pings: Pings,
}

/// A time without a daemon, and when it has been too long.
struct Outage {
    until: Deadline,
    backoff: Backoff,
}

impl MailStream {
    /// Opens it for the agent that the command is about; starts the daemon if need be.
    pub(super) fn open(context: &mut Context, stop: Stop, wanted: Wanted) -> Result<Self, Failure> {
        Ok(Self {
            own: OwnFront::open(context)?,
            stop,
            wanted,
            pings: Pings::default(),
        })
    }

    /// The next messages; nothing when `patience`, if there is one, ends before any came.
    pub(super) fn next(
        &mut self,
        context: &mut Context,
        patience: Option<Duration>,
    ) -> Result<Option<Vec<Mail>>, Failure> {
        let deadline = patience.map(Deadline::after);
        let mut outage = None;
        loop {
            let left = match deadline {
                None => REQUEST_WAIT,
                Some(deadline) => match deadline.remaining() {
                    Some(left) => left.min(REQUEST_WAIT),
                    None => return Ok(None),
                },
            };
            let Self {
                own: OwnFront { front, .. },
                stop,
                wanted,
                pings,
            } = self;
            let fetch = |front: &mut Front| fetching::fetch_once(front, wanted, left);
            let fetched = stop.while_waiting(front, fetch);
            match fetched.map(|found| pings.answer(context, front, wanted, found)) {
                Ok(fetched) if fetched.messages.is_empty() => outage = None,
                Ok(fetched) => return Ok(Some(fetched.messages)),
                Err(failure) => self.reconnect(context, &mut outage, failure)?,
            }
        }
    }

    /// Tells the daemon what became of messages, whatever becomes of the connection: told twice
    /// it does no harm, and told after the lease it still counts.
    pub(super) fn settle(
        &mut self,
        context: &mut Context,
        mut tell: impl FnMut(&mut Front) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut outage = None;
        while let Err(failure) = tell(&mut self.own.front) {
            self.reconnect(context, &mut outage, failure)?;
        }
        Ok(())
    }

    /// Connects again, if `failure` is one that passes, the daemon does not stay away for too long,
    /// and it is not over.
    pub(super) fn recover(
        &mut self,
        context: &mut Context,
        failure: Failure,
    ) -> Result<(), Failure> {
        self.reconnect(context, &mut None, failure)
    }

    fn reconnect(
        &mut self,
        context: &mut Context,
        outage: &mut Option<Outage>,
        mut failure: Failure,
    ) -> Result<(), Failure> {
        let Outage { until, backoff } = outage.get_or_insert_with(|| Outage {
            until: Deadline::after(AWAY),
            backoff: Backoff::default(),
        });
        while is_outage(&failure) && until.remaining().is_some() {
            if backoff.pause(&self.stop, Duration::MAX) {
                break;
            }
            match self.own.reconnect(context) {
                Ok(()) => return Ok(()),
                Err(again) => failure = again,
            }
        }
        Err(failure)
    }
}
