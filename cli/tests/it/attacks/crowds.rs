//! More connections than there are places, than there are descriptors, than anybody reads; and a
//! daemon that the system kills in the middle.

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Instant;

use ipc_protocol::auth::Credential;
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::json;

use super::Resident;
use crate::harness::stranger::{Stranger, secret};
use crate::harness::{Home, Measured, Running, program, python};

/// Connections that are tried, and by how many processes: one may have few descriptors.
const CONNECTIONS: usize = 5_000;
const PROCESSES: usize = 10;

/// Connects to the socket at its first argument as often as its second says, keeps what it gets until
/// its standard input ends, and prints how many connections were made and how many were put off.
const CROWD: &str = "
import socket, sys
made, put_off = [], 0
for _ in range(int(sys.argv[2])):
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    try:
        client.connect(sys.argv[1])
        made.append(client)
    except BlockingIOError:
        put_off += 1
print(len(made), put_off, flush=True)
sys.stdin.read()
";

#[test]
fn of_five_thousand_connections_as_many_are_served_as_there_are_places_and_they_go_on() {
    let home = Home::new();
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let before = daemon.resident_kib();
    let mut crowd: Vec<_> = (0..PROCESSES).map(|_| start_crowd(&home)).collect();
    let mut tried = 0;
    for process in &mut crowd {
        let line = process.line();
        let counts = line
            .split_whitespace()
            .map(|count| count.parse::<usize>().unwrap());
        tried += counts.sum::<usize>();
    }
    assert_eq!(tried, CONNECTIONS);
    for _ in 0..20 {
        resident.is_well();
        let connections = resident.status()["connections"].as_u64().unwrap();
        assert!(connections <= 512, "{connections} are served");
    }
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < 16_384, "{grown} KiB more of memory");
    drop(crowd);
    while resident.status()["connections"] != 1 {
        resident.waits_a_tenth_of_a_second();
    }
    home.ok(&["register", "newcomer"]);
}

fn start_crowd(home: &Home) -> Running {
    let mut command = python(CROWD);
    command.arg(home.data_dir().socket());
    command.arg((CONNECTIONS / PROCESSES).to_string());
    Running::start(command.stdin(Stdio::piped()))
}

/// Connections that are tried with 32 descriptors.
const MORE_THAN_FIT: usize = 40;

const NO_DESCRIPTOR: &str = "a connection could not be accepted";

#[test]
fn with_32_descriptors_accepting_backs_off_without_spinning_and_all_are_served_in_the_end() {
    let home = Home::new();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 32; exec \"$0\" daemon run --autostarted"]);
    limited.arg(program()).env_clear().env("HOME", home.path());
    let daemon = Measured::run(&home, &mut limited);
    let mut resident = Resident::move_in(&home);
    let registered = Stranger::proved(&home, &secret(&home)).register("crowd");
    let session = Credential::Token(registered.session);
    let (let_in, comes) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..MORE_THAN_FIT {
            let (let_in, home, session) = (let_in.clone(), &home, &session);
            scope.spawn(move || let_in.send(Stranger::proved(home, session)).unwrap());
        }
        let mut held = Vec::new();
        while daemon.logged(NO_DESCRIPTOR) == 0 {
            held.extend(comes.try_iter());
        }
        resident.is_well();
        let (begun, ticks, failed) = (now(), daemon.ticks(), daemon.logged(NO_DESCRIPTOR));
        while daemon.logged(NO_DESCRIPTOR) < failed + 20 {
            resident.waits_a_tenth_of_a_second();
        }
        let tries = daemon.logged(NO_DESCRIPTOR) - failed;
        let passed = begun.elapsed().as_millis();
        let at_least = 80 * (u128::try_from(tries).unwrap() - 2);
        assert!(passed >= at_least, "{tries} tries in {passed} ms");
        let ticks = daemon.ticks() - ticks;
        assert!(
            u128::from(ticks) * 10 < passed / 2,
            "{ticks} ticks in {passed} ms: it spins"
        );
        resident.is_well();
        for _ in held.len()..MORE_THAN_FIT {
            held.clear();
            held.push(comes.recv().unwrap());
        }
    });
    resident.is_well();
}

#[expect(
    clippy::disallowed_methods,
    reason = "a pause is at least as long as it says"
)]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn a_reader_that_never_reads_is_given_bounded_memory_and_dropped_after_half_a_minute() {
    let home = Home::new();
    home.configure("[limits]\nfetch_per_minute = 100000\n");
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let registered = Stranger::proved(&home, &secret(&home)).register("deaf");
    let session = Credential::Token(registered.session);
    let mut deaf = Stranger::proved(&home, &session);
    let text = "x".repeat(10_000);
    for _ in 0..20 {
        let sent = deaf
            .ask("send", &json!({"to": "deaf", "text": text}))
            .unwrap();
        assert!(sent["error"].is_null(), "{sent}");
    }
    let before = daemon.resident_kib();
    // 200 MB of replies.
    for _ in 0..1_000 {
        deaf.call("fetch", &json!({"peek": true}));
    }
    resident.is_well();
    let mut hung_up = [PollFd::new(deaf.stream(), PollFlags::empty())];
    let patience = rustix::time::Timespec {
        tv_sec: 120,
        tv_nsec: 0,
    };
    assert_eq!(
        poll(&mut hung_up, Some(&patience)).unwrap(),
        1,
        "it is dropped"
    );
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < 16_384, "{grown} KiB more of memory");
    resident.is_well();
    assert_eq!(resident.status()["connections"], 1);
}

#[test]
fn a_daemon_killed_for_memory_is_started_by_the_next_command_and_has_all_it_acknowledged() {
    let home = Home::new();
    home.configure("[limits]\nsend_burst = 1000\n");
    let mut daemon = Measured::start(&home);
    let bob = home.register("bob");
    let mut sender = Stranger::proved(&home, &secret(&home));
    sender.register("alice");
    let texts: Vec<_> = (0..100).map(|number| format!("message {number}")).collect();
    for text in &texts {
        let sent = sender
            .ask("send", &json!({"to": "bob", "text": text}))
            .unwrap();
        assert!(sent["error"].is_null(), "{sent}");
    }
    daemon.kill();
    let mut taken = Vec::new();
    loop {
        let some = bob.texts();
        if some.is_empty() {
            break;
        }
        taken.extend(some);
    }
    assert_eq!(taken, texts);
}
