//! The others: pairs that write to each other, each of both sending and waiting in turn.

use std::error::Error;
use std::fmt;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipc_protocol::client::{Client, ClientError};
use ipc_protocol::message::Handover;
use ipc_protocol::request::{Ack, Fetch};

use crate::daemon::{Daemon, message};
use crate::figures::{median, moment, percentile_99, timed};

/// Pairs of agents: 500 in all, of the 512 connections that there are.
const PAIRS: usize = 250;

/// How long a pair pauses between two exchanges.
const PAUSE: Duration = Duration::from_secs(4);

/// How long a wait lasts, so that nobody waits for long when all is over.
const WAIT: Duration = Duration::from_secs(5);

/// What a thread needs: its stack holds no frame.
const STACK: usize = 262_144;

/// What everybody sees.
#[derive(Debug, Default)]
pub(super) struct Stage {
    /// Whether the hostile one is at it.
    pub(super) besieged: AtomicBool,
    pub(super) is_over: AtomicBool,
    /// Agents to which something happened that must not.
    pub(super) errors: AtomicU32,
}

/// Times of one kind, with the hostile one and without.
#[derive(Debug, Default)]
pub(super) struct Both {
    with: Vec<Duration>,
    without: Vec<Duration>,
}

impl Both {
    fn add(&mut self, besieged: bool, time: Duration) {
        let times = if besieged {
            &mut self.with
        } else {
            &mut self.without
        };
        times.push(time);
    }

    fn append(&mut self, mut other: Self) {
        self.with.append(&mut other.with);
        self.without.append(&mut other.without);
    }

    /// The 99th percentile with the hostile one over that without.
    pub(super) fn ratio(&mut self) -> f64 {
        let without = percentile_99(&mut self.without).as_secs_f64();
        percentile_99(&mut self.with).as_secs_f64() / without
    }

    fn row(&self, what: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |times: &[Duration]| {
            let mut times = times.to_vec();
            let (p50, p99) = (median(&mut times), percentile_99(&mut times));
            let last = times.last().copied().unwrap_or_default();
            let number = times.len();
            format!("{number} times, p50 {p50:.1?}, p99 {p99:.1?}, longest {last:.1?}")
        };
        writeln!(f, "{what}, without: {}", show(&self.without))?;
        write!(f, "{what}, with: {}", show(&self.with))
    }
}

/// All times.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// From a send to its answer.
    pub(super) sends: Both,
    /// From a send to the moment in which whoever waits has the message.
    pub(super) arrivals: Both,
    pub(super) errors: u32,
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sends.row("send", f)?;
        writeln!(f)?;
        self.arrivals.row("send to waiting reader", f)
    }
}

/// A thread that is an agent.
type Playing = JoinHandle<Result<Times, ClientError>>;

/// Enrols all of them and has them begin.
pub(super) fn gather(daemon: &Daemon, stage: &Arc<Stage>) -> Result<Vec<Playing>, Box<dyn Error>> {
    let mut agents = Vec::new();
    for number in 0..PAIRS.saturating_mul(2) {
        agents.push(daemon.enrol(&format!("agent-{number}"))?.0);
    }
    let epoch = moment();
    let mut playing = Vec::new();
    for (number, client) in agents.into_iter().enumerate() {
        let partner = format!("agent-{}", number ^ 1);
        let agent = Agent {
            client,
            partner,
            stage: Arc::clone(stage),
            epoch,
            times: Times::default(),
        };
        // They do not all begin in the same moment.
        let offset = PAUSE.checked_div(500).unwrap_or_default();
        let offset = offset.saturating_mul(u32::try_from(number)?);
        let thread = thread::Builder::new().stack_size(STACK);
        playing.push(thread.spawn(move || agent.play(number % 2 == 0, offset))?);
    }
    Ok(playing)
}

/// Waits until all have left; their times.
pub(super) fn leave(playing: Vec<Playing>) -> Result<Times, Box<dyn Error>> {
    let mut all = Times::default();
    for thread in playing {
        match thread.join().map_err(|_| "an agent ended badly")? {
            Ok(times) => {
                all.sends.append(times.sends);
                all.arrivals.append(times.arrivals);
            }
            Err(_) => all.errors = all.errors.saturating_add(1),
        }
    }
    Ok(all)
}

/// One agent, and the one that it writes to.
#[derive(Debug)]
struct Agent {
    client: Client<UnixStream>,
    partner: String,
    stage: Arc<Stage>,
    epoch: Instant,
    times: Times,
}

impl Agent {
    /// Writes, or answers, until it is over.
    fn play(mut self, begins: bool, offset: Duration) -> Result<Times, ClientError> {
        let outcome = self.exchange(begins, offset);
        if let Err(error) = outcome {
            self.stage.errors.fetch_add(1, Ordering::SeqCst);
            return Err(error);
        }
        Ok(self.times)
    }

    fn exchange(&mut self, begins: bool, offset: Duration) -> Result<(), ClientError> {
        thread::sleep(offset);
        let is_over = |stage: &Stage| stage.is_over.load(Ordering::SeqCst);
        while !is_over(&self.stage) {
            if begins {
                self.send()?;
            }
            while !self.receive()? {
                if is_over(&self.stage) {
                    return Ok(());
                }
            }
            if begins {
                thread::sleep(PAUSE);
            } else {
                self.send()?;
            }
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), ClientError> {
        let besieged = self.stage.besieged.load(Ordering::SeqCst);
        let begun = self.epoch.elapsed().as_nanos();
        let text = format!("{begun} {besieged} the build is green, please review the change");
        let request = message(&self.partner, &text).map_err(|_| ClientError::Protocol)?;
        let time = timed(|| self.client.call(&request))?;
        self.times.sends.add(besieged, time);
        Ok(())
    }

    /// Waits for the partner's message; whether it came. Mail of anybody else is taken and passed over.
    fn receive(&mut self) -> Result<bool, ClientError> {
        let wait_ms = u32::try_from(WAIT.as_millis()).unwrap_or_default();
        let request = Fetch {
            wait_ms,
            ..Fetch::default()
        };
        let fetched = self.client.call_waiting(&request, WAIT)?;
        let now = self.epoch.elapsed();
        let mut came = false;
        for mail in &fetched.messages {
            let mut words = mail.text.split(' ');
            let begun = words.next().and_then(|word| word.parse().ok());
            if let Some(begun) = begun.map(Duration::from_nanos) {
                let besieged = words.next() == Some("true");
                self.times.arrivals.add(besieged, now.saturating_sub(begun));
                came = true;
            }
        }
        if !fetched.messages.is_empty() {
            self.client.call(&Ack {
                message_ids: fetched.messages.iter().map(|mail| mail.id).collect(),
                handover: Handover::Cli,
            })?;
        }
        Ok(came)
    }
}
