//! Random lives of a few agents, compared at every step with a model that is simple enough to be
//! right.

mod crash;
mod expected;

use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::MessageId;
use ipc_protocol::message::Kind;
use ipc_protocol::request::{Fetch, History, Nack, Rename, Unregister};
use proptest::prelude::*;
use proptest::sample::Index;

use self::expected::{ALIAS_S, AgentModel, KEPT_S, LEASE_S, Message, Model, Place, WEEK_S, text};
use super::harness::Desk;
use super::{ack, fetch, history, leave, rename};
use crate::caller::Caller;
use crate::properties::cases;

const NAMES: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    Register(usize),
    Rename(Index, usize),
    Send(Index, usize),
    Fetch(Index),
    Ack(Index, Vec<Index>),
    Nack(Index, Vec<Index>),
    Unregister(Index),
    Pass(i64),
    Sweep,
    Index,
    /// The daemon ends, in the middle of a send if one is named; and starts again.
    Crash(Option<(Index, usize)>),
    /// The reply to a send is lost, and it is sent again.
    Resend(Index),
    WriteUses,
}

fn step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    let some = || proptest::collection::vec(any::<Index>(), 1..4);
    prop_oneof![
        3 => name().prop_map(Step::Register),
        3 => (any::<Index>(), name()).prop_map(|(who, name)| Step::Rename(who, name)),
        6 => (any::<Index>(), name()).prop_map(|(who, name)| Step::Send(who, name)),
        4 => any::<Index>().prop_map(Step::Fetch),
        4 => (any::<Index>(), some()).prop_map(|(who, which)| Step::Ack(who, which)),
        2 => (any::<Index>(), some()).prop_map(|(who, which)| Step::Nack(who, which)),
        1 => any::<Index>().prop_map(Step::Unregister),
        3 => prop_oneof![
            Just(1), Just(59), Just(60), Just(3_600), Just(ALIAS_S - 1), Just(ALIAS_S),
            Just(86_400), Just(WEEK_S), Just(WEEK_S + 1), Just(KEPT_S), Just(KEPT_S + 1)
        ].prop_map(Step::Pass),
        2 => prop_oneof![Just(Step::Sweep), Just(Step::Index)],
    ]
}

/// The same, and the end of the process now and then.
fn step_or_crash() -> impl Strategy<Value = Step> {
    let sent = proptest::option::of((any::<Index>(), 0..NAMES.len()));
    prop_oneof![
        10 => step(),
        2 => sent.prop_map(Step::Crash),
        1 => any::<Index>().prop_map(Step::Resend),
        1 => Just(Step::WriteUses),
    ]
}

/// The store and the model side by side.
struct Both {
    desk: Desk,
    model: Model,
}

impl Both {
    fn who(&mut self, index: Index) -> Option<(usize, Caller)> {
        if self.model.agents.is_empty() {
            return None;
        }
        let agent = index.index(self.model.agents.len());
        let now = self.model.now;
        let known = &mut self.model.agents[agent];
        known.seen = now;
        Some((agent, known.caller.clone()))
    }

    fn register(&mut self, name: usize) {
        let expected = self.model.make_free(name, None);
        let found = self.desk.register(NAMES[name], false);
        assert_eq!(found.as_ref().err(), expected.err().as_ref());
        let Ok(caller) = found else { return };
        let seen = self.model.now;
        self.model.agents.push(AgentModel {
            caller,
            seen,
            written: seen,
            ended: false,
        });
        self.model.give(name, self.model.agents.len() - 1);
    }

    fn rename(&mut self, agent: usize, caller: &Caller, name: usize) {
        let request = Rename {
            new_name: NAMES[name].parse().unwrap(),
        };
        let found = self
            .desk
            .act_as(caller, |c| rename::rename(&request, caller, c));
        if self.model.agents[agent].ended {
            assert_eq!(found.unwrap_err(), ErrorCode::Expired);
            return;
        }
        if self.model.names.get(&name) == Some(&(agent, None)) {
            assert_eq!(found.unwrap().forwards_until_ms, None);
            return;
        }
        let expected = self.model.make_free(name, Some(agent));
        assert_eq!(found.err(), expected.err());
        if expected.is_ok() {
            let until = self.model.now + ALIAS_S;
            for held in self
                .model
                .names
                .values_mut()
                .filter(|held| **held == (agent, None))
            {
                held.1 = Some(until);
            }
            self.model.give(name, agent);
        }
    }

