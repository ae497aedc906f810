//! How much may be written of what can be done over and over: the log is bounded, and a flood must
//! not push out of it what came before.
//!
//! Refusals of one kind for one caller are one line in a minute, and a number at its end. What agents
//! do by the way has a budget of lines; beyond it only its number is written. What an operator does is
//! always written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ipc_protocol::error::ErrorCode;

use super::event::{Event, Who};
use crate::limits::{
    AUDIT_BURST, AUDIT_DENIALS, AUDIT_DENIALS_PER_MINUTE, AUDIT_PER_MINUTE, MINUTE_MS,
};

/// What bounds the number of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing: it is rare, or an operator's.
    Always,
    /// The budget of what agents do by the way.
    Routine(&'static str),
    /// One line for each in a minute.
    Denial(&'static str, ErrorCode, Who),
}

type Denial = (&'static str, ErrorCode, Option<Who>);

#[derive(Debug)]
struct Bucket {
    lines: u32,
    most: u32,
    per_minute: u32,
    filled_ms: Option<i64>,
}

impl Bucket {
    const fn new(most: u32, per_minute: u32) -> Self {
        Self {
            lines: most,
            most,
            per_minute,
            filled_ms: None,
        }
    }

    fn take(&mut self, boot_ms: i64) -> bool {
        let since = boot_ms.saturating_sub(*self.filled_ms.get_or_insert(boot_ms));
        let gained = since.saturating_mul(i64::from(self.per_minute)) / MINUTE_MS;
        if gained > 0 {
            self.filled_ms = Some(boot_ms);
            let gained = u32::try_from(gained).unwrap_or(u32::MAX);
            self.lines = self.lines.saturating_add(gained).min(self.most);
        }
        let left = self.lines.checked_sub(1);
        self.lines = left.unwrap_or(0);
        left.is_some()
    }
}

#[derive(Debug)]
struct State {
    routine: Bucket,
    denials: Bucket,
    /// Refused in this minute, and how often since it was written; at most [`AUDIT_DENIALS`] of them
    /// name somebody.
    denied: HashMap<Denial, u64>,
    /// Over the budget in this minute.
    over: HashMap<&'static str, u64>,
    minute_began_ms: Option<i64>,
}

/// What was written in this minute, and what was only counted.
#[derive(Debug)]
pub(crate) struct Meter {
    state: Mutex<State>,
}

impl Default for Meter {
    fn default() -> Self {
        let state = Mutex::new(State {
            routine: Bucket::new(AUDIT_BURST, AUDIT_PER_MINUTE),
            denials: Bucket::new(AUDIT_BURST, AUDIT_DENIALS_PER_MINUTE),
            denied: HashMap::new(),
            over: HashMap::new(),
            minute_began_ms: None,
        });
        Self { state }
    }
}

impl Meter {
    /// Whether `event` is to be written; if not, it has been counted.
    pub(crate) fn admits(&self, event: &Event, boot_ms: i64) -> bool {
        let class = event.class();
        self.with(|state| match class {
            Class::Always => true,
            Class::Routine(what) => {
                let fits = state.routine.take(boot_ms);
                if !fits {
                    let over = state.over.entry(what).or_default();
                    *over = over.saturating_add(1);
                }
                fits
            }
            Class::Denial(request, code, who) => state.denial((request, code, Some(who)), boot_ms),
        })
    }

    /// What was only counted, once a minute is over, or at the end: then with `all`.
    pub(crate) fn counted(&self, boot_ms: i64, all: bool) -> Vec<Event> {
        self.with(|state| {
            let began = *state.minute_began_ms.get_or_insert(boot_ms);
            if !all && boot_ms.saturating_sub(began) < MINUTE_MS {
                return Vec::new();
            }
            state.minute_began_ms = Some(boot_ms);
            let over = state.over.drain();
            let mut events: Vec<_> = over.map(|(of, count)| Event::More { of, count }).collect();
            let denied = state.denied.drain().filter(|(_, count)| *count > 0);
            events.extend(
                denied.map(|((request, code, who), count)| Event::MoreDenied {
                    request,
                    code,
                    who,
                    count,
                }),
            );
            events
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn denial(&mut self, mut denial: Denial, boot_ms: i64) -> bool {
        if !self.denied.contains_key(&denial) {
            if self.denied.len() < AUDIT_DENIALS && self.denials.take(boot_ms) {
                self.denied.insert(denial, 0);
                return true;
            }
            // Too many in one minute: the kind is counted, not whose it was. Requests and codes are
            // words of ours, so that there are few kinds.
            denial.2 = None;
        }
        let count = self.denied.entry(denial).or_default();
        *count = count.saturating_add(1);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(pid: u32) -> Event {
        Event::Denied {
            request: "authenticate",
            code: ErrorCode::Unauthenticated,
            who: Who::Pid(pid),
        }
    }

    #[test]
    fn a_flood_of_refusals_is_a_bounded_number_of_lines_and_every_one_is_counted() {
        let meter = Meter::default();
        let mut lines = 0_u64;
        let floods = 100_000_u32;
        for at in 0..floods {
            lines += u64::from(meter.admits(&denied(at % 5_000), 0));
        }
        assert_eq!(lines, u64::try_from(AUDIT_DENIALS).unwrap());
        assert!(meter.counted(MINUTE_MS - 1, false).is_empty());
        let counted = meter.counted(MINUTE_MS, true);
        assert!(counted.len() <= AUDIT_DENIALS + 1, "{}", counted.len());
        let number = |event: &Event| match event {
            Event::MoreDenied { count, .. } => *count,
            other => panic!("{other:?}"),
        };
        let counted: u64 = counted.iter().map(number).sum();
        assert_eq!(counted + lines, u64::from(floods));
        assert!(meter.counted(2 * MINUTE_MS, true).is_empty(), "told once");
    }

    #[test]
    fn the_first_refusal_of_each_minute_is_a_line() {
        let meter = Meter::default();
        assert!(meter.admits(&denied(1), 0));
        assert!(!meter.admits(&denied(1), 1));
        assert!(meter.admits(&denied(2), 2), "another process");
        assert!(meter.counted(3, false).is_empty());
        assert_eq!(meter.counted(MINUTE_MS + 3, false).len(), 1);
        assert!(meter.admits(&denied(1), MINUTE_MS + 4));
    }

    #[test]
    fn what_agents_do_by_the_way_has_a_budget_that_fills_up_again() {
        let meter = Meter::default();
        let event = || Event::AllowOnlySet {
            agent: ipc_protocol::id::AgentId::from_row(1),
            on: true,
        };
        let burst = (0..2 * AUDIT_BURST)
            .filter(|_| meter.admits(&event(), 0))
            .count();
        assert_eq!(burst, usize::try_from(AUDIT_BURST).unwrap());
        let counted = meter.counted(MINUTE_MS, true);
        assert!(
            matches!(counted[..], [Event::More { of: "allow_only_set", count }]
            if count == u64::from(AUDIT_BURST))
        );
        assert!(meter.admits(&event(), MINUTE_MS));
        assert!(meter.admits(&Event::Stopped {}, 0), "always");
    }
}
