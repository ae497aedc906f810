//! Who is served, under the scheduler: agents that come and come back, revocations, the end of the
//! daemon and mail on its way, in thousands of orders.

mod house;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ipc_protocol::name::Recipient;
use ipc_protocol::request::{AdminRevoke, Fetch, Fetched, Renew, Request, Revoke, Send};
use ipc_protocol::rpc::Reply;

use self::house::{House, ROOM_FOR, agent, name, template};
use super::admit;
use super::session::Session;
use crate::auth::Proven;
use crate::caller::{Caller, Newcomer};
use crate::daemon::{Daemon, stopped};
use crate::dispatch::{self, Speaker};
use crate::presence::Ended;
use crate::scheduler::{Room, Work, explore, others_may_run};
use crate::store::credentials;

/// Sessions under which somebody is served now.
type Served = Rc<RefCell<Vec<Caller>>>;

/// Asks as `speaker`, and says what it came to.
async fn ask(
    request: Request,
    speaker: &Speaker,
    ended: Option<Ended>,
    daemon: &Arc<Daemon>,
) -> Reply {
    let reply = dispatch::dispatch(1, request, speaker, ended, false, daemon).await;
    let answer = reply.await;
    if let Some(lease) = answer.lease {
        lease.keep();
    }
    Reply::decode(&answer.payload).unwrap()
}

/// A connection that has been let in: it is served until its session ends, or the daemon does.
async fn serve(session: Session, caller: Caller, daemon: Arc<Daemon>, served: Served) {
    served.borrow_mut().push(caller.clone());
    let mut stopping = daemon.stopping.clone();
    tokio::select! {
        biased;
        _ = Session::end_of(Some(&session)) => {}
        () = stopped(&mut stopping) => {}
    }
    let at = served
        .borrow()
        .iter()
        .position(|other| other.session() == caller.session());
    served.borrow_mut().swap_remove(at.unwrap());
}

/// A connection that proves a session, as `admit` takes it in.
async fn return_with(caller: Caller, daemon: Arc<Daemon>, served: Served) {
    let place = Arc::clone(&daemon.places).acquire_owned().await;
    let (sid, shared) = (caller.session(), Arc::clone(&daemon.shared));
    let found = daemon
        .reader
        .run(move |view| Ok(credentials::find(view.db, &shared.key, sid)?));
    let Some(credential) = found.await.unwrap() else {
        return;
    };
    // The proof comes over the wire.
    others_may_run().await;
    let lifetime = credential.lifetime;
    let proven = Proven::Agent {
        caller: caller.clone(),
        lifetime,
    };
    if let Ok((_, session)) = admit::enter(proven, &daemon).await {
        serve(session.unwrap(), caller, Arc::clone(&daemon), served).await;
    }
    drop(place);
}

/// A connection that registers, as `Conversation` does it.
async fn register(name: &str, newcomer: Newcomer, daemon: Arc<Daemon>, served: Served) {
    let place = Arc::clone(&daemon.places).acquire_owned().await;
    let enrolled = house::register(name, newcomer, &daemon).await;
    if let Ok(enrolled) = enrolled {
        let session = Session::given(&enrolled.caller, enrolled.lifetime, &daemon).unwrap();
        serve(session, enrolled.caller, Arc::clone(&daemon), served).await;
    }
    drop(place);
}

/// How the sessions of an agent come to an end here.
#[derive(Debug, Clone, Copy)]
enum End {
    /// By an operator.
    Admin,
    /// By the agent itself.
    Own,
    /// By a takeover, which makes one of its own.
    Takeover,
}

/// Ends the sessions of alice, who speaks as `own` and can come back as `again`.
async fn end_sessions(end: End, own: Caller, again: Newcomer, daemon: Arc<Daemon>, served: Served) {
    let own = Speaker::Agent(own);
    match end {
        End::Admin => {
            let operator = Speaker::Newcomer(house::secret());
            let name = Recipient::Name(name("alice"));
            let request = Request::AdminRevoke(AdminRevoke { name });
            drop(ask(request, &operator, None, &daemon).await);
        }
        End::Own => {
            drop(ask(Request::Renew(Renew {}), &own, None, &daemon).await);
            let request = Request::Revoke(Revoke { all: true });
            drop(ask(request, &own, None, &daemon).await);
        }
        End::Takeover => register("alice", again, daemon, served).await,
    }
}

/// Agents come and go while sessions are ended, and the daemon stops now or later.
fn run(template: &Room, seed: u64, end: End, stops_in_between: bool) {
    let mut house = House::new(template, seed);
    let alice = house.enrol("alice");
    let served = Served::default();
    let shared = || (house.daemon(), Rc::clone(&served));
    let mut comings: Vec<(&str, Work)> = Vec::new();
    for name in ["returning", "returning too"] {
        let (daemon, served) = shared();
        let caller = alice.caller.clone();
        comings.push((name, Box::pin(return_with(caller, daemon, served))));
    }
    for (name, newcomer) in [("alice", alice.again()), ("bob", house::secret())] {
        let (daemon, served) = shared();
        comings.push((name, Box::pin(register(name, newcomer, daemon, served))));
    }
    let (daemon, seen) = shared();
    let ending = end_sessions(end, alice.caller.clone(), alice.again(), daemon, seen);
    comings.push(("ending", Box::pin(ending)));
    if stops_in_between {
        let stop = house.stop.clone();
        let stopping = async move {
            others_may_run().await;
            stop.send_replace(true);
        };
        comings.push(("stop", Box::pin(stopping)));
    }
    for (name, work) in comings {
        house.scheduler.spawn(name, work);
    }
    house.run();
    house.check_served(&served.borrow(), alice.caller.agent());
    let stays = !served.borrow().is_empty();
    assert!(!(stops_in_between && stays), "served after the stop");
    house.stop();
    assert!(served.borrow().is_empty(), "served after the stop");
}

