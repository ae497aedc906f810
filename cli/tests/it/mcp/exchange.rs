//! Two hosts that write to each other without pause.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Home, Host, text};

/// Messages each way.
const EACH: usize = 100;

/// Calls of one host that are not answered yet, at most: fewer than the server takes at once, so
/// that one always waits for mail.
const SENDING: usize = 4;

/// Sends and receives until all is sent and everything from the other side has come.
fn exchange(mut host: Host, peer: &str) -> Vec<String> {
    let check = json!({"wait_s": 240, "limit": 7});
    let mut waiting = host.begin_tool("ipc_check", check.clone());
    let (mut sending, mut received) = (BTreeSet::new(), Vec::new());
    let mut unsent = (0..EACH).peekable();
    while unsent.peek().is_some() || !sending.is_empty() || received.len() < EACH {
        while sending.len() < SENDING
            && let Some(sent) = unsent.next()
        {
            let message = json!({"to": peer, "text": format!("{peer} {sent}")});
            sending.insert(host.begin_tool("ipc_send", message));
        }
        let response = host.next().unwrap();
        let given = &response["result"]["structuredContent"];
        assert_ne!(response["result"]["isError"], true, "{response}");
        if response["id"] == waiting {
            received.extend(given["messages"].as_array().unwrap().iter().map(text));
            if received.len() < EACH {
                waiting = host.begin_tool("ipc_check", check.clone());
            }
        } else {
            assert!(
                sending.remove(&response["id"].as_u64().unwrap()),
                "{response}"
            );
        }
    }
    assert!(
        host.texts().is_empty(),
        "nothing is left, and nothing comes twice"
    );
    received
}

#[test]
fn two_hosts_exchange_200_messages_at_once_and_nothing_is_lost_or_doubled() {
    let home = Home::new();
    home.configure("[limits]\nsend_per_minute = 100000\nsend_burst = 1000\n");
    let (mut alice, mut bob) = (home.host("alice").start(), home.host("bob").start());
    assert_eq!((alice.name(), bob.name()), ("alice".into(), "bob".into()));
    let (to_alice, to_bob) = std::thread::scope(|scope| {
        let one = scope.spawn(|| exchange(alice, "bob"));
        let other = scope.spawn(|| exchange(bob, "alice"));
        (one.join().unwrap(), other.join().unwrap())
    });
    for (name, received) in [("alice", to_alice), ("bob", to_bob)] {
        let expected: BTreeSet<_> = (0..EACH).map(|n| format!("{name} {n}")).collect();
        assert_eq!(received.len(), EACH);
        assert_eq!(received.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}
