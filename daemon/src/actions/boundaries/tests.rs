//! Boundaries on a database in memory: each refusal, and what passes.

mod around;

use ipc_protocol::request::{Fetch, Notice, Read, RecipientOutcome, Rename, Reply};

use super::*;
use crate::actions::harness::Desk;
use crate::actions::{fetch, leave, notice, read, rename, reply};
use crate::audit::event::SessionEnd;
use crate::store::credentials;

fn ask(
    desk: &mut Desk,
    owner: &Caller,
    request: &Boundaries,
) -> Result<BoundariesReport, ErrorCode> {
    desk.act_as(owner, |c| boundaries(request, owner, c))
}

fn say(
    desk: &mut Desk,
    owner: &Caller,
    peer: &str,
    rule: BoundaryRule,
) -> Result<BoundariesReport, ErrorCode> {
    let request = Boundaries {
        peer: Some(peer.parse().unwrap()),
        rule: Some(rule),
        allow_only: None,
    };
    ask(desk, owner, &request)
}

fn hold_strangers(desk: &mut Desk, owner: &Caller, on: bool) -> BoundariesReport {
    let request = Boundaries {
        allow_only: Some(on),
        ..Boundaries::default()
    };
    ask(desk, owner, &request).unwrap()
}

fn trio(desk: &mut Desk) -> [Caller; 3] {
    ["alice", "bob", "carol"].map(|name| desk.register(name, false).unwrap())
}

/// What can be fetched, without the daemon's notices.
fn texts(desk: &mut Desk, who: &Caller) -> Vec<String> {
    let mail = desk.fetch(who);
    desk.ack(who, mail.iter().map(|mail| mail.id).collect());
    let letters = mail.into_iter().filter(|mail| mail.from.is_some());
    letters.map(|mail| mail.text).collect()
}

fn answer(desk: &mut Desk, who: &Caller, text: &str) -> Result<(), ErrorCode> {
    let request = Reply {
        message_id: None,
        text: text.to_owned(),
        data: None,
        idempotency_key: None,
        private: false,
        is_final: true,
    };
    desk.act_as(who, |c| reply::reply(&request, who, c))
        .map(|_| ())
}

fn is_told(desk: &mut Desk, who: &Caller) -> bool {
    let request = Notice::default();
    desk.act_as(who, |c| notice::notice(&request, who, c))
        .unwrap()
        .report
        .is_due
}

#[test]
fn mail_of_a_blocked_agent_is_refused_and_nothing_is_stored() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    let id = alice.agent().to_string();
    for to in ["alice", "ALICE", &id] {
        assert_eq!(
            desk.send(&bob, to, "let me in").unwrap_err(),
            ErrorCode::Blocked
        );
    }
    assert_eq!(desk.number("SELECT count(*) FROM messages"), 0);
    desk.send(&carol, "alice", "from carol").unwrap();
    desk.send(&alice, "bob", "the other way").unwrap();
    assert_eq!(texts(&mut desk, &alice), ["from carol"]);
    assert_eq!(texts(&mut desk, &bob), ["the other way"]);
    assert_eq!(
        answer(&mut desk, &bob, "an answer").unwrap_err(),
        ErrorCode::Blocked
    );
}

#[test]
fn a_rule_is_for_one_other_agent_that_exists() {
    let mut desk = Desk::new();
    let [alice, ..] = trio(&mut desk);
    for (peer, code) in [
        ("nobody", ErrorCode::UnknownRecipient),
        ("a.0000000000000", ErrorCode::UnknownRecipient),
        ("all", ErrorCode::Malformed),
        ("alice", ErrorCode::Conflict),
    ] {
        let refused = say(&mut desk, &alice, peer, BoundaryRule::Block);
        assert_eq!(refused.unwrap_err(), code, "{peer}");
    }
    let half = Boundaries {
        rule: Some(BoundaryRule::Block),
        ..Boundaries::default()
    };
    assert_eq!(
        ask(&mut desk, &alice, &half).unwrap_err(),
        ErrorCode::Malformed
    );
    assert_eq!(desk.number("SELECT count(*) FROM boundaries"), 0);
}

#[test]
fn an_agent_has_so_many_rules_and_no_more() {
    let mut desk = Desk::new();
    let alice = desk.register("alice", false).unwrap();
    let block = |desk: &mut Desk, number: u32| {
        let name = format!("peer-{number}");
        desk.register(&name, false).unwrap();
        say(desk, &alice, &name, BoundaryRule::Block)
    };
    for number in 0..RULES_PER_AGENT {
        block(&mut desk, number).unwrap();
    }
    assert_eq!(block(&mut desk, 999).unwrap_err(), ErrorCode::TooLarge);
    say(&mut desk, &alice, "peer-0", BoundaryRule::Mute).unwrap();
    say(&mut desk, &alice, "peer-0", BoundaryRule::None).unwrap();
    say(&mut desk, &alice, "peer-999", BoundaryRule::Block).unwrap();
}

