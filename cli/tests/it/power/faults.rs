//! The disk fails under the daemon: what cannot be stored is refused, said, and never acknowledged,
//! and what was acknowledged before is there.
//!
//! The preloaded library answers in the system's place, so that this runs as any user. A disk of
//! 1 MiB is one that the library counts: on a file system of that size the daemon takes no mail in
//! at all, since it wants more than that to be free.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use ipc_protocol::client::ClientError;
use ipc_protocol::error::ErrorCode;

use super::library::{Library, was_killed};
use super::{Recorded, cut_everywhere, fresh_seed, order};
use crate::harness::{GENEROUS, Home, Post, Round, Running, scale};

const SENDERS: usize = 3;

/// Everybody sends until the daemon refuses or is gone; what they heard.
fn send_all(home: &Home, post: &mut Post, number: usize, most: usize) -> Vec<ClientError> {
    let round = Round {
        number,
        most,
        may_end: &AtomicBool::new(true),
        progress: None,
    };
    post.send(home, &round, || {})
}

/// Each must be a refusal that says that the store is not there, or a connection that ended.
fn assert_unavailable(heard: &[ClientError]) {
    for error in heard {
        let is_refusal = error.code() == Some(ErrorCode::Unavailable);
        let is_end = matches!(
            error,
            ClientError::Closed | ClientError::Io(_) | ClientError::Connect(_)
        );
        assert!(is_refusal || is_end, "{error:?}");
    }
    let refused = heard.iter().filter(|error| error.code().is_some()).count();
    assert!(refused > 0, "nobody was told: {heard:?}");
}

/// The daemon ended by itself, and its log says why.
fn assert_ended(home: &Home, daemon: Running, why: &[&str]) {
    let said = daemon.end();
    assert!(said.status > 0, "{said:?}");
    let log = std::fs::read_to_string(home.data_dir().log()).unwrap();
    for word in why {
        assert!(log.contains(word), "no {word:?} in {log}");
    }
}

#[test]
fn after_a_write_or_a_flush_that_failed_nothing_more_is_acknowledged() {
    for (point, error) in [("flush", "EIO"), ("write", "EIO"), ("write", "EROFS")] {
        let home = Home::new();
        home.configure(GENEROUS);
        // A disk that is well again right afterwards must not be believed.
        let fault = format!("{point}:wal:80:80:{error}");
        let library = Library::with_fault(&home, &fault).recording();
        let daemon = library.start(&home);
        let mut post = Post::new(&home, SENDERS);
        let heard = send_all(&home, &mut post, 1, 100);
        assert_unavailable(&heard);
        assert_ended(
            &home,
            daemon,
            &["nothing more is acknowledged", "disk I/O error"],
        );
        // Replies to the batch before may still be on their way; of the failed one there is none.
        let trace = library.trace();
        let promises = trace.acknowledged(post.acknowledged.concat());
        order::check(&trace, &promises).unwrap();
        let mut daemon = library.without_fault().silent().start(&home);
        post.assert_kept(&home);
        daemon.kill();
    }
}

#[test]
fn what_a_failed_flush_left_behind_takes_nothing_down_with_it_when_the_power_goes() {
    let seed = fresh_seed();
    // Of the log, which ends the daemon; of the database in a checkpoint, which does not; and of
    // all from some point on, those of the end included.
    for fault in [
        "flush:wal:60:60:EIO",
        "flush:database:2:2:EIO",
        "flush:any:70:90:EIO",
    ] {
        let home = Home::new();
        home.configure(GENEROUS);
        let library = Library::with_fault(&home, fault).recording();
        let before = super::Disk::of(home.data_dir().root());
        let daemon = library.start(&home);
        let mut post = Post::new(&home, SENDERS);
        drop(send_all(&home, &mut post, 1, 100));
        drop(home.run(&["daemon", "stop"]));
        drop(daemon.end());
        let library = library.without_fault();
        let daemon = library.start(&home);
        assert!(send_all(&home, &mut post, 2, 30).is_empty());
        home.ok(&["daemon", "stop"]);
        assert_eq!(daemon.end().status, 0);
        let trace = library.trace();
        let promises = trace.acknowledged(post.acknowledged.concat());
        let run = Recorded {
            before,
            trace,
            promises,
        };
        let cut = cut_everywhere(&run, scale(100, 1_500), seed);
        cut.unwrap_or_else(|why| panic!("{fault}: {why}"));
    }
}

