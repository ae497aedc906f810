//! Which mailboxes are known to be empty, and who waits at them.
//!
//! Only a hint, so that checking an empty mailbox touches no disk and a waiting fetch is woken
//! instead of polling: what is not known here may hold mail, and the store decides. The writer
//! sets the hints in the order of its commits, so a mailbox cannot be called empty after mail
//! that came later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ipc_protocol::id::AgentId;
use ipc_protocol::message::Kind;
use ipc_protocol::time::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::limits::AGENTS_IN_MEMORY;
use crate::store::job::DeferredJob;
use crate::wanted::{Envelope, Wanted};

/// What is known of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It may hold mail: ask the store.
    Maybe,
    /// Nothing before something comes, or before the lease that ends first ends.
    Empty {
        /// When that is, if a lease runs.
        until: Option<Timestamp>,
    },
}

#[derive(Debug)]
struct Mailbox {
    known: Known,
    bell: Arc<Notify>,
    /// Fetches that wait, each for what it asked for; at most as many as an agent may let wait.
    subscribers: Vec<Weak<Subscriber>>,
    /// Fetches that wait for whatever comes.
    takers: u32,
}

/// A fetch that waits at a mailbox: it hears of what it asked for, and of nothing else.
#[derive(Debug)]
pub(crate) struct Subscription {
    subscriber: Arc<Subscriber>,
    /// Keeps the mailbox in memory.
    _mailbox: Arc<Notify>,
}

#[derive(Debug)]
struct Subscriber {
    wanted: Wanted,
    bell: Notify,
    /// What is to be done for it when such a message comes. Locked under no other lock.
    deferred: Mutex<Option<DeferredJob>>,
}

impl Subscriber {
    fn take(&self) -> Option<DeferredJob> {
        self.deferred
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Subscription {
    /// Wakes with the next message that was asked for, or with a lease that was given back.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.subscriber.bell.notified()
    }

    /// Hands in `work`, to be done in the transaction that stores such a message, before anybody
    /// hears of it.
    pub(crate) fn defer(&self, work: DeferredJob) {
        let deferred = self.subscriber.deferred.lock();
        deferred
            .unwrap_or_else(PoisonError::into_inner)
            .replace(work);
    }

    /// Takes it back; says whether it was still there: else it is being done, or has been.
    pub(crate) fn cancel(&self) -> bool {
        self.subscriber.take().is_some()
    }
}

/// The hints.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes {
    state: Mutex<HashMap<AgentId, Mailbox>>,
}

impl Mailboxes {
    /// What is known of the mailbox of `agent`.
    pub(crate) fn known(&self, agent: AgentId) -> Known {
        self.with(agent, |mailbox| mailbox.known)
    }

    /// The bell that rings when mail comes for `agent`. Take it before looking, or mail that
    /// comes in between is missed.
    pub(crate) fn bell(&self, agent: AgentId) -> Arc<Notify> {
        self.with(agent, |mailbox| Arc::clone(&mailbox.bell))
    }

    /// Hears of what is `wanted` of the mailbox of `agent` until it is dropped. Take it before
    /// looking, or mail that comes in between is missed.
    pub(crate) fn subscribe(&self, agent: AgentId, wanted: Wanted) -> Subscription {
        let subscriber = Arc::new(Subscriber {
            wanted,
            bell: Notify::new(),
            deferred: Mutex::default(),
        });
        let mailbox = self.with(agent, |mailbox| {
            mailbox.subscribers.retain(|other| other.strong_count() > 0);
            mailbox.subscribers.push(Arc::downgrade(&subscriber));
            Arc::clone(&mailbox.bell)
        });
        Subscription {
            subscriber,
            _mailbox: mailbox,
        }
    }

    /// Something can be had again: everybody looks.
    pub(crate) fn wake_all(&self, agent: AgentId) {
        self.ring(agent, |_| true).notify_waiters();
    }

    /// Whoever waits anywhere looks again.
    pub(crate) fn wake_everybody(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let all: Vec<_> = state.keys().copied().collect();
        drop(state);
        for agent in all {
            self.wake_all(agent);
        }
    }

    /// A message came: whoever asked for such a one looks.
    pub(crate) fn message_arrived(&self, agent: AgentId, envelope: &Envelope) {
        let bell = self.ring(agent, |wanted| wanted.matches(envelope));
        // Nobody is told of a ping.
        if envelope.kind != Kind::Ping {
            bell.notify_waiters();
        }
    }