#[test]
fn a_blocked_agent_stays_blocked_under_another_name_and_its_old_name_is_nobodys_fault() {
    let mut desk = Desk::new();
    let [alice, bob, _] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    let new = Rename {
        new_name: "robert".parse().unwrap(),
    };
    desk.act_as(&bob, |c| rename::rename(&new, &bob, c))
        .unwrap();
    assert_eq!(
        desk.send(&bob, "alice", "x").unwrap_err(),
        ErrorCode::Blocked
    );
    desk.pass(3 * 3_600);
    let another = desk.register("bob", false).unwrap();
    desk.send(&another, "alice", "I am new here").unwrap();
    let rules = ask(&mut desk, &alice, &Boundaries::default())
        .unwrap()
        .rules;
    assert_eq!(rules[0].name.as_str(), "robert");
}

#[test]
fn a_broadcast_leaves_out_who_blocks_and_is_no_veto() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    let sent = desk.send(&bob, "all", "to everybody").unwrap();
    let names: Vec<_> = sent.recipients.iter().map(|to| to.name.as_str()).collect();
    assert_eq!(names, ["carol"]);
    say(&mut desk, &carol, "bob", BoundaryRule::Block).unwrap();
    let refused = desk.send(&bob, "all", "to nobody").unwrap_err();
    assert_eq!(
        refused,
        ErrorCode::UnknownRecipient,
        "as when nobody is there"
    );
}

#[test]
fn nobody_is_shown_the_rules_of_others() {
    let mut desk = Desk::new();
    let [alice, bob, _] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    assert!(
        ask(&mut desk, &bob, &Boundaries::default())
            .unwrap()
            .rules
            .is_empty()
    );
}

#[test]
fn with_an_agent_go_its_rules_and_those_for_it() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    say(&mut desk, &bob, "carol", BoundaryRule::Allow).unwrap();
    hold_strangers(&mut desk, &bob, true);
    desk.send(&alice, "bob", "held for ever?").unwrap();
    let gone = ipc_protocol::request::Unregister {};
    let left = desk
        .act_as(&bob, |c| leave::unregister(&gone, &bob, c))
        .unwrap();
    assert_eq!(left.refused, 1, "what was held");
    assert_eq!(desk.number("SELECT count(*) FROM boundaries"), 0);
    assert_eq!(desk.number("SELECT count(*) FROM allow_only"), 0);
    drop(carol);
}

#[test]
fn mail_of_a_stranger_is_held_outside_the_mailbox_until_its_owner_says_so() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    say(&mut desk, &alice, "carol", BoundaryRule::Allow).unwrap();
    let sent = desk.send(&bob, "alice", "may I?").unwrap();
    assert_eq!(sent.recipients[0].outcome, RecipientOutcome::Held);
    assert!(!is_told(&mut desk, &alice));
    desk.send(&carol, "alice", "allowed").unwrap();
    assert_eq!(texts(&mut desk, &alice), ["allowed"]);
    let look = Read {
        message_id: sent.message_id,
        offset: 0,
    };
    let read = desk.act_as(&alice, |c| read::read(&look, &alice, c));
    assert_eq!(
        read.unwrap_err(),
        ErrorCode::NotFound,
        "no mail of hers yet"
    );
    let held = ask(&mut desk, &alice, &Boundaries::default()).unwrap().held;
    assert_eq!((held[0].name.as_str(), held[0].messages), ("bob", 1));
    let report = say(&mut desk, &alice, "bob", BoundaryRule::Allow).unwrap();
    assert_eq!((report.released, report.held.len()), (1, 0));
    assert!(is_told(&mut desk, &alice));
    assert_eq!(texts(&mut desk, &alice), ["may I?"]);
}

#[test]
fn held_mail_that_is_refused_or_forgotten_is_reported_to_its_sender() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    desk.send(&bob, "alice", "one").unwrap();
    desk.send(&bob, "alice", "two").unwrap();
    desk.send(&carol, "alice", "three").unwrap();
    let report = say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    assert_eq!((report.refused, report.held.len()), (2, 1));
    let notices = desk.fetch(&bob);
    assert_eq!(notices.len(), 2);
    assert!(notices.iter().all(|mail| mail.event.is_some()));
    desk.pass(8 * 86_400);
    // Whoever is not seen for so long is forgotten; these are here.
    for who in [&alice, &bob, &carol] {
        ask(&mut desk, who, &Boundaries::default()).unwrap();
    }
    desk.sweep();
    assert_eq!(desk.fetch(&carol).len(), 1, "expired");
    assert!(texts(&mut desk, &alice).is_empty());
}

