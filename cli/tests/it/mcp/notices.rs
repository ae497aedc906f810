//! What a server says unasked: that the mailbox changed, never what is in it.

use serde_json::json;

use crate::harness::{Era, Home};

const UPDATED: &str = "notifications/resources/updated";
const CHANNEL: &str = "notifications/claude/channel";

#[test]
fn a_subscribed_host_of_the_older_revisions_is_told_until_it_unsubscribes() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = home.host("alice").start();
    let inbox = json!({"uri": "ipc://inbox"});
    let error = host.error("resources/subscribe", json!({"uri": "ipc://status"}));
    assert!(
        error["message"].as_str().unwrap().contains("ipc://inbox"),
        "{error}"
    );
    host.result("resources/subscribe", inbox.clone());
    bob.send("alice", "one");
    assert_eq!(host.notification(UPDATED), inbox);
    bob.send("alice", "two");
    assert_eq!(host.notification(UPDATED), inbox);
    host.result("resources/unsubscribe", inbox);
    bob.send("alice", "three");
    assert_eq!(host.texts(), ["one", "two", "three"]);
    host.name();
    assert!(!host.has_aside(UPDATED));
}

#[test]
fn a_listening_host_hears_the_acknowledgement_the_first_word_and_then_new_mail() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = home.host("alice").era(Era::Modern).start();
    let wanted = json!({"notifications": {
        "resourceSubscriptions": ["ipc://inbox", "ipc://status", "file:///x"],
    }});
    let listening = host.begin("subscriptions/listen", wanted);
    let first = host.next().unwrap();
    assert_eq!(
        first["method"], "notifications/subscriptions/acknowledged",
        "{first}"
    );
    let accepted = &first["params"]["notifications"]["resourceSubscriptions"];
    assert_eq!(*accepted, json!(["ipc://inbox"]), "{first}");
    assert_eq!(host.notification(UPDATED)["uri"], "ipc://inbox");
    bob.send("alice", "CANARY");
    let told = host.notification(UPDATED);
    assert!(
        told["uri"] == "ipc://inbox" && !told.to_string().contains("CANARY"),
        "{told}"
    );
    bob.send("alice", "again");
    host.notification(UPDATED);
    host.cancel(listening);
    host.name();
    bob.send("alice", "unheard");
    assert_eq!(host.texts(), ["CANARY", "again", "unheard"]);
    host.name();
    assert!(!host.has_aside(UPDATED));
}

#[test]
fn who_listens_for_nothing_that_there_is_hears_nothing_and_makes_no_agent() {
    let home = Home::new();
    let mut host = home.host("alice").era(Era::Modern).start();
    let wanted = json!({"notifications": {"resourceSubscriptions": ["ipc://outbox"]}});
    host.begin("subscriptions/listen", wanted);
    let first = host.next().unwrap();
    assert_eq!(
        first["method"], "notifications/subscriptions/acknowledged",
        "{first}"
    );
    assert!(!first.to_string().contains("outbox"), "{first}");
    host.result("tools/list", json!({}));
    assert!(!host.has_aside(UPDATED));
    assert!(!home.data_dir().daemon_lock().exists());
}

#[test]
fn a_subscription_outlives_the_daemon() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = home.host("alice").start();
    host.result("resources/subscribe", json!({"uri": "ipc://inbox"}));
    bob.send("alice", "one");
    host.notification(UPDATED);
    home.ok(&["daemon", "restart"]);
    bob.send("alice", "two");
    host.notification(UPDATED);
}

#[test]
fn a_channel_pushes_the_fixed_sentence_into_the_host() {
    let home = Home::new();
    let bob = home.register("bob");
    let mut host = home.host("alice").argument("--channel").start_in_silence();
    let known = host.introduce("2025-11-25");
    assert_eq!(
        known["capabilities"]["experimental"]["claude/channel"],
        json!({})
    );
    assert_eq!(host.name(), "alice");
    bob.send("alice", "CANARY");
    let told = host.notification(CHANNEL);
    assert_eq!(
        told["content"],
        "ipc: 1 new message for alice, from bob. Call the tool ipc_check to read it."
    );
    assert!(
        !told.to_string().contains("CANARY") && told["meta"]["waiting"] == "1",
        "{told}"
    );
    assert_eq!(host.texts(), ["CANARY"]);
    bob.send("alice", "next");
    host.notification(CHANNEL);
    let plain = home
        .host("plain")
        .start_in_silence()
        .introduce("2025-11-25");
    assert!(
        plain["capabilities"].get("experimental").is_none(),
        "only when asked for"
    );
}

#[test]
fn a_channel_is_not_to_be_had_with_the_revision_that_has_no_notices() {
    let home = Home::new();
    let mut host = home
        .host("alice")
        .argument("--channel")
        .era(Era::Modern)
        .start();
    let error = host.error("tools/list", json!({}));
    assert_eq!(error["code"], -32_022, "{error}");
    let supported = error["data"]["supported"].to_string();
    assert!(
        supported.contains("2025-11-25") && !supported.contains("2026"),
        "{error}"
    );
}
