//! What writer, reader and connections share: the clock, the limits, and who is there.

use std::sync::Arc;

use crate::clock::{BootId, Clock};
use crate::config::NamePolicy;
use crate::counters::CounterCells;
use crate::key::DeploymentKey;
use crate::limits::Limits;
use crate::mailboxes::Mailboxes;
use crate::presence::Presence;
use crate::store::context::Effect;

/// Shared by every thread of the daemon.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) boot_id: BootId,
    pub(crate) limits: Limits,
    pub(crate) names: NamePolicy,
    pub(crate) key: DeploymentKey,
    pub(crate) presence: Arc<Presence>,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) counters: CounterCells,
    /// Rung when the verifiers in the store are no longer those in memory.
    pub(crate) verifiers_changed: tokio::sync::Notify,
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        limits: Limits,
        names: NamePolicy,
        key: DeploymentKey,
    ) -> Self {
        Self {
            boot_id: clock.boot_id(),
            clock,
            limits,
            names,
            key,
            presence: Arc::default(),
            mailboxes: Mailboxes::default(),
            counters: CounterCells::default(),
            verifiers_changed: tokio::sync::Notify::new(),
        }
    }

    /// Lets happen what committed jobs asked for, in their order.
    pub(crate) fn apply(&self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::MailFor(agent) => self.mailboxes.arrived(*agent),
                Effect::Drained { agent, until } => self.mailboxes.drained(*agent, *until),
                Effect::SessionEnded { sid, why } => self.presence.end_session(*sid, *why),
                Effect::Stored => self.counters.sent(),
                Effect::Delivered(number) => self.counters.delivered(*number),
                Effect::VerifiersChanged => self.verifiers_changed.notify_one(),
            }
        }
    }
}
