//! Five hundred agents that send and wait, and for three quarters of the time two hostile processes
//! beside them, one without a credential and one with an agent's, that do all that they may and more.
//!
//! Times with them and without them are taken in turn in one run, so that a busy machine moves both. A
//! bound that does not hold is an error: this one measurement can fail.

mod agents;
mod raw;
mod stranger;
mod thief;
mod watch;

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipc_protocol::request::{Registered, Status};

use crate::daemon::Daemon;
use crate::figures::Figure;
use agents::{Stage, Times};
use watch::Watch;

/// Seconds under siege before the others have a quarter of the time for themselves, about.
const ROUND_S: u32 = 45;

/// Runs the siege for so many minutes, and a third of that without it.
pub(crate) fn run(minutes: u32) -> Result<(), Box<dyn Error>> {
    let besieged = Duration::from_secs(u64::from(minutes.max(1)).saturating_mul(60));
    let rounds = minutes.max(1).saturating_mul(60).div_ceil(ROUND_S).max(2);
    let daemon = Daemon::start_with("")?;
    let stage = Arc::new(Stage::default());
    let crowd = agents::gather(&daemon, &stage)?;
    let (mut overseer, registered) = daemon.enrol("thief")?;
    let mut hostile = [
        Hostile::start("stranger", &daemon, &registered)?,
        Hostile::start("thief", &daemon, &registered)?,
    ];
    let mut watch = Watch::over(daemon.pid());
    for _ in 0..rounds {
        let siege = besieged.checked_div(rounds).unwrap_or_default();
        watch.during(siege.checked_div(3).unwrap_or_default(), false, &stage)?;
        for process in &mut hostile {
            process.say("on")?;
        }
        stage.besieged.store(true, Ordering::SeqCst);
        watch.during(siege, true, &stage)?;
        stage.besieged.store(false, Ordering::SeqCst);
        for process in &mut hostile {
            process.say("off")?;
        }
        watch.end_round();
    }
    let mut said = Vec::new();
    for process in hostile {
        said.push(process.end()?);
    }
    stage.is_over.store(true, Ordering::SeqCst);
    let times = agents::leave(crowd)?;
    let faults = overseer.call(&Status {})?.counters.faults;
    drop(overseer);
    daemon.stop()?;
    report(times, &watch, faults, &said)
}

fn report(
    mut times: Times,
    watch: &Watch,
    faults: u64,
    said: &[String],
) -> Result<(), Box<dyn Error>> {
    let figures = [
        Figure::new(
            "send with the hostile ones over without, p99",
            times.sends.ratio(),
            2.0,
        ),
        Figure::new(
            "send to waiting reader, the same, p99",
            times.arrivals.ratio(),
            2.0,
        ),
        Figure::new("daemon, resident MiB at most", watch.most_mib(), 64.0),
        Figure::new(
            "growth from the first third to the last, MiB",
            watch.growth_mib(),
            4.0,
        ),
        Figure::new(
            "descriptors at rest, last over first",
            watch.descriptors_left(),
            2.0,
        ),
        Figure::new("errors of the others", f64::from(times.errors), 0.0),
        Figure::new(
            "faults of the daemon",
            f64::from(u32::try_from(faults)?),
            0.0,
        ),
    ];
    let mut out = io::stdout().lock();
    for line in said {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{times}")?;
    writeln!(out, "{watch}")?;
    for figure in &figures {
        writeln!(out, "{figure}")?;
    }
    if figures.iter().all(Figure::is_met) {
        return Ok(());
    }
    Err("a bound does not hold".into())
}

/// A process that is hostile when it is told to be.
#[derive(Debug)]
struct Hostile(Child);

impl Hostile {
    fn start(kind: &str, daemon: &Daemon, of: &Registered) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["hostile", kind])
            .arg(daemon.socket()?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.as_mut().ok_or("no standard input")?;
        writeln!(stdin, "{}", of.session.expose().as_str())?;
        Ok(Self(child))
    }

    fn say(&mut self, word: &str) -> Result<(), Box<dyn Error>> {
        let stdin = self.0.stdin.as_mut().ok_or("no standard input")?;
        Ok(writeln!(stdin, "{word}")?)
    }

    /// What it was told, once it has ended; an error if that was anything but a typed refusal.
    fn end(mut self) -> Result<String, Box<dyn Error>> {
        drop(self.0.stdin.take());
        let mut said = String::new();
        let mut output = self.0.stdout.take().ok_or("no standard output")?;
        output.read_to_string(&mut said)?;
        if self.0.wait()?.success() {
            return Ok(said.trim_end().to_owned());
        }
        Err("the hostile process met something else than a typed refusal".into())
    }
}

/// Is hostile to the daemon at `socket` whenever standard input says so, until that ends.
pub(crate) fn hostile(kind: &str, socket: &str) -> Result<(), Box<dyn Error>> {
    let mut words = BufReader::new(io::stdin());
    let mut session = String::new();
    words.read_line(&mut session)?;
    let is_on = Arc::new(AtomicBool::new(false));
    let is_over = Arc::new(AtomicBool::new(false));
    let told = (Arc::clone(&is_on), Arc::clone(&is_over));
    let listens = thread::Builder::new().spawn(move || {
        for word in words.lines().map_while(Result::ok) {
            told.0.store(word == "on", Ordering::SeqCst);
        }
        told.1.store(true, Ordering::SeqCst);
    })?;
    let mut acts: Box<dyn Acts> = match kind {
        "stranger" => Box::new(stranger::Stranger::new(Path::new(socket))),
        "thief" => Box::new(thief::Thief::new(Path::new(socket), session.trim())?),
        _ => return Err("no such hostile one".into()),
    };
    while !is_over.load(Ordering::SeqCst) {
        if is_on.load(Ordering::SeqCst) {
            acts.act()?;
        } else {
            acts.rest();
            thread::sleep(Duration::from_millis(50));
        }
    }
    listens.join().map_err(|_| "the listener ended badly")?;
    writeln!(io::stdout(), "{}", acts.said())?;
    Ok(())
}

/// What a hostile one does.
trait Acts {
    /// One of each thing that it does; an error where it is told something else than a refusal.
    fn act(&mut self) -> Result<(), Box<dyn Error>>;

    /// Lets go of everything.
    fn rest(&mut self);

    /// What it was told, and how often.
    fn said(&self) -> String;
}
