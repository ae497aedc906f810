//! No acknowledged message is lost: not when the power goes at any moment, not when the process is
//! killed at any of its calls, not when the disk fails.
//!
//! A library that is preloaded into the real daemon (`power/trace.c`) records what it writes,
//! flushes and replies. Two checks read the record: one that every acknowledgement came after the
//! flush of what it promises (`order.rs`), and one that cuts the power after any event, builds what
//! the disk may then hold (`disk.rs`), opens it, and looks (`judge.rs`). Both must fail on a store
//! that runs under `synchronous=NORMAL` (`stand_in.rs`): this shows that they can see.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "offsets and counts of a record that the test itself has made"
)]

mod disk;
mod faults;
mod judge;
mod kills;
mod library;
mod order;
mod renames;
mod restores;
mod stand_in;
mod trace;

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::AtomicBool;

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, RngExt, SeedableRng};

use crate::harness::{GENEROUS, Home, Letter, Post, Round, kept, report, scale};
use disk::Disk;
use library::Library;
use trace::{Promise, Trace};

/// Senders at once, and what each sends: enough for several checkpoints.
const SENDERS: usize = 4;
const MESSAGES: usize = 75;

/// A run that was recorded: the disk before it, what happened, and what was promised when.
struct Recorded {
    before: Disk,
    trace: Trace,
    promises: Vec<Promise>,
}

impl Recorded {
    /// What each sender had heard to be stored when event `at` had happened.
    fn promised(&self, at: usize) -> Vec<Vec<Letter>> {
        let made = self.promises.iter().filter(|promise| promise.at <= at);
        judge::by_sender(made.map(|promise| promise.letter.clone()))
    }
}

/// The first start of a daemon, load, and its stop.
fn daemon_under_load(home: &Home) -> (Recorded, Post) {
    home.configure(GENEROUS);
    let library = Library::new(home);
    let before = Disk::of(home.data_dir().root());
    let daemon = library.start(home);
    let mut post = Post::new(home, SENDERS);
    let round = Round {
        number: 0,
        most: MESSAGES,
        may_end: &AtomicBool::new(false),
        progress: None,
    };
    post.send(home, &round, || {});
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
    let trace = library.trace();
    let promises = trace.acknowledged(post.acknowledged.concat());
    assert_eq!(promises.len(), SENDERS * MESSAGES);
    let run = Recorded {
        before,
        trace,
        promises,
    };
    (run, post)
}

#[test]
fn every_acknowledgement_comes_after_the_flush_of_what_it_promises() {
    let (daemon, _) = daemon_under_load(&Home::new());
    order::check(&daemon.trace, &daemon.promises).unwrap();
    let full = stand_in::run(&Home::new(), "FULL");
    order::check(&full.trace, &full.promises).unwrap();
    let normal = stand_in::run(&Home::new(), "NORMAL");
    let seen = order::check(&normal.trace, &normal.promises).unwrap_err();
    assert!(seen.contains("before it was flushed"), "{seen}");
}

#[test]
fn whenever_the_power_goes_every_acknowledged_message_is_there() {
    let seed = fresh_seed();
    let states = scale(200, 3_000);
    let (daemon, _) = daemon_under_load(&Home::new());
    let (seen, compared) = cut_everywhere(&daemon, states, seed).unwrap();
    assert!(seen == states && compared > states, "{seen} {compared}");
    let full = stand_in::run(&Home::new(), "FULL");
    cut_everywhere(&full, states / 5, seed).unwrap();
    let normal = stand_in::run(&Home::new(), "NORMAL");
    let lost = cut_everywhere(&normal, states / 5, seed).unwrap_err();
    assert!(lost.contains("missing"), "{lost}");
}

#[test]
fn whenever_the_power_goes_the_next_daemon_hands_every_acknowledged_message_over() {
    let seed = fresh_seed();
    let mut rng = StdRng::seed_from_u64(seed);
    let (run, post) = daemon_under_load(&Home::new());
    let first = run.promises.iter().map(|promise| promise.at).min().unwrap();
    let mut disk = run.before.clone();
    let mut cuts: Vec<_> = (0..scale(8, 120))
        .map(|_| rng.random_range(first..run.trace.events.len()))
        .collect();
    cuts.sort_unstable();
    for (at, event) in run.trace.events.iter().enumerate() {
        disk.apply(event, &mut rng);
        for _ in cuts.iter().filter(|cut| **cut == at) {
            let home = Home::new();
            home.configure("");
            disk.cut(home.data_dir().root(), &mut rng);
            let mut daemon = home.start(&["daemon", "run", "--autostarted"]);
            assert_eq!(daemon.line(), "ready\n", "seed {seed}, event {at}");
            let kept = kept(&run.promised(at), &post.take(&home));
            kept.unwrap_or_else(|why| panic!("seed {seed}, event {at}: {why}"));
            daemon.kill();
        }
    }
    report(&format!(
        "{} power cuts, each with a daemon after it",
        cuts.len()
    ));
}

/// Cuts the power `states` times, at events spread over all of them; how many states were looked
/// at, and how many promises were held against them.
fn cut_everywhere(run: &Recorded, states: usize, seed: u64) -> Result<(usize, usize), String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut disk = run.before.clone();
    let all = run.trace.events.len();
    let (mut seen, mut compared) = (0, 0);
    for (at, event) in run.trace.events.iter().enumerate() {
        disk.apply(event, &mut rng);
        // As many as fall on this event when they are spread evenly, and the rest by chance.
        let due = (at + 1) * states / all - at * states / all;
        for _ in 0..due {
            let room = private_room();
            disk.cut(room.path(), &mut rng);
            let kept = judge::look(room.path(), &run.promised(at));
            compared += kept.map_err(|why| {
                let event: String = format!("{event:?}").chars().take(60).collect();
                format!("seed {seed}, power cut after event {at} of {all}, {event}…: {why}")
            })?;
            seen += 1;
        }
    }
    report(&format!(
        "{seen} power cuts over {all} events, {compared} acknowledgements compared"
    ));
    Ok((seen, compared))
}

/// Where the randomness of a run comes from; a failure says which it was.
fn fresh_seed() -> u64 {
    StdRng::try_from_rng(&mut SysRng).unwrap().next_u64()
}

/// A directory as the daemon wants its own to be.
fn private_room() -> tempfile::TempDir {
    let private = std::fs::Permissions::from_mode(0o700);
    let mut room = tempfile::Builder::new();
    room.prefix("ipc-").permissions(private);
    // Thousands of them: in memory, where the system has such a place.
    room.tempdir_in("/dev/shm")
        .or_else(|_| room.tempdir())
        .unwrap()
}

#[test]
fn wherever_the_power_goes_in_the_first_start_the_next_one_comes_up() {
    let seed = fresh_seed();
    let home = Home::new();
    home.configure("");
    let library = Library::new(&home);
    let before = Disk::of(home.data_dir().root());
    let daemon = library.start(&home);
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
    let run = Recorded {
        before,
        trace: library.trace(),
        promises: Vec::new(),
    };
    let states = run.trace.events.len() * scale(2, 40);
    cut_everywhere(&run, states, seed).unwrap();
}
