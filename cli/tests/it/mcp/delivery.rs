//! When mail counts as delivered: after the host could read it, and not before.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::{Agent, Era, Home, Host, letters, text};

/// Requests whose answers are more than a pipe holds.
const FILLING: usize = 16;

fn receipt(of: Agent<'_>, message_id: &str) -> Value {
    let page = of.json(&["receipts", message_id]);
    page["receipts"][0]["deliveries"][0].clone()
}

/// Looks until the message has been offered: the one thing to see of a server whose output is full.
fn await_offer(of: Agent<'_>, message_id: &str) -> Value {
    loop {
        let receipt = receipt(of, message_id);
        if receipt["offers"] != 0 {
            return receipt;
        }
    }
}

fn alice(home: &Home) -> Host {
    let mut host = home.host("alice").start();
    assert_eq!(host.name(), "alice");
    host
}

#[test]
fn mail_that_was_read_is_delivered_by_mcp() {
    for era in [Era::Legacy("2025-06-18"), Era::Modern] {
        let home = Home::new();
        let bob = home.register("bob");
        let id = bob.send("alice", "hello");
        let mut host = home.host("alice").era(era).start();
        let given = host.tool("ipc_check", json!({}));
        assert_eq!(text(&letters(&given)[0]), "hello");
        assert!(host.texts().is_empty(), "once");
        // The host has gone on, so that it cannot give the call up any more.
        while receipt(bob, &id)["state"] != "delivered" {
            std::thread::yield_now();
        }
        assert_eq!(receipt(bob, &id)["handover"], "mcp");
    }
}

#[test]
fn mail_in_a_response_that_nobody_read_is_not_delivered() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    let id = bob.send("alice", &"long ".repeat(1_000));
    for _ in 0..FILLING {
        host.begin("tools/list", json!({}));
    }
    host.begin_tool("ipc_check", json!({}));
    let offered = await_offer(bob, &id);
    assert_eq!(offered["state"], "offered");
    host.kill();
    let receipt = receipt(bob, &id);
    assert_eq!(
        (&receipt["state"], receipt.get("handover")),
        (&json!("offered"), None)
    );
}

#[test]
fn a_cancelled_wait_leaves_the_mail_that_comes_then_to_the_next() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    let waiting = host.begin_tool("ipc_check", json!({"wait_s": 240}));
    host.name();
    host.cancel(waiting);
    host.name();
    let id = bob.send("alice", "after the cancel");
    assert_eq!(Agent::called(&home, "alice").texts(), ["after the cancel"]);
    assert_eq!(receipt(bob, &id)["handover"], "cli");
}

#[test]
fn a_call_that_is_cancelled_when_mail_has_come_gives_it_back_at_once() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    let id = bob.send("alice", "before the cancel");
    for _ in 0..FILLING {
        host.begin("tools/list", json!({}));
    }
    let check = host.begin_tool("ipc_check", json!({}));
    await_offer(bob, &id);
    host.cancel(check);
    // The lease would last longer than this wait.
    let own = Agent::called(&home, "alice").json(&["check", "--wait=30s"]);
    assert_eq!(own["messages"][0]["text"], "before the cancel");
    assert_eq!(receipt(bob, &id)["handover"], "cli");
    host.name();
}

#[test]
fn the_end_of_input_in_a_wait_ends_the_server_at_once_and_loses_nothing() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    host.begin_tool("ipc_check", json!({"wait_s": 240}));
    host.name();
    assert_eq!(host.close().status, 0);
    bob.send("alice", "kept");
    assert_eq!(home.host("alice").start().texts(), ["kept"]);
}

#[test]
fn every_signal_to_end_is_followed_with_status_0_and_nothing_is_lost() {
    let home = Home::new();
    let bob = home.register("bob");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut host = alice(&home);
        host.begin_tool("ipc_check", json!({"wait_s": 240}));
        host.name();
        host.signal(signal);
        let ended = host.end();
        assert_eq!((ended.status, ended.err.as_str()), (0, ""), "{signal:?}");
        bob.send("alice", "kept");
        assert_eq!(alice(&home).texts(), ["kept"], "{signal:?}");
    }
}

#[test]
fn a_call_answered_with_an_error_takes_nothing() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = alice(&home);
    bob.send("alice", "whole");
    host.refused("ipc_check", json!({"limit": 0}));
    host.refused("ipc_check", json!({"wait_s": 241}));
    assert_eq!(host.texts(), ["whole"]);
}
