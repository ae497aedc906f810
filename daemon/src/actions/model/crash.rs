//! The end of the process in the model: what was committed is there, and nothing else.

use proptest::prelude::*;
use proptest::sample::Index;

use super::expected::{Place, text};
use super::{Both, NAMES, live, step_or_crash};
use crate::actions::harness::Desk;
use crate::properties::cases;

impl Both {
    /// The daemon ends, with a send in its hands if one is named; what was only in memory (who was
    /// seen since it was last written down) is gone, and nothing of that send is there.
    pub(super) fn crash(&mut self, during: Option<(Index, usize)>) {
        let sender = during.and_then(|(who, name)| Some((self.who(who)?, name)));
        match sender {
            Some(((_, caller), name)) => {
                let number = self.model.messages.len();
                drop(self.desk.crash_in(|desk| {
                    let key = number.to_string();
                    desk.send_once(&caller, NAMES[name], &text(number), &key)
                }));
            }
            None => self.desk.crash(),
        }
        for agent in &mut self.model.agents {
            agent.seen = agent.written;
        }
    }

    /// A message that was stored is not stored again, whatever became of it meanwhile.
    pub(super) fn resend(&mut self, which: Index) {
        if self.model.messages.is_empty() {
            return;
        }
        let at = which.index(self.model.messages.len());
        let message = &self.model.messages[at];
        let (id, to, sender) = (message.id, message.to, message.sender);
        let is_gone = message.place == Place::Gone || self.model.agents[sender].ended;
        if is_gone {
            return;
        }
        let now = self.model.now;
        let agent = &mut self.model.agents[sender];
        agent.seen = now;
        let caller = agent.caller.clone();
        let again = self
            .desk
            .send_once(&caller, NAMES[to], &text(at), &at.to_string())
            .unwrap();
        assert_eq!((again.message_id, again.duplicate), (id, true));
    }

    /// Who was seen reaches the store.
    pub(super) fn write_uses(&mut self) {
        self.desk.write_uses();
        for agent in &mut self.model.agents {
            agent.written = agent.seen;
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn whatever_was_committed_is_there_after_any_number_of_crashes_and_nothing_else(
        steps in proptest::collection::vec(step_or_crash(), 1..60)
    ) {
        live(Desk::on_disk(), &steps);
    }
}
