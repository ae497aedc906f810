//! The process killed at its own calls: before a write, in the middle of one, after it, around
//! every flush, when a file goes, before a reply.

use std::sync::atomic::AtomicBool;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fresh_seed;
use super::library::{Library, was_killed};
use crate::harness::{GENEROUS, Home, Post, Round, enrol, report, scale};

/// Senders at once, and what each sends before the daemon is stopped in good order: then the log
/// has been full at least once.
const SENDERS: usize = 3;
const MESSAGES: usize = 120;

/// A call, what happens there, and how often it surely comes in one life of the daemon.
const POINTS: [(&str, &str, usize); 12] = [
    ("write:wal", "kill", 300),
    ("write:wal", "tear", 300),
    ("written:wal", "kill", 300),
    ("flush:wal", "kill", 30),
    ("flushed:wal", "kill", 30),
    ("ack:socket", "kill", 100),
    ("write:database", "kill", 20),
    ("write:database", "tear", 20),
    ("flush:database", "kill", 1),
    ("flushed:database", "kill", 1),
    ("flush:directory", "kill", 1),
    ("unlink:wal", "kill", 1),
];

#[test]
fn killed_at_any_of_its_calls_it_has_lost_nothing_that_it_acknowledged() {
    let mut rng = StdRng::seed_from_u64(fresh_seed());
    let home = Home::new();
    home.configure(GENEROUS);
    let plain = Library::new(&home).silent();
    let mut daemon = plain.start(&home);
    let mut post = Post::new(&home, SENDERS);
    daemon.kill();
    let mut number = 0;
    for _ in 0..scale(3, 40) {
        for (point, what, most) in POINTS {
            let time = rng.random_range(1..=most);
            let fault = format!("{point}:{time}:{time}:{what}");
            number += 1;
            live(&home, &mut post, number, &fault);
        }
        // Kills in turn, each on what the one before left; looked at after each kind has been.
        let mut daemon = plain.start(&home);
        post.assert_kept(&home);
        daemon.kill();
    }
    let total = post.total();
    assert!(total > number, "the load was no load");
    report(&format!(
        "{number} kills at named calls, {total} acknowledgements compared"
    ));
}

/// One life of the daemon under load, which ends at the point that `fault` names: while mail
/// comes in, or when it stops.
fn live(home: &Home, post: &mut Post, number: usize, fault: &str) {
    let Ok(daemon) = Library::with_fault(home, fault).try_start(home) else {
        // It was reached before the daemon was ready.
        return;
    };
    let round = Round {
        number,
        most: MESSAGES,
        may_end: &AtomicBool::new(true),
        progress: None,
    };
    if post.send(home, &round, || {}).is_empty() {
        drop(home.run(&["daemon", "stop"]));
    }
    let said = daemon.end();
    assert!(was_killed(&said), "{fault} was not reached: {said:?}");
}

#[test]
fn killed_at_any_call_of_its_first_start_it_starts_the_next_time() {
    let points = [
        ("open:any", scale(3, 1)),
        ("write:any", scale(29, 1)),
        ("written:any", scale(41, 1)),
        ("flush:any", 1),
        ("flushed:any", scale(3, 1)),
        ("rename:any", 1),
        ("unlink:any", 1),
    ];
    for (point, step) in points {
        let mut kills = 0;
        for time in (1..).step_by(step) {
            let home = Home::new();
            home.configure("");
            let library = Library::with_fault(&home, &format!("{point}:{time}:{time}:kill"));
            if let Ok(mut daemon) = library.try_start(&home) {
                daemon.kill();
                break;
            }
            kills += 1;
            let mut daemon = library.without_fault().start(&home);
            enrol(&home, "alice");
            daemon.kill();
        }
        assert!(
            kills > 0 || point == "unlink:any",
            "{point} was never reached"
        );
        report(&format!("{kills} kills at {point} of a first start"));
    }
}