fn all_orders(end: End, runs: u64) {
    let template = template();
    explore(runs, |seed| run(&template, seed, end, seed % 3 == 0));
}

#[test]
fn nobody_whose_agent_was_revoked_stays_served_in_any_order() {
    all_orders(End::Admin, 100);
}

#[test]
fn nobody_whose_session_its_agent_ended_stays_served_in_any_order() {
    all_orders(End::Own, 100);
}

#[test]
fn of_two_takeovers_at_once_one_stays_and_is_told_so() {
    all_orders(End::Takeover, 100);
}

/// What those who wait were given.
type Got = Rc<RefCell<Vec<String>>>;

/// `agent` begins to wait for one message; a refusal is nothing.
fn wait_for_one(house: &mut House, agent: &house::Agent, got: &Got) {
    let (daemon, caller) = (house.daemon(), agent.caller.clone());
    let (session, got) = (house.session(agent), Rc::clone(got));
    house.scheduler.spawn("waiting", async move {
        let fetch = Fetch {
            wait_ms: 60_000,
            limit: Some(1),
            ..Fetch::default()
        };
        let speaker = Speaker::Agent(caller);
        let ended = Some(session.ended());
        let reply = ask(Request::Fetch(fetch), &speaker, ended, &daemon).await;
        if let Ok(fetched) = reply.outcome {
            let fetched: Fetched = serde_json::from_value(fetched).unwrap();
            let texts = fetched.messages.into_iter().map(|mail| mail.text);
            got.borrow_mut().extend(texts);
        }
    });
}

/// `agent` sends `text` to bob.
fn send(house: &mut House, agent: &house::Agent, text: &'static str) {
    let (daemon, speaker) = (house.daemon(), Speaker::Agent(agent.caller.clone()));
    house.scheduler.spawn(text, async move {
        let send = Send {
            text: text.to_owned(),
            ..house::to("bob")
        };
        let reply = ask(Request::Send(send), &speaker, None, &daemon).await;
        assert!(reply.outcome.is_ok());
    });
}

/// Time stands still here, so that whoever missed its mail waits for ever.
fn mail_on_its_way(template: &Room, seed: u64) {
    let mut house = House::new(template, seed);
    let (alice, bob) = (house.enrol("alice"), house.enrol("bob"));
    let got = Got::default();
    for _ in 0..2 {
        wait_for_one(&mut house, &bob, &got);
    }
    for text in ["one", "two"] {
        send(&mut house, &alice, text);
    }
    house.run();
    got.borrow_mut().sort();
    assert_eq!(
        *got.borrow(),
        ["one", "two"],
        "{:?} wait",
        house.scheduler.waiting()
    );
    house.check_served(&[], agent(&alice));
    house.stop();
}

#[test]
fn mail_that_comes_while_somebody_begins_to_wait_is_not_missed_in_any_order() {
    let template = template();
    explore(100, |seed| mail_on_its_way(&template, seed));
}

#[test]
fn mail_that_somebody_waits_for_is_taken_in_the_transaction_that_brings_it() {
    let mut house = House::new(&template(), 1);
    let (alice, bob) = (house.enrol("alice"), house.enrol("bob"));
    let got = Got::default();
    wait_for_one(&mut house, &bob, &got);
    house.run();
    let before = house.daemon().shared.counters.commits();
    send(&mut house, &alice, "one");
    house.run();
    assert_eq!(*got.borrow(), ["one"]);
    assert_eq!(house.daemon().shared.counters.commits(), before + 1);
    house.stop();
}

/// Bob waits while alice writes to him and his sessions end: what he was not given is free.
fn mail_for_whoever_is_revoked(template: &Room, seed: u64) {
    let mut house = House::new(template, seed);
    let (alice, bob) = (house.enrol("alice"), house.enrol("bob"));
    let got = Got::default();
    wait_for_one(&mut house, &bob, &got);
    if seed.is_multiple_of(2) {
        house.run();
    }
    send(&mut house, &alice, "one");
    let daemon = house.daemon();
    house.scheduler.spawn("revoking", async move {
        let operator = Speaker::Newcomer(house::secret());
        let name = Recipient::Name(name("bob"));
        let request = Request::AdminRevoke(AdminRevoke { name });
        drop(ask(request, &operator, None, &daemon).await);
    });
    house.run();
    let is_given = !got.borrow().is_empty();
    assert_eq!(house.leases(), i64::from(is_given), "given: {is_given}");
    house.stop();
}

#[test]
fn mail_that_a_revoked_agent_waited_for_is_given_or_free_in_any_order() {
    let template = template();
    explore(100, |seed| mail_for_whoever_is_revoked(&template, seed));
}

const _: () = assert!(
    ROOM_FOR >= 3,
    "fewer places than connections that wait for one another"
);
