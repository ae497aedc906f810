//! The writer under the scheduler: those who hand in, those who give up, the end of the daemon and of
//! the store, in thousands of orders.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ipc_protocol::error::Refusal;
use ipc_protocol::id::AgentId;
use rand::RngExt;
use rusqlite::params;
use tokio::sync::watch;

use super::*;
use crate::error::ActionError;
use crate::mailboxes::Known;
use crate::scheduler::{Room, Scheduler, explore, others_may_run};

const SENDERS: i64 = 3;
const JOBS: i64 = 4;

/// What happens besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Nothing,
    /// A sender is cut off where it is.
    Gone,
    /// The daemon stops: who has handed in waits for it, nobody hands in more.
    Stop,
    /// The database is taken away.
    Broken,
    /// What one job wrote cannot be committed, nor can what others wrote beside it.
    Poison,
}

/// What that job breaks is looked at only when all is committed.
const TABLES: &str = "CREATE TABLE notes (note INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED) WITHOUT ROWID;
    CREATE TABLE stored (at INTEGER PRIMARY KEY, note INTEGER NOT NULL);";

/// The job that is poison, where one is.
const POISON: i64 = 102;

/// What is known of the jobs of one run.
#[derive(Default)]
struct Log {
    /// Each time that a job ran, and whether the store had been broken by then.
    ran: Mutex<Vec<(i64, bool)>>,
    is_broken: AtomicBool,
    has_poison: AtomicBool,
}

type Answers = Rc<RefCell<Vec<(i64, Done<()>)>>>;

const fn number(sender: i64, at: i64) -> i64 {
    sender.saturating_mul(100).saturating_add(at)
}

/// Whether job `number` refuses after it has written.
const fn refuses(number: i64) -> bool {
    number % 4 == 3
}

fn job(number: i64, log: Arc<Log>) -> impl FnOnce(&mut Context<'_>) -> Done<()> + Send {
    move |context| {
        let is_broken = log.is_broken.load(Ordering::Relaxed);
        log.ran.lock().unwrap().push((number, is_broken));
        let is_poison = number == POISON && log.has_poison.load(Ordering::Relaxed);
        let parent = is_poison.then_some(-1);
        let sql = "INSERT INTO notes (note, parent) VALUES (?1, ?2)";
        context.db.execute(sql, params![number, parent])?;
        context
            .db
            .execute("INSERT INTO stored (note) VALUES (?1)", [number])?;
        context
            .effects
            .push(Effect::MailAvailable(AgentId::from_row(number)));
        if refuses(number) {
            let code = ipc_protocol::error::ErrorCode::Forbidden;
            return Err(Refusal::new(code, "no").into());
        }
        Ok(())
    }
}

/// Hands in its jobs, some before it has heard of the ones before.
async fn send(
    sender: i64,
    hurry: u64,
    writer: Writer,
    log: Arc<Log>,
    answers: Answers,
    stopping: watch::Receiver<bool>,
) {
    let mut pending = Vec::new();
    for at in 0..JOBS {
        let number = number(sender, at);
        if *stopping.borrow() {
            break;
        }
        pending.push((number, writer.submit(job(number, Arc::clone(&log))).await));
        if hurry >> at & 1 == 0 {
            hear(&mut pending, &answers).await;
        }
    }
    drop(writer);
    hear(&mut pending, &answers).await;
}

async fn hear(pending: &mut Vec<(i64, Pending<()>)>, answers: &Answers) {
    for (number, pending) in pending.drain(..) {
        let answer = settle(pending).await;
        answers.borrow_mut().push((number, answer));
    }
}

