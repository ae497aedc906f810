//! Random lives of groups, compared at every step with a model that is simple enough to be right:
//! who is in which, in which order what arrives, how much is unread, and who may see what.

use std::collections::BTreeSet;

use ipc_protocol::conversation::Title;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::id::{ConversationId, MessageId};
use ipc_protocol::name::Name;
use ipc_protocol::request::{Conversation, ConversationReport, Read, Unregister};
use proptest::prelude::*;

use super::harness::Desk;
use super::{leave, read};
use crate::caller::Caller;
use crate::properties::cases;

const NAMES: [&str; 4] = ["ann", "bob", "cid", "dan"];
const GROUPS: usize = 3;

/// Something that an agent does: which, and with which group or other agent.
#[derive(Debug, Clone)]
enum Step {
    Create(usize, usize),
    Add(usize, usize, usize),
    Leave(usize, usize),
    Say(usize, usize),
    Answer(usize, usize),
    Write(usize, usize),
    Take(usize),
    End(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (who, group) = (|| 0..NAMES.len(), || 0..GROUPS);
    prop_oneof![
        2 => (who(), who()).prop_map(|(a, b)| Step::Create(a, b)),
        3 => (who(), group(), who()).prop_map(|(a, g, b)| Step::Add(a, g, b)),
        2 => (who(), group()).prop_map(|(a, g)| Step::Leave(a, g)),
        6 => (who(), group()).prop_map(|(a, g)| Step::Say(a, g)),
        3 => (who(), 0_usize..40).prop_map(|(a, m)| Step::Answer(a, m)),
        2 => (who(), who()).prop_map(|(a, b)| Step::Write(a, b)),
        3 => who().prop_map(Step::Take),
        1 => who().prop_map(Step::End),
    ]
}

/// Where a message was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Group(usize),
    /// Between two agents, or a note to oneself.
    Direct(usize, usize),
}

#[derive(Debug)]
struct Said {
    id: MessageId,
    place: Place,
    by: usize,
    /// Who got it, and has not taken it yet.
    waits: BTreeSet<usize>,
    /// Who got it.
    got: BTreeSet<usize>,
}

/// The store and what ought to be side by side.
struct Both {
    desk: Desk,
    callers: Vec<Caller>,
    ended: BTreeSet<usize>,
    groups: Vec<(ConversationId, BTreeSet<usize>)>,
    said: Vec<Said>,
}

impl Both {
    fn new() -> Self {
        let mut desk = Desk::new();
        let callers = NAMES.map(|name| desk.register(name, false).unwrap());
        Self {
            desk,
            callers: callers.into(),
            ended: BTreeSet::new(),
            groups: Vec::new(),
            said: Vec::new(),
        }
    }

    fn converse(
        &mut self,
        who: usize,
        what: &Conversation,
    ) -> Result<ConversationReport, ErrorCode> {
        let caller = self.callers[who].clone();
        self.desk.converse(&caller, what)
    }

    fn create(&mut self, who: usize, other: usize) {
        if self.groups.len() == GROUPS {
            return;
        }
        let made = self.converse(
            who,
            &Conversation::Create {
                title: Title::parse("a group").unwrap(),
                members: vec![NAMES[other].parse().unwrap()],
                idempotency_key: None,
            },
        );
        if self.ended.contains(&other) {
            assert_eq!(made.err(), Some(ErrorCode::UnknownRecipient));
            return;
        }
        let id = made.unwrap().conversations[0].id;
        self.groups.push((id, BTreeSet::from([who, other])));
    }

    fn add(&mut self, who: usize, group: usize, other: usize) {
        let Some(&(conversation_id, ref members)) = self.groups.get(group) else {
            return;
        };
        let is_member = members.contains(&who);
        let found = self.converse(
            who,
            &Conversation::Add {
                conversation_id,
                names: vec![NAMES[other].parse().unwrap()],
            },
        );
        if !is_member {
            assert_eq!(found.err(), Some(ErrorCode::NotFound));
        } else if self.ended.contains(&other) {
            assert_eq!(found.err(), Some(ErrorCode::UnknownRecipient));
        } else {
            let is_new = self.groups[group].1.insert(other);
            assert_eq!(found.unwrap().added.len(), usize::from(is_new));
        }
    }

    fn leave(&mut self, who: usize, group: usize) {
        let Some(&(conversation_id, _)) = self.groups.get(group) else {
            return;
        };
        let found = self.converse(who, &Conversation::Leave { conversation_id });
        let was_member = self.groups[group].1.remove(&who);
        assert_eq!(found.is_ok(), was_member);
    }

    /// What somebody stores, and who is to get it.
    fn stored(&mut self, by: usize, place: Place, to: BTreeSet<usize>, id: MessageId) {
        self.said.push(Said {
            id,
            place,
            by,
            waits: to.clone(),
            got: to,
        });
    }

    fn others(&self, who: usize, group: usize) -> BTreeSet<usize> {
        let members = self.groups[group].1.iter().copied();
        members.filter(|member| *member != who).collect()
    }

