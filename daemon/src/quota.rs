//! Rates: how often who may do what.
//!
//! Every budget is kept under a key that the caller cannot choose (an agent id that it had to
//! enrol for, or the process that the kernel names), and the number of keys held is bounded:
//! budgets that are full again are forgotten first, and forgetting one changes nothing.

use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use ipc_protocol::auth::CredentialKind;
use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;

use crate::caller::Peer;
use crate::limits::{
    AGENTS_IN_MEMORY, GROUP_CHANGES_PER_MINUTE, Limits, RENAMES_PER_MINUTE, SEARCHES_PER_MINUTE,
};

/// What a request is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Sends, replies, forwards.
    Send,
    /// Everything that only reads, and acknowledgements.
    Read,
    /// Mail to everybody.
    Broadcast,
    /// Looking past mail up by its words, which may take long.
    Search,
    /// Changes of groups, each told to all their members.
    Group,
}

/// One budget for each key. Budgets that are full again are forgotten whenever twice as many are
/// held as after the last time, so that forgetting costs each key only a constant.
#[derive(Debug)]
struct Keyed<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, HashMapStateStore<K>, DefaultClock>,
    sweep_at: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(quota: Quota) -> Self {
        let sweep_at = AtomicUsize::new(AGENTS_IN_MEMORY);
        Self {
            limiter: RateLimiter::hashmap(quota),
            sweep_at,
        }
    }

    /// Charges `key`; over its budget, says how long to wait from `now`.
    fn charge(&self, key: &K, now: Moment) -> Result<(), Duration> {
        if self.limiter.len() >= self.sweep_at.load(Ordering::Relaxed) {
            self.limiter.retain_recent();
            let next = self.limiter.len().saturating_mul(2).max(AGENTS_IN_MEMORY);
            self.sweep_at.store(next, Ordering::Relaxed);
        }
        self.limiter
            .check_key(key)
            .map_err(|not_until| not_until.wait_time_from(now))
    }
}

/// A moment of the clock that rates are counted by.
type Moment = <DefaultClock as governor::clock::Clock>::Instant;

/// A process: its user and its id.
type Process = (u32, u32);

/// The budgets.
#[derive(Debug)]
pub(crate) struct Quotas {
    send: Keyed<AgentId>,
    read: Keyed<AgentId>,
    search: Keyed<AgentId>,
    broadcast: Keyed<AgentId>,
    groups: Keyed<AgentId>,
    groups_total: Keyed<()>,
    enrolments: Keyed<()>,
    renames: Keyed<()>,
    failures: Keyed<Process>,
    failures_total: Keyed<()>,
    failures_old_port: Keyed<()>,
    logged: Keyed<()>,
    locked: Mutex<Locked>,
    clock: DefaultClock,
}

/// Who has used up its wrong proofs, and until when.
#[derive(Debug, Default)]
struct Locked {
    processes: HashMap<Process, Moment>,
    secret: Option<Moment>,
    /// Registrations over the old port, which names no process: all of them together.
    old_port: Option<Moment>,
}

impl Quotas {
    /// Full budgets of the sizes in `limits`.
    pub(crate) fn new(limits: &Limits) -> Self {
        let send = Quota::per_minute(limits.send_per_minute).allow_burst(limits.send_burst);
        let each = |per_minute: NonZeroU32| Quota::per_minute(per_minute);
        Self {
            send: Keyed::new(send),
            read: Keyed::new(each(limits.fetch_per_minute)),
            search: Keyed::new(each(SEARCHES_PER_MINUTE)),
            broadcast: Keyed::new(each(limits.broadcast_per_minute)),
            groups: Keyed::new(each(limits.group_changes_per_minute)),
            groups_total: Keyed::new(each(GROUP_CHANGES_PER_MINUTE)),
            enrolments: Keyed::new(each(limits.enrolments_per_minute)),
            renames: Keyed::new(each(RENAMES_PER_MINUTE)),
            failures: Keyed::new(each(limits.failed_auth_per_minute)),
            failures_total: Keyed::new(each(limits.failed_auth_per_minute_total)),
            failures_old_port: Keyed::new(each(limits.failed_auth_per_minute)),
            logged: Keyed::new(each(limits.failed_auth_per_minute_total)),
            locked: Mutex::default(),
            clock: DefaultClock::default(),
        }
    }

    /// Charges a request of `agent`.
    pub(crate) fn charge(&self, agent: AgentId, budget: Budget) -> Result<(), Refusal> {
        let (limiter, what) = match budget {
            Budget::Send => (&self.send, "too many messages in a minute"),
            Budget::Read => (&self.read, "too many requests in a minute"),
            Budget::Search => (&self.search, "too many searches in a minute"),
            Budget::Broadcast => (&self.broadcast, "too many broadcasts in a minute"),
            Budget::Group => (&self.groups, "too many changes of groups in a minute"),
        };
        self.check(limiter, &agent, what)
    }

    /// Charges `agent` a change of a group, and all agents together, as renames are.
    pub(crate) fn charge_group_change(&self, agent: AgentId) -> Result<(), Refusal> {
        self.charge(agent, Budget::Group)?;
        let what = "too many changes of groups in a minute, of all agents together";
        self.check(&self.groups_total, &(), what)
    }

    /// Charges a rename: whoever enrols again and again could otherwise have everybody told of it.
    pub(crate) fn charge_rename(&self) -> Result<(), Refusal> {
        self.check(&self.renames, &(), "too many renames in a minute")
    }

    /// Charges an enrolment.
    pub(crate) fn charge_enrolment(&self) -> Result<(), Refusal> {
        self.check(&self.enrolments, &(), "too many enrolments in a minute")
    }