#[test]
fn a_disk_that_fills_up_refuses_mail_and_goes_on_when_there_is_room() {
    let home = Home::new();
    home.configure(GENEROUS);
    let full = Library::with_room(&home, 1_024 * 1_024);
    let daemon = full.start(&home);
    let alice = home.register("alice");
    let mut post = Post::new(&home, SENDERS);
    let heard = send_all(&home, &mut post, 1, 1_000);
    assert_unavailable(&heard);
    assert!(post.total() > 0);
    alice
        .run(&["send", "reader", "one more"])
        .refused(1, &["could not commit", "look at the disk"]);
    // It is still there, and what does not write works.
    assert!(home.ok(&["list"]).contains("reader"));
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
    let mut daemon = Library::new(&home).silent().start(&home);
    post.assert_kept(&home);
    assert!(send_all(&home, &mut post, 2, 10).is_empty());
    daemon.kill();
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_only_what_was_refused_meanwhile() {
    let home = Home::new();
    home.configure(GENEROUS);
    let library = Library::with_fault(&home, "write:wal:200:260:ENOSPC");
    let mut daemon = library.start(&home);
    let mut post = Post::new(&home, SENDERS);
    let mut refused = Vec::new();
    for number in 0..60 {
        refused.extend(send_all(&home, &mut post, number, 3));
    }
    assert_unavailable(&refused);
    assert!(send_all(&home, &mut post, 60, 20).is_empty(), "room again");
    post.assert_kept(&home);
    daemon.kill();
}

/// The database and what lies beside it.
fn files(home: &Home) -> [PathBuf; 2] {
    let database = home.data_dir().database();
    [database.clone(), database.with_extension("db-wal")]
}

#[test]
fn a_database_that_is_deleted_under_the_daemon_ends_it_and_is_not_made_anew() {
    let home = Home::new();
    home.configure(GENEROUS);
    let daemon = Library::new(&home).silent().start(&home);
    let alice = home.register("alice");
    let mut post = Post::new(&home, SENDERS);
    assert!(send_all(&home, &mut post, 1, 20).is_empty());
    let aside: Vec<_> = files(&home).map(|path| path.with_extension("aside")).into();
    let aside = [aside[0].clone(), aside[1].with_extension("wal-aside")];
    for (path, aside) in files(&home).iter().zip(&aside) {
        std::fs::rename(path, aside).unwrap();
    }
    assert_unavailable(&send_all(&home, &mut post, 2, 20));
    assert_ended(&home, daemon, &["was taken away under the daemon"]);
    alice
        .run(&["send", "reader", "into nothing"])
        .refused(3, &["is gone", "hint: `ipc admin restore`"]);
    assert!(!home.data_dir().database().exists());
    for (path, aside) in files(&home).iter().zip(&aside) {
        std::fs::rename(aside, path).unwrap();
    }
    let mut daemon = Library::new(&home).silent().start(&home);
    post.assert_kept(&home);
    daemon.kill();
}

#[test]
fn a_database_that_may_no_longer_be_opened_is_served_until_the_end_and_then_said() {
    let home = Home::new();
    home.configure(GENEROUS);
    let daemon = Library::new(&home).silent().start(&home);
    let alice = home.register("alice");
    let mut post = Post::new(&home, SENDERS);
    let mode = |mode| {
        for path in files(&home).iter().filter(|path| path.exists()) {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    mode(0o000);
    assert!(send_all(&home, &mut post, 1, 20).is_empty());
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
    // For root no mode is an obstacle: the library says what the system says to everybody else.
    let refused = Library::with_fault(&home, "open:database:1:1000000:EACCES").try_start(&home);
    let said = refused.err().unwrap();
    assert!(
        said.status > 0 && said.out.contains("ermission denied"),
        "{said:?}"
    );
    mode(0o600);
    let mut daemon = Library::new(&home).silent().start(&home);
    post.assert_kept(&home);
    alice.send("reader", "as before");
    daemon.kill();
}

#[test]
fn a_reply_that_is_lost_after_the_commit_stores_one_message_under_its_key() {
    // Cut once: the command asks again by itself. Cut twice: it says so, and is given again.
    for cuts in [1, 2] {
        let home = Home::new();
        let fault = format!("ack:socket:1:{cuts}:cut");
        let mut daemon = Library::with_fault(&home, &fault).start(&home);
        let (alice, bob) = (home.register("alice"), home.register("bob"));
        let send = || alice.run(&["send", "bob", "once", "--idempotency-key", "k1", "--json"]);
        let mut said = send();
        if cuts == 2 {
            assert_ne!(said.status, 0, "{said:?}");
            said = send();
        }
        assert_eq!(said.status, 0, "{said:?}");
        assert_eq!(bob.texts(), ["once"]);
        assert_eq!(
            send().out.replace("true", "false"),
            said.out.replace("true", "false")
        );
        assert_eq!(bob.texts(), [""; 0]);
        daemon.kill();
    }
}

#[test]
fn a_daemon_that_dies_between_commit_and_reply_has_stored_one_message_under_its_key() {
    let home = Home::new();
    let daemon = Library::with_fault(&home, "ack:socket:1:1:kill").start(&home);
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    // The command starts another daemon, and asks again.
    let said = alice.run(&["send", "bob", "once", "--idempotency-key", "k1"]);
    assert!(was_killed(&daemon.end()));
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(
        alice
            .run(&["send", "bob", "once", "--idempotency-key", "k1"])
            .status,
        0
    );
    assert_eq!(bob.texts(), ["once"]);
}
