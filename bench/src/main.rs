//! Speed and memory of the program `ipc`, measured beside the floor that the machine sets.
//!
//! Every figure is a ratio of two things measured in turn in one run, or of a whole process, so
//! that a busy or slow machine moves both sides. Nothing here passes or fails a test: the table
//! says the figure, what is aimed at, and whether it is met.
//!
//! `cargo build --release && cargo run --release -p ipc-bench`
//!
//! `ipc-bench send` takes a durable send apart. `ipc-bench siege MINUTES` is another thing: 500
//! agents with a hostile one beside them, and it fails when they notice.

mod daemon;
mod figures;
mod floor;
mod host;
mod idle_agents;
mod migration;
mod parts;
mod python;
mod siege;
mod talk;
mod usage;
mod waiter;

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use daemon::{Agent, Daemon};
use figures::{Figure, median, moment, timed};
use floor::Floor;
use waiter::Waiter;

/// Pairs of measurements for each ratio.
const PAIRS: usize = 400;

/// Processes started for each figure of a whole process.
const PROCESSES: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => measure(),
        ["send", programs @ ..] => parts::run(programs),
        ["siege", minutes] => siege::run(minutes.parse()?),
        ["hostile", kind, socket] => siege::hostile(kind, socket),
        _ => Err("`ipc-bench`, `ipc-bench send [PROGRAM…]` or `ipc-bench siege MINUTES`".into()),
    }
}

/// Every figure but those of the siege.
fn measure() -> Result<(), Box<dyn Error>> {
    let daemon = Daemon::start()?;
    let mut figures = vec![
        idle_memory()?,
        empty_check(&daemon)?,
        durable_send(&daemon)?,
        talk::group_send(&daemon)?,
        waiting_reader(&daemon)?,
    ];
    figures.extend(idle_agents::figures()?);
    figures.extend(host::figures(&daemon)?);
    figures.extend(python::figures(&daemon)?);
    let mut stranger = daemon.agent("stranger")?;
    stranger.send("nobody", "older than all that follows")?;
    figures.extend(growth(&daemon)?);
    figures.push(migration::figure(daemon.program_path())?);
    figures.extend(search(&daemon, &mut stranger)?);
    daemon.stop()?;
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<44} {:>12} {:>12}  met",
        "figure", "measured", "aim"
    )?;
    for figure in figures {
        writeln!(out, "{figure}")?;
    }
    Ok(())
}

/// Resident memory of a daemon that nobody uses, once it has checked the shared secret: for that it
/// takes as much as the derivation of a key is meant to cost.
fn idle_memory() -> Result<Figure, Box<dyn Error>> {
    let mut daemon = Daemon::start()?;
    // A new deployment derives a second verifier, at a moment that nobody hears of; the end waits for it.
    daemon.restart()?;
    while !daemon.has_checked_its_secret()? {}
    let resident = daemon.resident_mib()?;
    daemon.stop()?;
    Ok(Figure::new("daemon idle, resident MiB", resident, 10.0))
}

/// `ipc check` of an empty mailbox, from its start to its end.
fn empty_check(daemon: &Daemon) -> Result<Figure, Box<dyn Error>> {
    daemon.command(&["register", "checker"])?;
    let mut times = Vec::new();
    for _ in 0..PROCESSES {
        times.push(timed(|| daemon.command(&["--as", "checker", "check"]))?);
    }
    let milliseconds = median(&mut times).as_secs_f64() * 1_000.0;
    Ok(Figure::new(
        "`ipc check`, empty mailbox, p50 ms",
        milliseconds,
        8.0,
    ))
}

/// A durable send of one client, over an echo and a commit of such a row.
fn durable_send(daemon: &Daemon) -> Result<Figure, Box<dyn Error>> {
    let mut sender = daemon.agent("sender")?;
    let mut floor = Floor::new(daemon.room())?;
    let (mut sends, mut floors) = (Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let text = format!("message {number}: the build is green, please review the change");
        sends.push(timed(|| sender.send("reader", &text))?);
        floors.push(timed(|| floor.echo_and_commit(&text))?);
    }
    let ratio = median(&mut sends).as_secs_f64() / median(&mut floors).as_secs_f64();
    daemon.agent("reader")?.take_all()?;
    Ok(Figure::new(
        "durable send over echo + FULL commit, p50",
        ratio,
        1.6,
    ))
}

