//! What a durable send is made of: the machine's own parts beside the daemon's, all measured in turn.
//!
//! `ipc-bench send [PROGRAM…]`: further programs `ipc`, of other builds, take their turn as well, so
//! that a change is compared with what was before it in one run.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::daemon::{Agent, CONFIG, Daemon};
use crate::figures::{median, moment, timed};
use crate::floor::Floor;
use crate::usage::Usage;
use crate::waiter::Waiter;

/// Rounds, in each of which everything has its turn.
const ROUNDS: u32 = 1_500;

/// Messages that wait for the reader, at most.
const UNREAD: u32 = 50;

/// One daemon that sends are measured with.
struct Contestant {
    name: String,
    daemon: Daemon,
    sender: Agent,
    reader: Agent,
    /// What it had used before the first, and after the last.
    before: Usage,
    after: Usage,
    times: Vec<Duration>,
    waiter: Waiter,
    /// From a send to the moment in which the waiter has the message.
    waits: Vec<Duration>,
}

impl Contestant {
    fn open(name: &str, program: &Path, config: &str) -> Result<Self, Box<dyn Error>> {
        let daemon = Daemon::start_program(program, config)?;
        let mut sender = daemon.agent("sender")?;
        let reader = daemon.agent("reader")?;
        let waiter = Waiter::start(daemon.agent("waiter")?)?;
        // The first takes what later ones find prepared.
        sender.send("reader", "the first")?;
        sender.send("waiter", "the first")?;
        waiter.since(moment())?;
        let before = Usage::of(daemon.pid())?;
        Ok(Self {
            name: name.to_owned(),
            daemon,
            sender,
            reader,
            before,
            after: before,
            times: Vec::new(),
            waiter,
            waits: Vec::new(),
        })
    }

    /// Sends to somebody who waits for it.
    fn send_to_waiter(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let begun = moment();
        self.sender.send("waiter", text)?;
        self.waits.push(self.waiter.since(begun)?);
        Ok(())
    }

    /// Writes its row, and ends it.
    fn close(
        mut self,
        out: &mut impl Write,
        [floor, beside]: [Duration; 2],
    ) -> Result<(), Box<dyn Error>> {
        let processor = self
            .after
            .processor_since(&self.before)
            .div_f64(f64::from(ROUNDS));
        let processor = processor.as_secs_f64() * 1e6;
        let written = self.after.written_kib_since(&self.before) / f64::from(ROUNDS);
        write_row(out, &self.name, &mut self.times, floor)?;
        writeln!(out, " {processor:>8.0} {written:>8.1}")?;
        write_row(out, "… to a waiting reader", &mut self.waits, beside)?;
        writeln!(out)?;
        self.waiter.end(&mut self.sender, "waiter")?;
        drop((self.sender, self.reader));
        self.daemon.stop()
    }
}

/// Measures, and writes the table.
pub(crate) fn run(programs: &[&str]) -> Result<(), Box<dyn Error>> {
    let own = Daemon::built()?;
    let bare = format!("sandbox = \"off\"\n{CONFIG}");
    let mut contestants = vec![
        Contestant::open("durable send", &own, CONFIG)?,
        Contestant::open("durable send, sandbox off", &own, &bare)?,
    ];
    for program in programs {
        contestants.push(Contestant::open(program, Path::new(program), CONFIG)?);
    }
    let room = tempfile::tempdir()?;
    let mut machine = Floor::new(room.path())?;
    let (mut echoes, mut commits, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let text = format!("message {number}: the build is green, please review the change");
        for contestant in &mut contestants {
            contestant
                .times
                .push(timed(|| contestant.sender.send("reader", &text))?);
        }
        echoes.push(timed(|| machine.echo(&text))?);
        commits.push(timed(|| machine.commit(&text))?);
        floors.push(timed(|| machine.echo_and_commit(&text))?);
        if number % UNREAD == 0 {
            contestants
                .iter_mut()
                .try_for_each(|contestant| contestant.reader.take_all())?;
        }
    }
    let beside = to_waiting_readers(&mut contestants, &mut machine)?;
    let floor = median(&mut floors);
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<44} {:>8} {:>8} {:>8} {:>8}",
        "", "p50 µs", "of floor", "CPU µs", "KiB"
    )?;
    for (name, times) in [
        ("echo", &mut echoes),
        ("FULL commit", &mut commits),
        ("echo + FULL commit, the floor", &mut floors),
    ] {
        write_row(&mut out, name, times, floor)?;
        writeln!(out)?;
    }
    contestants
        .into_iter()
        .try_for_each(|contestant| contestant.close(&mut out, [floor, beside]))
}

/// The same to somebody who waits for it; the floor meanwhile.
fn to_waiting_readers(
    contestants: &mut [Contestant],
    machine: &mut Floor,
) -> Result<Duration, Box<dyn Error>> {
    for contestant in &mut *contestants {
        contestant.after = Usage::of(contestant.daemon.pid())?;
    }
    let mut floors = Vec::new();
    for number in 0..ROUNDS {
        let text = format!("message {number}: the build is green, please review the change");
        for contestant in &mut *contestants {
            contestant.send_to_waiter(&text)?;
        }
        floors.push(timed(|| machine.echo_and_commit(&text))?);
    }
    Ok(median(&mut floors))
}

fn write_row(
    out: &mut impl Write,
    name: &str,
    times: &mut [Duration],
    floor: Duration,
) -> io::Result<()> {
    let time = median(times).as_secs_f64();
    let (micros, ratio) = (time * 1e6, time / floor.as_secs_f64());
    write!(out, "{name:<44} {micros:>8.0} {ratio:>8.2}")
}