    /// What one of those who wait for such a message has handed in for when it comes.
    pub(crate) fn deferred_for(&self, agent: AgentId, envelope: &Envelope) -> Option<DeferredJob> {
        let subscribers: Vec<_> = self.with(agent, |mailbox| {
            let all = mailbox.subscribers.iter().filter_map(Weak::upgrade);
            all.filter(|one| one.wanted.matches(envelope)).collect()
        });
        subscribers.iter().find_map(|one| one.take())
    }

    fn ring(&self, agent: AgentId, is_for: impl Fn(&Wanted) -> bool) -> Arc<Notify> {
        self.with(agent, |mailbox| {
            mailbox.known = Known::Maybe;
            for one in mailbox.subscribers.iter().filter_map(Weak::upgrade) {
                if is_for(&one.wanted) {
                    one.bell.notify_waiters();
                }
            }
            Arc::clone(&mailbox.bell)
        })
    }

    /// Mail came that nobody is to be woken for.
    pub(crate) fn available_quietly(&self, agent: AgentId) {
        self.with(agent, |mailbox| mailbox.known = Known::Maybe);
    }

    /// A fetch found nothing more.
    pub(crate) fn drained(&self, agent: AgentId, until: Option<Timestamp>) {
        self.with(agent, |mailbox| mailbox.known = Known::Empty { until });
    }

    /// A fetch begins to wait for whatever comes for `agent`. It holds the bell meanwhile.
    pub(crate) fn taker_came(&self, agent: AgentId) {
        self.with(agent, |mailbox| {
            mailbox.takers = mailbox.takers.saturating_add(1);
        });
    }

    /// It has ended: whoever stood back for it looks again.
    pub(crate) fn taker_went(&self, agent: AgentId) {
        let bell = self.with(agent, |mailbox| {
            mailbox.takers = mailbox.takers.saturating_sub(1);
            Arc::clone(&mailbox.bell)
        });
        bell.notify_waiters();
    }

    /// Whether a fetch takes whatever comes for `agent` next.
    pub(crate) fn has_taker(&self, agent: AgentId) -> bool {
        self.with(agent, |mailbox| mailbox.takers > 0)
    }

    fn with<T>(&self, agent: AgentId, look: impl FnOnce(&mut Mailbox) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.len() >= AGENTS_IN_MEMORY && !state.contains_key(&agent) {
            // Forgetting is safe: it only costs a look into the store. Whoever waits holds a bell.
            state.retain(|_, mailbox| Arc::strong_count(&mailbox.bell) > 1);
        }
        let fresh = || Mailbox {
            known: Known::Maybe,
            bell: Arc::default(),
            subscribers: Vec::new(),
            takers: 0,
        };
        look(state.entry(agent).or_insert_with(fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_may_hold_mail() {
        let mailboxes = Mailboxes::default();
        let agent = AgentId::from_row(1);
        assert_eq!(mailboxes.known(agent), Known::Maybe);
        mailboxes.drained(agent, None);
        assert_eq!(mailboxes.known(agent), Known::Empty { until: None });
        mailboxes.wake_all(agent);
        assert_eq!(mailboxes.known(agent), Known::Maybe);
    }

    #[tokio::test]
    async fn whoever_waits_hears_only_of_what_it_asked_for() {
        let mailboxes = Mailboxes::default();
        let (agent, alice) = (AgentId::from_row(1), AgentId::from_row(2));
        let wanted = Wanted {
            sent_by: Some(alice),
            ..Wanted::default()
        };
        let subscription = mailboxes.subscribe(agent, wanted);
        let mut heard = Box::pin(subscription.notified());
        heard.as_mut().enable();
        let envelope = |sender| Envelope {
            sender: Some(sender),
            conversation: None,
            kind: Kind::Message,
            reply_to: None,
        };
        mailboxes.message_arrived(agent, &envelope(AgentId::from_row(3)));
        assert!(!heard.as_mut().enable());
        mailboxes.message_arrived(agent, &envelope(alice));
        assert!(heard.as_mut().enable());
        drop(heard);
        drop(subscription);
        drop(mailboxes.subscribe(agent, wanted));
        mailboxes.with(agent, |mailbox| assert_eq!(mailbox.subscribers.len(), 1));
    }

    #[test]
    fn memory_is_bounded_and_waiters_are_never_forgotten() {
        let mailboxes = Mailboxes::default();
        let waiting = AgentId::from_row(-1);
        let bell = mailboxes.bell(waiting);
        for row in 0..20_000 {
            mailboxes.drained(AgentId::from_row(row), None);
        }
        assert!(mailboxes.state.lock().unwrap().len() <= AGENTS_IN_MEMORY);
        assert!(Arc::ptr_eq(&bell, &mailboxes.bell(waiting)));
    }
}