/// From a send to the moment in which somebody who waits has the message, over an echo and a commit of
/// such a row.
fn waiting_reader(daemon: &Daemon) -> Result<Figure, Box<dyn Error>> {
    let mut sender = daemon.agent("asker")?;
    let waiter = Waiter::start(daemon.agent("waiter")?)?;
    let mut floor = Floor::new(daemon.room())?;
    let (mut deliveries, mut floors) = (Vec::new(), Vec::new());
    for number in 0..PAIRS {
        let text = format!("message {number}: the build is green, please review the change");
        let begun = moment();
        sender.send("waiter", &text)?;
        deliveries.push(waiter.since(begun)?);
        // Meanwhile the reader confirms, and waits again.
        floors.push(timed(|| floor.echo_and_commit(&text))?);
    }
    waiter.end(&mut sender, "waiter")?;
    let ratio = median(&mut deliveries).as_secs_f64() / median(&mut floors).as_secs_f64();
    Ok(Figure::new(
        "send to waiting reader over echo + FULL, p50",
        ratio,
        2.0,
    ))
}

/// Send and check with 100,000 stored messages, over the same with 1,000.
fn growth(daemon: &Daemon) -> Result<[Figure; 2], Box<dyn Error>> {
    let mut sender = daemon.agent("grower")?;
    let mut reader = daemon.agent("grown")?;
    let mut measure = |target: u64| -> Result<(Duration, Duration), Box<dyn Error>> {
        while daemon.stored()? < target {
            sender.send_many("grown", 1_000)?;
            reader.take_all()?;
        }
        let (mut sends, mut checks) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            sends.push(timed(|| sender.send("grown", "one more"))?);
            checks.push(timed(|| reader.take_some())?);
        }
        Ok((median(&mut sends), median(&mut checks)))
    };
    let (small_send, small_check) = measure(1_000)?;
    let (large_send, large_check) = measure(100_000)?;
    let over = |large: Duration, small: Duration| large.as_secs_f64() / small.as_secs_f64();
    Ok([
        Figure::new(
            "send, 100,000 stored over 1,000, p50",
            over(large_send, small_send),
            1.3,
        ),
        Figure::new(
            "check, 100,000 stored over 1,000, p50",
            over(large_check, small_check),
            1.3,
        ),
    ])
}

/// As many terms as a search has, and as many beginnings among them, all in every message of
/// [`Agent::send_many`].
const MANY_TERMS: &str = "se* st* fi* filling of a store that is searched for \
                          words \"of a\" \"a store\" \"for words\" \"filling\"";

/// Searches in the 100,000 messages that [`growth`] left: for a word that is in few of them, for
/// two that are in all, and for one that is in all of them and in none of the searcher's own, which
/// are the oldest and the newest; and for as many terms as there may be.
fn search(daemon: &Daemon, stranger: &mut Agent) -> Result<[Figure; 4], Box<dyn Error>> {
    let mut searcher = daemon.agent("searcher")?;
    for _ in 0..3 {
        searcher.send("nobody", "a needle in it")?;
    }
    let mut sender = daemon.agent("grower-2")?;
    sender.send_many("nobody-2", 100)?;
    // Each has its own rate of searches.
    let mut other = daemon.agent("grower-3")?;
    other.send_many("nobody-3", 100)?;
    stranger.send("nobody", "newer than all of it")?;
    let measure = |agent: &mut Agent, query: &str| -> Result<f64, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..PROCESSES {
            times.push(timed(|| agent.search(query))?);
        }
        Ok(median(&mut times).as_secs_f64() * 1_000.0)
    };
    Ok([
        Figure::new(
            "search of 100,000, a rare word, p50 ms",
            measure(&mut searcher, "needle")?,
            20.0,
        ),
        Figure::new(
            "search of 100,000, two common words, p50 ms",
            measure(&mut sender, "filling sear*")?,
            20.0,
        ),
        Figure::new(
            "search of 100,000, common, none of one's own, p50 ms",
            measure(stranger, "filling")?,
            20.0,
        ),
        Figure::new(
            "search of 100,000, 16 terms that all have, p50 ms",
            measure(&mut other, MANY_TERMS)?,
            20.0,
        ),
    ])
}