    fn say(&mut self, who: usize, group: usize) {
        let Some(&(id, ref members)) = self.groups.get(group) else {
            return;
        };
        let is_member = members.contains(&who);
        let caller = self.callers[who].clone();
        let found = self.desk.send(&caller, &id.to_string(), "said");
        let others = self.others(who, group);
        match found {
            Ok(sent) if is_member => {
                assert_eq!(sent.conversation, Some(id));
                self.stored(who, Place::Group(group), others, sent.message_id);
            }
            Err(ErrorCode::NotFound) => assert!(!is_member),
            Err(ErrorCode::UnknownRecipient) => assert!(is_member && others.is_empty()),
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, who: usize, message: usize) {
        let Some(parent) = self.said.get(message) else {
            return;
        };
        let (place, by, id) = (parent.place, parent.by, parent.id);
        let may_see = by == who || parent.got.contains(&who);
        let caller = self.callers[who].clone();
        let found = self.desk.reply(&caller, id, false);
        let to = match place {
            _ if !may_see => BTreeSet::new(),
            Place::Group(group) if self.groups[group].1.contains(&who) => self.others(who, group),
            Place::Group(_) => BTreeSet::new(),
            Place::Direct(..) if by == who || self.ended.contains(&by) => BTreeSet::new(),
            Place::Direct(..) => BTreeSet::from([by]),
        };
        match found {
            Ok(sent) => {
                assert!(!to.is_empty());
                if let Some(said) = self.said.get_mut(message) {
                    // Whoever answered has read it.
                    said.waits.remove(&who);
                }
                self.stored(who, place, to, sent.message_id);
            }
            Err(_) => assert!(to.is_empty()),
        }
    }

    fn write(&mut self, who: usize, other: usize) {
        if self.ended.contains(&other) {
            return;
        }
        let caller = self.callers[who].clone();
        let sent = self.desk.send(&caller, NAMES[other], "written").unwrap();
        assert_eq!(sent.conversation.is_some(), who != other);
        let place = Place::Direct(who.min(other), who.max(other));
        self.stored(who, place, BTreeSet::from([other]), sent.message_id);
    }

    /// What waits comes in the order in which it was said, and nothing else comes.
    fn take_mail(&mut self, who: usize) {
        let caller = self.callers[who].clone();
        let mail = self.desk.fetch(&caller);
        let all = mail.iter().map(|mail| mail.id).collect();
        self.desk.ack(&caller, all);
        let from_agents = mail.iter().filter(|mail| mail.from.is_some());
        let came: Vec<_> = from_agents.map(|mail| mail.id).collect();
        let mut expected = Vec::new();
        for said in &mut self.said {
            if said.waits.remove(&who) {
                expected.push(said.id);
            }
        }
        assert_eq!(came, expected);
    }

    fn end(&mut self, who: usize) {
        let caller = self.callers[who].clone();
        let ended = self
            .desk
            .act_as(&caller, |c| leave::unregister(&Unregister {}, &caller, c));
        ended.unwrap();
        self.ended.insert(who);
        for (_, members) in &mut self.groups {
            members.remove(&who);
        }
        for said in &mut self.said {
            said.waits.remove(&who);
        }
    }

    fn take(&mut self, step: &Step) {
        let (Step::Create(who, _)
        | Step::Add(who, _, _)
        | Step::Leave(who, _)
        | Step::Say(who, _)
        | Step::Answer(who, _)
        | Step::Write(who, _)
        | Step::Take(who)
        | Step::End(who)) = *step;
        if self.ended.contains(&who) {
            return;
        }
        match *step {
            Step::Create(who, other) => self.create(who, other),
            Step::Add(who, group, other) => self.add(who, group, other),
            Step::Leave(who, group) => self.leave(who, group),
            Step::Say(who, group) => self.say(who, group),
            Step::Answer(who, message) => self.answer(who, message),
            Step::Write(who, other) => self.write(who, other),
            Step::Take(who) => self.take_mail(who),
            Step::End(who) => self.end(who),
        }
    }

    /// Everybody sees in its list what ought to be there, and reads what it may.
    fn compare(&mut self) {
        for who in 0..NAMES.len() {
            if self.ended.contains(&who) {
                continue;
            }
            let report = self.converse(who, &Conversation::List { limit: Some(500) });
            let mut listed = BTreeSet::new();
            for row in report.unwrap().conversations {
                let own = |group: &(ConversationId, _)| group.0 == row.id;
                let Some(group) = self.groups.iter().position(own) else {
                    assert!(row.title.is_none(), "between two agents");
                    continue;
                };
                let members: Vec<_> = self.groups[group].1.iter().map(|m| NAMES[*m]).collect();
                let shown: Vec<_> = row.members.iter().map(Name::as_str).collect();
                assert_eq!(shown, members);
                let waits =
                    |said: &&Said| said.place == Place::Group(group) && said.waits.contains(&who);
                let unread = u64::try_from(self.said.iter().filter(waits).count()).unwrap();
                assert_eq!(row.unread, unread);
                listed.insert(group);
            }
            let in_groups = (0..self.groups.len()).filter(|g| self.groups[*g].1.contains(&who));
            assert_eq!(listed, in_groups.collect());
            self.compare_sight(who);
        }
    }

    fn compare_sight(&mut self, who: usize) {
        let caller = self.callers[who].clone();
        for said in &self.said {
            let request = Read {
                message_id: said.id,
                offset: 0,
            };
            let read = self
                .desk
                .act_as(&caller, |c| read::read(&request, &caller, c));
            let may_see = said.by == who || said.got.contains(&who);
            assert_eq!(read.is_ok(), may_see, "{said:?} by {who}");
        }
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn groups_hold_who_they_should_and_show_what_they_should(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let mut both = Both::new();
        for step in &steps {
            both.take(step);
            both.compare();
        }
    }
}
