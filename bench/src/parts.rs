//! What a durable send is made of: the machine's own parts beside the daemon's, all measured in turn.
//!
//! `ipc-bench send [PROGRAM…]`: further programs `ipc`, of another build, take their turn as well.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::daemon::{Agent, CONFIG, Daemon};
use crate::figures::{median, timed};
use crate::floor::Floor;
use crate::rest;

/// Rounds, in each of which everything has its turn.
const ROUNDS: usize = 1_500;

/// Messages that wait for the reader, at most.
const UNREAD: usize = 50;

/// Clock ticks in a second, in microseconds.
const TICK: f64 = 10_000.0;

/// One daemon that sends are measured with.
struct Way {
    name: String,
    daemon: Daemon,
    sender: Agent,
    reader: Agent,
    before: (f64, f64),
    times: Vec<Duration>,
}

impl Way {
    fn open(name: String, program: &Path, config: &str) -> Result<Self, Box<dyn Error>> {
        let daemon = Daemon::start_program(program, config)?;
        let mut sender = daemon.agent("sender")?;
        let reader = daemon.agent("reader")?;
        // The first takes what later ones find prepared.
        sender.send_many("reader", 50)?;
        let before = rest::used(daemon.pid())?;
        Ok(Self {
            name,
            daemon,
            sender,
            reader,
            before,
            times: Vec::new(),
        })
    }
}

/// Measures, and writes the table.
pub(crate) fn run(programs: &[&str]) -> Result<(), Box<dyn Error>> {
    let own = Daemon::built()?;
    let mut ways = vec![
        Way::open("durable send".to_owned(), &own, CONFIG)?,
        Way::open(
            "durable send, sandbox off".to_owned(),
            &own,
            &format!("sandbox = \"off\"\n{CONFIG}"),
        )?,
    ];
    for program in programs {
        ways.push(Way::open(
            format!("durable send, {program}"),
            &PathBuf::from(program),
            CONFIG,
        )?);
    }
    let room = tempfile::tempdir()?;
    let mut floor = Floor::new(room.path())?;
    let (mut echoes, mut commits, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let text = format!("message {number}: the build is green, please review the change");
        for way in &mut ways {
            way.times.push(timed(|| way.sender.send("reader", &text))?);
        }
        if number % UNREAD == 0 {
            ways.iter_mut().try_for_each(|way| way.reader.take_all())?;
        }
        echoes.push(timed(|| floor.echo(&text))?);
        commits.push(timed(|| floor.commit(&text))?);
        floors.push(timed(|| floor.echo_and_commit(&text))?);
    }
    let floor = median(&mut floors);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<52} {:>8} {:>8} {:>8} {:>8}",
        "median", "µs", "ratio", "CPU µs", "KiB"
    )?;
    let ratio = |time: Duration| time.as_secs_f64() / floor.as_secs_f64();
    for (name, times) in [("echo", &mut echoes), ("FULL commit", &mut commits)] {
        let time = median(times);
        let micros = time.as_secs_f64() * 1e6;
        writeln!(out, "{name:<52} {micros:>8.0} {:>8.2}", ratio(time))?;
    }
    let micros = floor.as_secs_f64() * 1e6;
    writeln!(
        out,
        "{:<52} {micros:>8.0} {:>8.2}",
        "echo + FULL commit", 1.0
    )?;
    for mut way in ways {
        let time = median(&mut way.times);
        let used = rest::used(way.daemon.pid())?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let sends = ROUNDS as f64;
        writeln!(
            out,
            "{:<52} {:>8.0} {:>8.2} {:>8.0} {:>8.1}",
            way.name,
            time.as_secs_f64() * 1e6,
            ratio(time),
            (used.0 - way.before.0) * TICK / sends,
            (used.1 - way.before.1) / 1_024.0 / sends,
        )?;
        drop(way.sender);
        way.daemon.stop()?;
    }
    Ok(())
}
