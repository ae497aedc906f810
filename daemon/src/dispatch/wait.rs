//! Requests that wait: asleep until mail comes, a lease ends, or their time is over.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::WAIT_MS;
use ipc_protocol::message::WaitEnd;
use ipc_protocol::request::{Fetch, Fetched, Notice, NoticeReport};
use ipc_protocol::time::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::waiting_fetch::{Empty, WaitingFetch, is_an_answer};
use crate::actions;
use crate::actions::notice::Looked;
use crate::caller::Caller;
use crate::daemon::{Daemon, stopped};
use crate::error::{Done, Fault};
use crate::lease::Leased;
use crate::presence::{Ended, ended};
use crate::store::context::{Context, View};
use crate::store::credentials;

/// Takes what is there; if there is nothing, waits as long as the request says.
pub(crate) async fn fetch(
    request: Fetch,
    caller: Caller,
    session_end: Option<Ended>,
    daemon: Arc<Daemon>,
) -> Done<Leased<Fetched>> {
    let deadline = deadline(request.wait_ms, &daemon);
    let fetch = WaitingFetch::new(request, caller, Arc::clone(&daemon)).await?;
    let subscription = daemon
        .shared
        .mailboxes
        .subscribe(fetch.caller.agent(), fetch.wanted);
    let taker = || Taker::new(fetch.caller.agent(), Arc::clone(&daemon));
    // Dropped before the subscription, which keeps the mailbox in memory.
    let _taker = fetch.wanted.takes_all().then(taker);
    let mut stopping = daemon.stopping.clone();
    let mut session_over = Box::pin(over(session_end));
    let mut were_there = None;
    loop {
        // Listen before looking: mail that comes in between is heard of.
        let mut heard = Box::pin(subscription.notified());
        heard.as_mut().enable();
        let mut departed = Box::pin(daemon.shared.presence.departures());
        departed.as_mut().enable();
        let now = daemon.shared.clock.now().wall;
        let (lease_end, waiting);
        if let Some(Empty { until }) = fetch.known_empty(now) {
            (lease_end, waiting) = (until, 0);
        } else {
            let looked = fetch.take(were_there.clone().unwrap_or_default()).await?;
            let leased = looked.leased;
            if is_an_answer(&leased.reply) {
                return Ok(leased);
            }
            waiting = leased.reply.waiting;
            were_there.get_or_insert(looked.there);
            lease_end = looked.again;
        }
        let wake = lease_end.map_or(deadline, |end| deadline.min(moment(end, now)));
        let deferred = fetch.defer_take(&subscription, were_there.clone().unwrap_or_default());
        tokio::select! {
            () = heard => {}
            () = fetch.answerer_gone(departed, were_there.as_deref().unwrap_or_default()) => {}
            () = sleep_until(wake) => {
                if Instant::now() >= deadline {
                    return Ok(fetch.nothing(waiting, WaitEnd::TimedOut));
                }
            }
            refusal = &mut session_over => return Err(refusal.into()),
            () = stopped(&mut stopping) => return fetch.stopped(waiting),
        }
        if let Some(leased) = fetch.outcome_of(deferred, &subscription).await {
            return Ok(leased);
        }
    }
}

/// A fetch that takes whatever comes: nobody is told of what it is about to take.
struct Taker {
    agent: AgentId,
    daemon: Arc<Daemon>,
}

impl Taker {
    fn new(agent: AgentId, daemon: Arc<Daemon>) -> Self {
        daemon.shared.mailboxes.taker_came(agent);
        Self { agent, daemon }
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        self.daemon.shared.mailboxes.taker_went(self.agent);
    }
}

/// Waits until there is something to tell the caller's agent, or until it is told of mail in
/// another way than the request knows of.
pub(crate) async fn notice(
    mut request: Notice,
    caller: Caller,
    session_end: Option<Ended>,
    daemon: Arc<Daemon>,
) -> Done<NoticeReport> {
    let deadline = deadline(request.wait_ms, &daemon);
    let bell = daemon.shared.mailboxes.bell(caller.agent());
    let mut stopping = daemon.stopping.clone();
    let mut session_over = Box::pin(over(session_end));
    let mut known_mode = request.known_mode;
    loop {
        // Listen before looking: mail that comes in between rings this very bell.
        let mut rung = Box::pin(bell.notified());
        rung.as_mut().enable();
        let now = daemon.shared.clock.now().wall;
        let Looked { report, again } = ask(&request, &caller, &daemon).await?;
        request.afresh = false;
        let changed = *known_mode.get_or_insert(report.mode) != report.mode;
        if report.is_due || changed || Instant::now() >= deadline {
            return Ok(report);
        }
        let wake = again.map_or(deadline, |at| deadline.min(moment(at, now)));
        tokio::select! {
            () = rung => {}
            () = sleep_until(wake) => {}
            refusal = &mut session_over => return Err(refusal.into()),
            () = stopped(&mut stopping) => return Err(Fault::Stopping.into()),
        }
    }
}

/// Looks without the writer, and goes to it only for what it is to write down.
async fn ask(request: &Notice, caller: &Caller, daemon: &Daemon) -> Done<Looked> {
    let (request, agent) = (*request, caller.clone());
    if !request.afresh {
        let caller = caller.clone();
        let question = move |view: &View<'_>| {
            credentials::check_caller(view, caller.session())?;
            actions::notice::look(&request, &caller, view)
        };
        let looked = daemon.reader.run(question).await?;
        if !(looked.report.is_due && request.tell) {
            return Ok(looked);
        }
        if daemon.shared.mailboxes.has_taker(agent.agent()) {
            let Looked { mut report, again } = looked;
            report.is_due = false;
            return Ok(Looked { report, again });
        }
    }
    let work = move |context: &mut Context<'_>| {
        credentials::check_caller(context, agent.session())?;
        actions::notice::notice(&request, &agent, context)
    };
    daemon.writer.run(work).await
}

fn deadline(wait_ms: u32, daemon: &Daemon) -> Instant {
    let limits = &daemon.shared.limits;
    let most = limits.wait_s.saturating_mul(1_000).min(WAIT_MS);
    Instant::now() + Duration::from_millis(u64::from(wait_ms.min(most)))
}

async fn over(session_end: Option<Ended>) -> ipc_protocol::error::Refusal {
    match session_end {
        Some(end) => ended(end).await,
        None => std::future::pending().await,
    }
}

/// The moment at which wall time will be `at`, if the clock is not set.
fn moment(at: Timestamp, now: Timestamp) -> Instant {
    let ahead = u64::try_from(at.millis_since(now)).unwrap_or(0);
    // At least a little: a clock that stands still must not make this spin.
    Instant::now() + Duration::from_millis(ahead.max(10))
}