    /// Whether `peer` may try to prove a credential now.
    ///
    /// A process that was wrong too often may not. When too many proofs of the secret were wrong,
    /// whoever's they were, the secret is not asked about for a while; tokens cannot be guessed,
    /// so those who have one get in.
    pub(crate) fn may_try(&self, peer: &Peer, credential: CredentialKind) -> Result<(), Refusal> {
        let now = self.clock.now();
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.processes.retain(|_, until| *until > now);
        locked.secret = locked.secret.filter(|until| *until > now);
        let total = locked
            .secret
            .filter(|_| credential == CredentialKind::Secret);
        let until = locked
            .processes
            .get(&(peer.uid, peer.pid))
            .copied()
            .max(total);
        match until {
            Some(until) => Err(too_often(
                "too many wrong proofs",
                until.duration_since(now),
            )),
            None => Ok(()),
        }
    }

    /// Charges a wrong proof of `peer`; says whether it is worth a line in the log, which somebody
    /// who is wrong all day must not fill.
    pub(crate) fn charge_failure(&self, peer: &Peer, credential: CredentialKind) -> bool {
        let process = (peer.uid, peer.pid);
        let now = self.clock.now();
        let own = self.failures.charge(&process, now).err();
        let total = (credential == CredentialKind::Secret)
            .then(|| self.failures_total.charge(&(), now).err())
            .flatten();
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = own
            && locked.processes.len() < AGENTS_IN_MEMORY
        {
            locked.processes.insert(process, now + wait);
        }
        if let Some(wait) = total {
            locked.secret = Some(now + wait);
        }
        self.logged.charge(&(), now).is_ok()
    }

    /// Whether anybody may try to register over the old port now.
    pub(crate) fn may_try_the_old_port(&self) -> Result<(), Refusal> {
        let now = self.clock.now();
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        locked.old_port = locked.old_port.filter(|until| *until > now);
        locked.secret = locked.secret.filter(|until| *until > now);
        match locked.old_port.max(locked.secret) {
            Some(until) => Err(too_often(
                "too many wrong proofs",
                until.duration_since(now),
            )),
            None => Ok(()),
        }
    }

    /// Charges a wrong proof over the old port, whatever name it was for; says whether it is worth
    /// a line in the log.
    pub(crate) fn charge_failure_over_the_old_port(&self) -> bool {
        let now = self.clock.now();
        let own = self.failures_old_port.charge(&(), now).err();
        let total = self.failures_total.charge(&(), now).err();
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = own {
            locked.old_port = Some(now + wait);
        }
        if let Some(wait) = total {
            locked.secret = Some(now + wait);
        }
        self.logged.charge(&(), now).is_ok()
    }

    fn check<K: Hash + Eq + Clone>(
        &self,
        budget: &Keyed<K>,
        key: &K,
        what: &'static str,
    ) -> Result<(), Refusal> {
        budget
            .charge(key, self.clock.now())
            .map_err(|wait| too_often(what, wait))
    }
}

fn too_often(what: &'static str, wait: Duration) -> Refusal {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    Refusal::new(ErrorCode::RateLimited, what)
        .hint("try again after that; `[limits]` in config.toml sets the rates")
        .retry_after(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(pid: u32) -> Peer {
        Peer {
            uid: 1,
            pid,
            start_ticks: None,
            program: None,
        }
    }

    #[test]
    fn a_burst_passes_and_then_it_is_said_when_to_come_back() {
        let quotas = Quotas::new(&Limits::default());
        let (one, other) = (AgentId::from_row(1), AgentId::from_row(2));
        for _ in 0..20 {
            assert!(quotas.charge(one, Budget::Send).is_ok());
        }
        let refusal = quotas.charge(one, Budget::Send).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::RateLimited);
        assert!(
            (1..=600).contains(&refusal.retry_after_ms.unwrap()),
            "{refusal:?}"
        );
        assert!(quotas.charge(one, Budget::Read).is_ok(), "another budget");
        assert!(quotas.charge(other, Budget::Send).is_ok(), "another agent");
    }

    #[test]
    fn wrong_proofs_lock_one_process_out_and_in_the_end_the_secret_but_never_tokens() {
        let quotas = Quotas::new(&Limits::default());
        for _ in 0..11 {
            assert!(quotas.may_try(&peer(1), CredentialKind::Session).is_ok());
            quotas.charge_failure(&peer(1), CredentialKind::Session);
        }
        assert!(quotas.may_try(&peer(1), CredentialKind::Session).is_err());
        assert!(quotas.may_try(&peer(2), CredentialKind::Secret).is_ok());
        for pid in 0..200 {
            quotas.charge_failure(&peer(1_000 + pid), CredentialKind::Secret);
        }
        assert!(quotas.may_try(&peer(3), CredentialKind::Secret).is_err());
        assert!(quotas.may_try(&peer(3), CredentialKind::Session).is_ok());
    }

    #[test]
    fn more_processes_than_are_remembered_do_not_fill_the_memory() {
        let quotas = Quotas::new(&Limits::default());
        for pid in 0..u32::try_from(AGENTS_IN_MEMORY).unwrap() + 500 {
            // Wrong once more than it may be: each of them is locked out.
            for _ in 0..11 {
                quotas.charge_failure(&peer(pid), CredentialKind::Resume);
            }
        }
        assert_eq!(
            quotas.locked.lock().unwrap().processes.len(),
            AGENTS_IN_MEMORY
        );
        assert!(quotas.may_try(&peer(0), CredentialKind::Resume).is_err());
    }
}
