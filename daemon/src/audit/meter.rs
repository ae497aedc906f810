//! How much may be written of what can be done over and over: the log is bounded, and a flood must
//! not push out of it what came before.
//!
//! Refusals of one kind for one caller are one line in a minute, and a number at its end. What an agent
//! does by the way has a budget of lines, and its rules about others a smaller one; beyond it only its
//! number is written. One agent's flood leaves the others theirs. What an operator does is always
//! written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::AgentId;

use super::event::{Event, Who};
use crate::limits::{
    AUDIT_AGENT_BURST, AUDIT_AGENT_PER_MINUTE, AUDIT_AGENTS, AUDIT_BURST, AUDIT_DENIALS,
    AUDIT_DENIALS_PER_MINUTE, AUDIT_PER_MINUTE, AUDIT_RULES_BURST, AUDIT_RULES_PER_MINUTE,
    MINUTE_MS,
};

/// What bounds the number of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing: it is rare, or an operator's.
    Always,
    /// The budget of what this agent does by the way.
    Routine(&'static str, AgentId),
    /// The budget of this agent's rules about others.
    Rule(&'static str, AgentId),
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

    fn fill(&mut self, boot_ms: i64) {
        let since = boot_ms.saturating_sub(*self.filled_ms.get_or_insert(boot_ms));
        let gained = since.saturating_mul(i64::from(self.per_minute)) / MINUTE_MS;
        if gained > 0 {
            self.filled_ms = Some(boot_ms);
            let gained = u32::try_from(gained).unwrap_or(u32::MAX);
            self.lines = self.lines.saturating_add(gained).min(self.most);
        }
    }

    fn is_full(&mut self, boot_ms: i64) -> bool {
        self.fill(boot_ms);
        self.lines == self.most
    }

    fn take(&mut self, boot_ms: i64) -> bool {
        self.fill(boot_ms);
        let left = self.lines.checked_sub(1);
        self.lines = left.unwrap_or(0);
        left.is_some()
    }
}

/// What is left to one agent.
#[derive(Debug)]
struct Budget {
    routine: Bucket,
    rules: Bucket,
}

impl Budget {
    const fn of_one() -> Self {
        Self {
            routine: Bucket::new(AUDIT_AGENT_BURST, AUDIT_AGENT_PER_MINUTE),
            rules: Bucket::new(AUDIT_RULES_BURST, AUDIT_RULES_PER_MINUTE),
        }
    }

    const fn of_all_others() -> Self {
        Self {
            routine: Bucket::new(AUDIT_BURST, AUDIT_PER_MINUTE),
            rules: Bucket::new(AUDIT_RULES_BURST, AUDIT_RULES_PER_MINUTE),
        }
    }

    fn is_full(&mut self, boot_ms: i64) -> bool {
        self.routine.is_full(boot_ms) && self.rules.is_full(boot_ms)
    }
}

#[derive(Debug)]
struct State {
    /// At most [`AUDIT_AGENTS`]; one that is full is as good as none.
    agents: HashMap<AgentId, Budget>,
    others: Budget,
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
            agents: HashMap::new(),
            others: Budget::of_all_others(),
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
            Class::Routine(what, agent) => {
                let fits = state.budget(agent, boot_ms).routine.take(boot_ms);
                state.count(what, fits)
            }
            Class::Rule(what, agent) => {
                let fits = state.budget(agent, boot_ms).rules.take(boot_ms);
                state.count(what, fits)
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
    fn budget(&mut self, agent: AgentId, boot_ms: i64) -> &mut Budget {
        if self.agents.len() >= AUDIT_AGENTS && !self.agents.contains_key(&agent) {
            self.agents.retain(|_, budget| !budget.is_full(boot_ms));
            if self.agents.len() >= AUDIT_AGENTS {
                return &mut self.others;
            }
        }
        self.agents.entry(agent).or_insert_with(Budget::of_one)
    }

    /// Counts `what` unless it `fits`.
    fn count(&mut self, what: &'static str, fits: bool) -> bool {
        if !fits {
            let over = self.over.entry(what).or_default();
            *over = over.saturating_add(1);
        }
        fits
    }

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
    use crate::audit::event::Entrance;

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

    fn agent(row: i64) -> AgentId {
        AgentId::from_row(row)
    }

    fn rule(row: i64) -> Event {
        Event::AllowOnlySet {
            agent: agent(row),
            on: true,
        }
    }

    fn opened(row: i64, how: Entrance) -> Event {
        Event::SessionOpened {
            agent: agent(row),
            name: None,
            how,
            session: ipc_protocol::token::Sid::from_bytes([1; 16]),
            pid: None,
            program: None,
        }
    }

    fn admitted(meter: &Meter, events: impl Iterator<Item = Event>) -> u32 {
        let admitted = events.filter(|event| meter.admits(event, 0)).count();
        u32::try_from(admitted).unwrap()
    }

    #[test]
    fn what_agents_do_by_the_way_has_a_budget_that_fills_up_again() {
        let meter = Meter::default();
        let flood = (0..2 * AUDIT_RULES_BURST).map(|_| rule(1));
        assert_eq!(admitted(&meter, flood), AUDIT_RULES_BURST);
        let flood = (0..2 * AUDIT_AGENT_BURST).map(|_| opened(2, Entrance::Resumed));
        assert_eq!(admitted(&meter, flood), AUDIT_AGENT_BURST);
        let counted = meter.counted(MINUTE_MS, true);
        let number = |wanted| {
            counted.iter().find_map(|event| match event {
                Event::More { of, count } if *of == wanted => Some(*count),
                _ => None,
            })
        };
        assert_eq!(number("allow_only_set"), Some(AUDIT_RULES_BURST.into()));
        assert_eq!(number("session_opened"), Some(AUDIT_AGENT_BURST.into()));
        assert!(meter.admits(&rule(1), MINUTE_MS));
        assert!(meter.admits(&opened(2, Entrance::Resumed), MINUTE_MS));
        assert!(meter.admits(&Event::Stopped {}, 0), "always");
    }

    #[test]
    fn one_agents_flood_blanks_out_neither_what_others_do_nor_what_else_it_does() {
        let meter = Meter::default();
        admitted(&meter, (0..10_000).map(|_| rule(1)));
        assert!(!meter.admits(&rule(1), 0));
        assert!(meter.admits(&opened(1, Entrance::Renewed), 0));
        admitted(&meter, (0..10_000).map(|_| opened(1, Entrance::Renewed)));
        assert!(!meter.admits(&opened(1, Entrance::Renewed), 0));
        for event in [rule(2), opened(2, Entrance::New)] {
            assert!(meter.admits(&event, 0), "{event:?}");
        }
        for how in [Entrance::Reclaimed, Entrance::TookOver] {
            assert!(meter.admits(&opened(1, how), 0), "{how:?}: always");
        }
    }

    #[test]
    fn budgets_are_bounded_in_number_and_a_crowd_without_one_is_told() {
        let meter = Meter::default();
        let most = i64::try_from(AUDIT_AGENTS).unwrap();
        for row in 0..most {
            admitted(&meter, (0..1_000).map(|_| opened(row, Entrance::Renewed)));
        }
        let crowd = (most..most + 10_000).map(|row| opened(row, Entrance::New));
        assert_eq!(admitted(&meter, crowd), AUDIT_BURST);
        assert_eq!(meter.with(|state| state.agents.len()), AUDIT_AGENTS);
        // Once they have filled up again, their places are others'.
        let later = 60 * MINUTE_MS;
        for _ in 0..AUDIT_AGENT_BURST {
            assert!(meter.admits(&opened(most, Entrance::Renewed), later));
        }
        assert_eq!(meter.with(|state| state.agents.len()), 1);
    }
}