    fn send(&mut self, agent: usize, caller: &Caller, name: usize) {
        let number = self.model.messages.len();
        let found = self
            .desk
            .send_once(caller, NAMES[name], &text(number), &number.to_string());
        if self.model.agents[agent].ended {
            assert_eq!(found.unwrap_err(), ErrorCode::Expired);
            return;
        }
        let place = match self.model.holder(name) {
            Some((agent, _)) => Place::Waiting {
                agent,
                lease_until: None,
            },
            None => Place::Unclaimed(name),
        };
        let (id, sent) = (found.unwrap().message_id, self.model.now);
        self.model.messages.push(Message {
            id,
            sender: agent,
            to: name,
            sent,
            offers: 0,
            place,
        });
    }

    fn fetch(&mut self, agent: usize, caller: &Caller) {
        let found = self.desk.fetch(caller);
        // Notices of the daemon's own are not the model's business.
        let found: Vec<_> = found
            .into_iter()
            .filter(|mail| mail.from.is_some())
            .collect();
        let expected = self.model.offerable(agent);
        assert_eq!(found.len(), expected.len());
        for (mail, at) in found.iter().zip(expected) {
            let message = &mut self.model.messages[at];
            assert_eq!(
                (mail.id, mail.redelivered),
                (message.id, message.offers > 0)
            );
            assert_eq!(mail.text, text(at));
            message.offers += 1;
            let lease_until = Some(self.model.now + LEASE_S);
            message.place = Place::Waiting { agent, lease_until };
        }
    }