fn run(template: &Room, seed: u64, trouble: Trouble) {
    let room = Rc::new(template.copy());
    let mut scheduler = Scheduler::new(seed);
    let shared = Arc::new(Shared::for_tests());
    for number in 0..SENDERS * 100 {
        shared.mailboxes.drained(AgentId::from_row(number), None);
    }
    let (db, guard) = room.open();
    db.execute_batch(TABLES).unwrap();
    let (writer, broken, work) = Writer::unstarted(db, guard, Arc::clone(&shared), 2);
    scheduler.spawn("writer", work);
    let (log, answers) = (Arc::new(Log::default()), Answers::default());
    log.has_poison
        .store(trouble == Trouble::Poison, Ordering::Relaxed);
    let (stop, stopping) = watch::channel(false);
    for sender in 0..SENDERS {
        let hurry = scheduler.rng().random();
        let (writer, log) = (writer.clone(), Arc::clone(&log));
        let (answers, stopping) = (Rc::clone(&answers), stopping.clone());
        let work = send(sender, hurry, writer, log, answers, stopping);
        scheduler.spawn(format!("sender {sender}"), work);
    }
    let weak = writer.weak();
    drop(writer);
    let (of, at) = (Arc::clone(&log), Rc::clone(&room));
    scheduler.spawn("trouble", async move {
        others_may_run().await;
        match trouble {
            Trouble::Nothing | Trouble::Gone | Trouble::Poison => weak.try_submit(job(299, of)),
            Trouble::Stop => drop(stop.send_replace(true)),
            Trouble::Broken => {
                at.take_away();
                of.is_broken.store(true, Ordering::Relaxed);
            }
        }
    });
    if trouble == Trouble::Gone {
        let polls = scheduler.rng().random_range(0..30);
        scheduler.run_for(polls);
        scheduler.cancel("sender 1");
    }
    scheduler.run();
    assert!(scheduler.waiting().is_empty(), "{:?}", scheduler.waiting());
    assert!(trouble == Trouble::Broken || broken.borrow().is_none());
    drop(scheduler);
    room.put_back();
    compare(&room, &log, &answers.borrow(), &shared, trouble);
}

/// What was answered, what ran, what is in the store and what came of it agree.
fn compare(room: &Room, log: &Log, answers: &[(i64, Done<()>)], shared: &Shared, trouble: Trouble) {
    let db = room.reader();
    let mut query = db.prepare("SELECT note FROM stored ORDER BY at").unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    let stored: Vec<i64> = rows.collect::<Result<_, _>>().unwrap();
    let ran = log.ran.lock().unwrap();
    let times = |number: i64| ran.iter().filter(|(other, _)| *other == number).count();
    let heard: BTreeSet<_> = answers.iter().map(|(number, _)| *number).collect();
    assert_eq!(heard.len(), answers.len(), "a job was answered twice");
    if !matches!(trouble, Trouble::Gone | Trouble::Stop) {
        let all = usize::try_from(SENDERS * JOBS).unwrap();
        assert_eq!(heard.len(), all, "a job was never answered");
    }
    for (number, answer) in answers {
        let is_stored = stored.contains(number);
        match answer {
            Ok(()) => assert!(is_stored && !refuses(*number) && times(*number) == 1),
            Err(ActionError::Refused(_)) => assert!(!is_stored && refuses(*number)),
            Err(ActionError::Fault(fault)) => {
                assert!(!is_stored, "stored, and answered with {fault}");
                let may_fail = matches!(trouble, Trouble::Broken | Trouble::Poison);
                assert!(may_fail, "{fault}");
            }
        }
        let is_poison = trouble == Trouble::Poison && *number == POISON;
        assert!(!is_poison || answer.is_err(), "poison was acknowledged");
        let late = ran.contains(&(*number, true)) && answer.is_ok();
        assert!(!late, "acknowledged after the store was broken");
    }
    for sender in 0..SENDERS {
        let own = stored.iter().filter(|number| *number / 100 == sender);
        assert!(own.is_sorted(), "out of order: {stored:?}");
    }
    for number in 0..SENDERS * 100 {
        assert!(times(number) <= 1, "{number} ran twice");
        let known = shared.mailboxes.known(AgentId::from_row(number));
        let has_mail = known == Known::Maybe;
        assert_eq!(has_mail, stored.contains(&number), "an effect of {number}");
    }
}

fn all_orders(trouble: Trouble, runs: u64) {
    let template = Room::new(|_| ());
    explore(runs, |seed| run(&template, seed, trouble));
}

#[test]
fn every_job_is_answered_once_in_every_order() {
    all_orders(Trouble::Nothing, 100);
}

#[test]
fn a_sender_that_is_cut_off_leaves_the_others_answered() {
    all_orders(Trouble::Gone, 100);
}

#[test]
fn a_stop_in_between_leaves_nothing_that_was_handed_in_unanswered() {
    all_orders(Trouble::Stop, 100);
}

#[test]
fn nothing_is_acknowledged_after_the_store_broke_in_every_order() {
    all_orders(Trouble::Broken, 100);
}

#[test]
fn what_is_not_committed_is_acknowledged_to_nobody_and_has_no_effect_in_any_order() {
    all_orders(Trouble::Poison, 100);
}
