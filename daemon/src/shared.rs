//! What writer, reader and connections share: the clock, the limits, and who is there.

use std::sync::Arc;

use ipc_protocol::request::Enrolment;

use crate::audit::Audit;
use crate::clock::{BootId, Clock};
use crate::config::{NamePolicy, Secrets};
use crate::counters::CounterCells;
use crate::frozen::Frozen;
use crate::gate::Gate;
use crate::key::DeploymentKey;
use crate::limits::Limits;
use crate::mailboxes::Mailboxes;
use crate::notice_board::NoticeBoard;
use crate::presence::Presence;
use crate::store::context::Effect;

/// Shared by every thread of the daemon.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) boot_id: BootId,
    pub(crate) limits: Limits,
    pub(crate) names: NamePolicy,
    pub(crate) secrets: Secrets,
    pub(crate) key: DeploymentKey,
    pub(crate) presence: Arc<Presence>,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) notice_board: NoticeBoard,
    pub(crate) counters: CounterCells,
    pub(crate) gate: Gate,
    pub(crate) audit: Audit,
    pub(crate) frozen: Frozen,
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        limits: Limits,
        (names, secrets): (NamePolicy, Secrets),
        key: DeploymentKey,
        gate: Gate,
        audit: Audit,
    ) -> Self {
        Self {
            boot_id: clock.boot_id(),
            clock,
            limits,
            names,
            secrets,
            key,
            presence: Arc::default(),
            mailboxes: Mailboxes::default(),
            notice_board: NoticeBoard::default(),
            counters: CounterCells::default(),
            gate,
            audit,
            frozen: Frozen::default(),
        }
    }

    /// The defaults, for tests of what needs them.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        use rand::SeedableRng;
        let mut rng = rand::rngs::StdRng::seed_from_u64(1);
        let key = DeploymentKey::random(&mut rng);
        let gate = Gate::new([0; 16], Vec::new(), Enrolment::Open, rng);
        let clock = Arc::new(crate::clock::SystemClock::new());
        let (audit, _) = crate::audit::queue(Arc::<crate::clock::SystemClock>::clone(&clock));
        let limits = Limits::default();
        Self::new(clock, limits, Default::default(), key, gate, audit)
    }

    /// Lets happen what committed jobs asked for, in their order.
    pub(crate) fn apply(&self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::MailAvailable(agent) => {
                    self.mailboxes.wake_all(*agent);
                    self.notice_board.changed(*agent);
                }
                Effect::AutoCheckChosen(agent) => self.mailboxes.wake_all(*agent),
                Effect::MailboxChanged(agent) => self.notice_board.changed(*agent),
                Effect::NoticesOn(agent) => self.notice_board.begin(*agent),
                Effect::NoticesOff(agent) => self.notice_board.end(*agent),
                Effect::MessageArrived(agent, envelope) => {
                    self.mailboxes.message_arrived(*agent, envelope);
                    self.notice_board.changed(*agent);
                }
                Effect::RecipientGone => self.presence.somebody_left(),
                Effect::QuietMailAvailable(agent) => self.mailboxes.available_quietly(*agent),
                Effect::Drained { agent, until } => self.mailboxes.drained(*agent, *until),
                Effect::SessionEnded { sid, why } => self.presence.end_session(*sid, *why),
                Effect::HostStands(host) => self.presence.stand([*host]),
                Effect::Froze(agent) => {
                    self.frozen.set(*agent, true);
                    self.notice_board.may_differ(*agent);
                    match agent {
                        Some(agent) => self.mailboxes.wake_all(*agent),
                        None => self.mailboxes.wake_everybody(),
                    }
                }
                Effect::Thawed(agent) => {
                    self.frozen.set(*agent, false);
                    self.notice_board.may_differ(*agent);
                }
                Effect::Audited(event) => self.audit.note(event.clone()),
                Effect::Stored => self.counters.sent(),
                Effect::Delivered(number) => self.counters.delivered(*number),
                Effect::Rotated(verifiers) => {
                    self.gate.replace(Arc::clone(verifiers));
                    self.gate.set_enrolment(Enrolment::Open);
                }
                Effect::VerifiersChanged(verifiers) => {
                    self.gate.replace(Arc::clone(verifiers));
                }
            }
        }
    }
}
