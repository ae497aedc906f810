//! What ends a command that waits: a signal, the end of its host, nobody who reads its output.
//!
//! Threads wait for these; the command itself sleeps in a request or a pause. Either is cut short:
//! the connection is hung up from here, the pause is woken. Nothing else is interrupted, so that
//! what was begun (printing, acknowledging) is done first. A program that runs beside is not
//! touched from here: whoever started it is woken, and ends it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use ipc_protocol::client::{Breaker, UnknownHost};
use ipc_protocol::process;
use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Deadline;
use crate::failure::Failure;
use crate::front::{self, Front};

/// How often it is looked whether the host still runs.
const HOST_ROUND: Duration = Duration::from_secs(1);

/// Something that ends a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// SIGINT, SIGTERM or SIGHUP.
    Signal,
    /// The process that stands for the agent has ended.
    HostEnds,
    /// The other end of standard output was closed.
    OutputCloses,
}

/// Whether it is over, and what to cut short when it is.
#[derive(Debug)]
pub(crate) struct Stop {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    over: bool,
    /// The connection on which a request waits.
    line: Option<Breaker>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let mut state = self.state();
        state.over = true;
        if let Some(line) = state.line.take() {
            line.hang_up();
        }
        drop(state);
        self.changed.notify_all();
    }
}

impl Stop {
    /// Ends it at the first of `causes`.
    pub(crate) fn on(causes: &[Cause]) -> Result<Self, Failure> {
        let shared = Arc::<Shared>::default();
        for cause in causes {
            let shared = Arc::clone(&shared);
            let begun = match cause {
                Cause::Signal => await_signal(shared),
                Cause::HostEnds => await_host(shared),
                Cause::OutputCloses => watch(shared, "output", await_output),
            };
            begun.map_err(|error| Failure::local(format!("starting a thread: {error}")))?;
        }
        Ok(Self { shared })
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        self.shared.state().over
    }

    /// Waits for `wait`, or until it is over; says whether it is.
    pub(crate) fn pause(&self, wait: Duration) -> bool {
        self.wait_while(wait, |state| !state.over).over
    }

    /// Runs `until` on a thread of its own; the result says when it has returned.
    pub(crate) fn begin(
        &self,
        name: &str,
        until: impl FnOnce() + Send + 'static,
    ) -> io::Result<Awaited> {
        let awaited = Awaited::default();
        let (shared, has_ended) = (Arc::clone(&self.shared), Arc::clone(&awaited.has_ended));
        let run = move || {
            until();
            // Under the lock, so that nobody looks just before it and sleeps just after.
            let state = shared.state();
            has_ended.store(true, Ordering::Release);
            drop(state);
            shared.changed.notify_all();
        };
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(run).map(|_| awaited)
    }

    /// Waits until `awaited` has ended, or it is over; says whether the former has.
    pub(crate) fn pause_for(&self, awaited: &Awaited) -> bool {
        drop(self.wait_while(Duration::MAX, |state| !state.over && !awaited.has_ended()));
        awaited.has_ended()
    }

    /// Waits until `awaited` has ended, over or not, for at most `wait`; says whether it has.
    pub(crate) fn await_end(&self, awaited: &Awaited, wait: Duration) -> bool {
        drop(self.wait_while(wait, |_| !awaited.has_ended()));
        awaited.has_ended()
    }

    fn wait_while(
        &self,
        wait: Duration,
        goes_on: impl Fn(&State) -> bool,
    ) -> MutexGuard<'_, State> {
        let deadline = Deadline::after(wait);
        let mut state = self.shared.state();
        while goes_on(&state) {
            let Some(left) = deadline.remaining() else {
                break;
            };
            let woken = self.shared.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    /// Makes a call that waits; it fails at once when it is over.
    pub(crate) fn while_waiting<T>(
        &self,
        front: &mut Front,
        call: impl FnOnce(&mut Front) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let line = front
            .breaker()
            .map_err(|error| Failure::local(format!("the connection: {error}")))?;
        let mut state = self.shared.state();
        if state.over {
            return Err(Failure::local("it was told to end"));
        }
        state.line = Some(line);
        drop(state);
        let outcome = call(front);
        self.shared.state().line = None;
        outcome
    }
}

/// Something that a thread waits for.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    has_ended: Arc<AtomicBool>,
}

impl Awaited {
    fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }
}

fn watch(shared: Arc<Shared>, name: &str, until: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name(name.to_owned());
    let run = move || {
        until();
        shared.end();
    };
    thread.spawn(run).map(|_| ())
}

fn await_signal(shared: Arc<Shared>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Taken before anything is done that a signal should find them at.
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(entered);
    watch(shared, "signals", move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        });
    })
}

fn await_host(shared: Arc<Shared>) -> io::Result<()> {
    let Some((_, host)) = front::own_host(UnknownHost::default()) else {
        return Ok(());
    };
    watch(shared, "host", move || {
        while process::is_running(host.pid, host.start_ticks) {
            thread::sleep(HOST_ROUND);
        }
    })
}

/// Waits until nobody can read what is written.
fn await_output() {
    let output = io::stdout();
    let mut closed = [PollFd::new(&output, PollFlags::empty())];
    while poll(&mut closed, None) == Err(rustix::io::Errno::INTR) {}
}
