//! Many at once, silent ones, and ones that never read: those who are served are served on.

use serde_json::json;

use crate::harness::raw::{Raw, call, frame};
use crate::harness::{Agent, House};

fn all_is_well(agent: &mut Agent) {
    let own = agent.registered.name.to_string();
    agent.send(&own, "all is well");
    assert_eq!(agent.check(), ["all is well"]);
}

#[test]
fn a_silent_stranger_is_pushed_out_when_others_wait_for_its_place() {
    let house = House::with_config("[limits]\nunauthenticated = 1\n");
    let mut silent = Raw::stranger(&house);
    let mut alice = house.register("alice");
    assert!(silent.next().is_none(), "closed without a word");
    all_is_well(&mut alice);
}

#[test]
fn a_stranger_that_says_half_a_hello_is_silent_too() {
    let house = House::with_config("[limits]\nunauthenticated = 2\n");
    let hello = frame(&call(1, "hello", &json!({})));
    let mut slow = Raw::stranger(&house);
    slow.write(&hello[..3]);
    let mut slower = Raw::stranger(&house);
    slower.write(&hello[..hello.len() - 1]);
    let mut alice = house.register("alice");
    assert!(slow.next().is_none());
    assert!(slower.next().is_none());
    all_is_well(&mut alice);
}

#[test]
fn a_silent_stranger_with_nobody_behind_it_has_five_seconds() {
    let house = House::new();
    assert!(Raw::stranger(&house).next().is_none());
}

#[test]
fn connections_over_the_limit_wait_and_those_served_go_on() {
    let house = House::with_config("[limits]\nconnections = 40\nunauthenticated = 8\n");
    let mut alice = house.register("alice");
    let served: Vec<_> = (0..39).map(|_| Raw::of(&house, &alice)).collect();
    // These get as far as the kernel's queue.
    let mut waiting: Vec<_> = (0..60).map(|_| Raw::stranger(&house)).collect();
    for raw in &mut waiting {
        raw.write(&frame(b"{}"));
    }
    all_is_well(&mut alice);
    let status = alice.call(&ipc_protocol::request::Status {}).unwrap();
    assert_eq!(status.connections, 40);
    drop(served);
    for raw in waiting {
        assert_eq!(raw.until_closed().len(), 1, "each gets its turn");
    }
    all_is_well(&mut alice);
}

#[test]
fn a_reader_that_never_reads_holds_up_nobody_but_itself() {
    let limits = "[limits]\nfetch_per_minute = 100000\nsend_burst = 1000\n";
    let house = House::with_config(limits);
    let mut alice = house.register("alice");
    let mallory = house.register("mallory");
    let mut deaf = Raw::of(&house, &mallory);
    for _ in 0..20 {
        alice.send("mallory", &"x".repeat(10_000));
    }
    let peek = frame(&call(1, "fetch", &json!({"peek": true})));
    // 60 MB of replies were asked for; the daemon stops reading instead of piling them up.
    for _ in 0..60 {
        deaf.write(&peek);
    }
    for _ in 0..20 {
        all_is_well(&mut alice);
    }
    drop(deaf);
    all_is_well(&mut alice);
}

#[test]
fn announced_bytes_are_bounded_over_all_connections() {
    let house = House::with_config("[limits]\ninbound_bytes = 2097152\n");
    let mut alice = house.register("alice");
    let mut greedy = Raw::of(&house, &alice);
    // Takes the whole budget, and hangs up without having sent a byte of it.
    greedy.write(&2_097_152_u32.to_be_bytes());
    greedy.say_goodbye();
    assert!(greedy.next().is_none());
    all_is_well(&mut alice);
}

#[test]
fn a_thousand_connections_one_after_the_other_leave_nothing_open() {
    let house = House::new();
    let mut alice = house.register("alice");
    for _ in 0..1_000 {
        drop(Raw::stranger(&house));
    }
    while alice
        .call(&ipc_protocol::request::Status {})
        .unwrap()
        .connections
        > 1
    {}
    all_is_well(&mut alice);
}

#[cfg(target_os = "linux")]
#[test]
fn other_peoples_descriptors_are_not_taken_in() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let house = House::new();
    let mut alice = house.register("alice");
    let marked = tempfile::tempfile_in(house.path()).unwrap();
    let facts = rustix::fs::fstat(&marked).unwrap();
    // How many descriptors of this process, which the daemon is part of, are of the marked file.
    let open = || {
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
        let paths = descriptors.map(|entry| entry.unwrap().path());
        let of_it =
            |found: rustix::fs::Stat| (found.st_dev, found.st_ino) == (facts.st_dev, facts.st_ino);
        paths
            .filter(|path| rustix::fs::stat(path).is_ok_and(of_it))
            .count()
    };
    let mut streams = Vec::new();
    for _ in 0..50 {
        let stream = house.stream();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let files = [std::os::fd::AsFd::as_fd(&marked)];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&files)));
        let byte = [std::io::IoSlice::new(b"x")];
        sendmsg(&stream, &byte, &mut ancillary, SendFlags::NOSIGNAL).unwrap();
        streams.push(stream);
    }
    all_is_well(&mut alice);
    assert_eq!(open(), 1, "only our own");
}

#[test]
fn silent_strangers_do_not_hold_up_a_stop() {
    let mut house = House::new();
    let alice = house.register("alice");
    let mut silent = Raw::stranger(&house);
    let mut said_hello = Raw::stranger(&house);
    said_hello.hello_with(&alice.registered.session);
    for raw in [&silent, &said_hello] {
        raw.hurry(std::time::Duration::from_secs(3));
    }
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| house.stop());
        assert!(silent.next().is_none() && said_hello.next().is_none());
        stop.join().unwrap().unwrap();
    });
}