#[test]
fn an_answer_to_ones_own_message_is_no_first_contact() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    desk.send(&alice, "bob", "a question").unwrap();
    assert_eq!(texts(&mut desk, &bob), ["a question"]);
    answer(&mut desk, &bob, "an answer").unwrap();
    assert_eq!(texts(&mut desk, &alice), ["an answer"]);
    let sent = desk.send(&bob, "alice", "and something else").unwrap();
    assert_eq!(sent.recipients[0].outcome, RecipientOutcome::Held);
    desk.send(&carol, "bob", "x").unwrap();
}

#[test]
fn the_daemons_own_notices_pass_every_boundary() {
    let mut desk = Desk::new();
    let [alice, bob, _] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    let new = Rename {
        new_name: "robert".parse().unwrap(),
    };
    desk.act_as(&bob, |c| rename::rename(&new, &bob, c))
        .unwrap();
    assert!(desk.fetch(&alice)[0].event.is_some());
}

#[test]
fn turning_the_allow_list_off_loses_nothing_that_was_held() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    desk.send(&bob, "alice", "one").unwrap();
    desk.send(&carol, "alice", "two").unwrap();
    assert_eq!(hold_strangers(&mut desk, &alice, false).released, 2);
    assert_eq!(texts(&mut desk, &alice), ["one", "two"]);
}

#[test]
fn a_stranger_has_as_much_room_among_what_is_held_as_in_a_mailbox() {
    let mut desk = Desk::new();
    desk.limits.mailbox_unread_per_sender = 2;
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    desk.send(&bob, "alice", "one").unwrap();
    desk.send(&bob, "alice", "two").unwrap();
    assert_eq!(
        desk.send(&bob, "alice", "three").unwrap_err(),
        ErrorCode::MailboxFull
    );
    desk.send(&carol, "alice", "one").unwrap();
}

#[test]
fn muted_mail_waits_to_be_read_and_nobody_is_told_of_it() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Mute).unwrap();
    let sent = desk.send(&bob, "alice", "hush").unwrap();
    assert_eq!(
        sent.recipients[0].outcome,
        RecipientOutcome::Stored,
        "bob is not told"
    );
    assert!(!is_told(&mut desk, &alice));
    let muted = desk.act(|c| boundaries::muted(c, alice.agent()));
    assert_eq!(muted.unwrap(), 1);
    let peek = Fetch {
        peek: true,
        ..Fetch::default()
    };
    let seen = desk
        .act_as(&alice, |c| fetch::peek(&peek, &alice, c))
        .unwrap();
    assert_eq!(seen.messages.len(), 1);
    desk.send(&carol, "alice", "hello").unwrap();
    assert!(is_told(&mut desk, &alice));
    assert_eq!(texts(&mut desk, &alice), ["hush", "hello"]);
}

#[test]
fn mail_that_waited_for_a_name_keeps_the_boundaries_of_whoever_takes_it() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    hold_strangers(&mut desk, &alice, true);
    desk.send(&bob, "alicia", "by the back door").unwrap();
    desk.send(&carol, "alicia", "a stranger's").unwrap();
    let new = Rename {
        new_name: "alicia".parse().unwrap(),
    };
    let renamed = desk
        .act_as(&alice, |c| rename::rename(&new, &alice, c))
        .unwrap();
    assert_eq!(renamed.adopted, 0);
    let held = ask(&mut desk, &alice, &Boundaries::default()).unwrap().held;
    assert_eq!((held.len(), held[0].name.as_str()), (1, "carol"));
    assert!(
        desk.fetch(&bob).iter().any(|mail| mail.event.is_some()),
        "bob is told"
    );
}

#[test]
fn who_was_allowed_is_not_who_claims_the_name_anew() {
    let mut desk = Desk::new();
    let [alice, bob, _] = trio(&mut desk);
    hold_strangers(&mut desk, &alice, true);
    say(&mut desk, &alice, "bob", BoundaryRule::Allow).unwrap();
    desk.act(|c| {
        Ok(credentials::void_all(
            c,
            bob.agent(),
            SessionEnd::RevokedByOperator,
        )?)
    })
    .unwrap();
    let claimed = desk.register("bob", false).unwrap();
    assert_eq!(claimed.agent(), bob.agent());
    let sent = desk.send(&claimed, "alice", "it is me").unwrap();
    assert_eq!(sent.recipients[0].outcome, RecipientOutcome::Held);
}