    fn chosen(&self, which: &[Index]) -> Vec<usize> {
        if self.model.messages.is_empty() {
            return Vec::new();
        }
        let mut chosen: Vec<_> = which
            .iter()
            .map(|i| i.index(self.model.messages.len()))
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    fn ids(&self, chosen: &[usize]) -> Vec<MessageId> {
        chosen
            .iter()
            .map(|at| self.model.messages[*at].id)
            .collect()
    }

    fn ack(&mut self, agent: usize, caller: &Caller, which: &[Index]) {
        let chosen = self.chosen(which);
        let found = self.desk.ack(caller, self.ids(&chosen));
        let (mut expected, now) = (0, self.model.now);
        for index in chosen {
            let message = &mut self.model.messages[index];
            let own = matches!(message.place, Place::Waiting { agent: of, .. } if of == agent);
            if own && message.offers > 0 {
                message.place = Place::Delivered { agent, at: now };
                expected += 1;
            }
        }
        assert_eq!(found, expected);
    }

    fn nack(&mut self, agent: usize, caller: &Caller, which: &[Index]) {
        let chosen = self.chosen(which);
        let request = Nack {
            message_ids: self.ids(&chosen),
        };
        let found = self.desk.act_as(caller, |c| ack::nack(&request, caller, c));
        let mut expected = 0;
        for at in chosen {
            let place = &mut self.model.messages[at].place;
            if matches!(*place, Place::Waiting { agent: of, lease_until: Some(_) } if of == agent) {
                *place = Place::Waiting {
                    agent,
                    lease_until: None,
                };
                expected += 1;
            }
        }
        assert_eq!(found.unwrap().returned, expected);
    }

    fn unregister(&mut self, agent: usize, caller: &Caller) {
        let found = self
            .desk
            .act_as(caller, |c| leave::unregister(&Unregister {}, caller, c));
        if self.model.agents[agent].ended {
            assert_eq!(found.unwrap_err(), ErrorCode::Expired);
        } else {
            // Waiting notices end too, and are counted with the rest.
            assert!(found.unwrap().refused >= self.model.end(agent));
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Register(name) => self.register(*name),
            Step::Pass(seconds) => {
                self.desk.pass(*seconds);
                self.model.now += seconds;
            }
            Step::Sweep => {
                self.desk.sweep();
                self.model.sweep();
            }
            Step::Index => self.desk.index(),
            Step::Crash(during) => self.crash(*during),
            Step::Resend(which) => self.resend(*which),
            Step::WriteUses => self.write_uses(),
            Step::Rename(who, _)
            | Step::Send(who, _)
            | Step::Fetch(who)
            | Step::Ack(who, _)
            | Step::Nack(who, _)
            | Step::Unregister(who) => {
                let Some((agent, caller)) = self.who(*who) else {
                    return;
                };
                match step {
                    Step::Rename(_, name) => self.rename(agent, &caller, *name),
                    Step::Send(_, name) => self.send(agent, &caller, *name),
                    Step::Ack(_, which) => self.ack(agent, &caller, which),
                    Step::Nack(_, which) => self.nack(agent, &caller, which),
                    Step::Unregister(_) => self.unregister(agent, &caller),
                    Step::Fetch(_)
                    | Step::Register(_)
                    | Step::Pass(_)
                    | Step::Sweep
                    | Step::Index
                    | Step::Crash(_)
                    | Step::Resend(_)
                    | Step::WriteUses => self.fetch(agent, &caller),
                }
            }
        }
    }

    /// What must hold whatever happened.
    fn check(&mut self) {
        let alive = self
            .model
            .agents
            .iter()
            .filter(|agent| !agent.ended)
            .count();
        let current = "SELECT count(*) FROM names WHERE until_ms IS NULL";
        let of_agents = "SELECT count(DISTINCT agent) FROM names WHERE until_ms IS NULL";
        let living = "SELECT count(*) FROM agents WHERE ended_ms IS NULL";
        for sql in [current, of_agents, living] {
            assert_eq!(usize::try_from(self.desk.number(sql)), Ok(alive), "{sql}");
        }
        let dangling = "SELECT count(*) FROM names AS a WHERE NOT EXISTS (SELECT 1 FROM names
                        WHERE agent = a.agent AND until_ms IS NULL)";
        assert_eq!(
            self.desk.number(dangling),
            0,
            "every alias leads to an agent with a name"
        );
        let twice = "SELECT count(*) FROM (SELECT 1 FROM deliveries JOIN messages ON seq = message
                     WHERE kind <> 'system' GROUP BY message HAVING count(*) <> 1)";
        assert_eq!(self.desk.number(twice), 0, "each message has one delivery");
        for agent in 0..self.model.agents.len() {
            let caller = self.model.agents[agent].caller.clone();
            let request = Fetch {
                limit: Some(100),
                peek: true,
                ..Fetch::default()
            };
            let peeked = self
                .desk
                .act(|c| fetch::peek(&request, &caller, c))
                .unwrap();
            assert_eq!(peeked.waiting, 0, "no more than is shown");
            let found = peeked.messages.iter().filter(|mail| mail.from.is_some());
            let expected = self.ids(&self.model.offerable(agent));
            assert!(found.map(|mail| mail.id).eq(expected));
        }
    }

    /// What must hold of past mail, whatever happened.
    fn check_past(&mut self) {
        for agent in 0..self.model.agents.len() {
            self.check_history(agent);
        }
        self.desk.check_index();
    }

    /// An agent finds its past mail, all of it and nothing else, whatever words it looks for.
    fn check_history(&mut self, agent: usize) {
        let caller = self.model.agents[agent].caller.clone();
        let past = self.model.history(agent);
        for search in [None, Some("third1"), Some("th* -third0 n1 OR third2")] {
            let request = History {
                search: search.map(|text| text.parse().unwrap()),
                limit: Some(100),
                ..History::default()
            };
            let page = self
                .desk
                .act(|c| history::history(&request, &caller, c))
                .unwrap();
            let found = page
                .entries
                .iter()
                .filter(|e| e.message.kind != Kind::System);
            let found: Vec<_> = found.map(|entry| entry.message.id).collect();
            let fits = |at: &usize| match search {
                None => true,
                Some("third1") => at % 3 == 1,
                Some(_) => *at == 1 || at % 3 == 2,
            };
            let expected: Vec<_> = past.iter().copied().filter(fits).collect();
            assert_eq!(found, self.ids(&expected), "agent {agent}, {search:?}");
        }
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn names_stay_bijective_and_no_mail_is_lost_or_doubled(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        live(Desk::new(), &steps);
    }
}

/// Lives through `steps`, and compares at every one.
fn live(desk: Desk, steps: &[Step]) {
    let mut both = Both {
        desk,
        model: Model::default(),
    };
    for (at, step) in steps.iter().enumerate() {
        both.take(step);
        both.check();
        // Dearer than all the rest: now and then, and at the end.
        if at % 8 == 0 || at + 1 == steps.len() {
            both.check_past();
        }
    }
}
