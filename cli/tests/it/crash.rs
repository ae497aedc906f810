//! The daemon killed under load: what it acknowledged is there, once.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use rand::rngs::{StdRng, SysRng};
use rand::{RngExt, SeedableRng};

use crate::harness::{GENEROUS, Home, Post, Round, report, scale};

/// Senders that keep it busy.
const SENDERS: usize = 4;

#[test]
fn every_acknowledged_message_survives_thirty_kills_exactly_once_and_in_order() {
    let kills = scale(30, 200);
    let home = Home::new();
    home.configure(GENEROUS);
    let mut daemon = start(&home);
    let mut post = Post::new(&home, SENDERS);
    let mut rng = StdRng::try_from_rng(&mut SysRng).unwrap();
    for kill in 0..kills {
        load(&home, &mut post, kill, &mut daemon, &mut rng);
        daemon = start(&home);
        if kill % 10 == 9 {
            // Now and then, so that a mailbox of a long run does not slow every message down.
            post.assert_kept(&home);
        }
    }
    let total = post.total();
    assert!(total > kills, "the load was no load: {total} messages");
    post.assert_kept(&home);
    report(&format!(
        "{kills} kills at random, {total} acknowledgements compared"
    ));
    stop(&mut daemon);
}

/// Lets every sender send until the daemon is killed.
fn load(home: &Home, post: &mut Post, number: usize, daemon: &mut Child, rng: &mut StdRng) {
    let killed = AtomicBool::new(false);
    let (progress, made) = mpsc::channel();
    let round = Round {
        number,
        most: usize::MAX,
        may_end: &killed,
        progress: Some(progress),
    };
    // At a random point of a random batch: after so many acknowledgements, at once.
    let enough = rng.random_range(1..200);
    post.send(home, &round, || {
        for _ in 0..enough {
            // Far more than an acknowledgement takes: without one there is no load.
            made.recv_timeout(Duration::from_mins(1)).unwrap();
        }
        killed.store(true, Ordering::SeqCst);
        stop(daemon);
    });
}

/// Starts the daemon in the foreground, and waits until it is ready.
fn start(home: &Home) -> Child {
    use std::io::{BufRead, BufReader};
    let mut command = home.command(&["daemon", "run", "--autostarted"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(line, "ready\n");
    child
}

fn stop(daemon: &mut Child) {
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}
