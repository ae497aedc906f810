//! Whose mail an agent takes: blocking, muting, letting in, and what the other side hears.

use serde_json::json;

use crate::harness::Home;

#[test]
fn a_blocked_sender_is_told_at_once_and_a_block_can_be_taken_back() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.ok(&["block", "bob"]);
    let refused = bob.run(&["--json", "send", "alice", "let me in"]);
    refused.refused(1, &[]);
    assert_eq!(refused.error()["code"], "blocked");
    assert_eq!(
        bob.json(&["receipts"])["receipts"],
        json!([]),
        "nothing is stored"
    );
    alice
        .run(&["mute", "--remove", "bob"])
        .refused(1, &["no rule `mute` for bob"]);
    alice.ok(&["block", "--remove", "bob"]);
    bob.send("alice", "thanks");
    assert_eq!(alice.texts(), ["thanks"]);
}

#[test]
fn rules_for_nobody_and_half_a_rule_are_refused() {
    let home = Home::new();
    let alice = home.register("alice");
    let refused = alice.run(&["--json", "block", "nobody"]);
    refused.refused(1, &[]);
    assert_eq!(refused.error()["code"], "unknown_recipient");
    alice.run(&["mute", "alice"]).refused(1, &["this is you"]);
    alice.run(&["block", "all"]).refused(1, &["one agent"]);
    for wrong in [
        &["block"][..],
        &["allow"],
        &["allow", "--only", "maybe"],
        &["allow", "bob", "--only", "on"],
    ] {
        assert_eq!(alice.run(wrong).status, 2, "{wrong:?}");
    }
}

#[test]
fn muted_mail_is_read_with_the_rest_and_no_notice_says_that_it_came() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.ok(&["mute", "bob"]);
    bob.send("alice", "psst");
    let hook = home
        .command(&["--as", "alice", "hook", "claude", "UserPromptSubmit"])
        .output()
        .unwrap();
    assert!(hook.stdout.is_empty(), "{hook:?}");
    let who = alice.json(&["whoami"]);
    assert_eq!((&who["waiting"], &who["muted"]), (&json!(1), &json!(1)));
    assert_eq!(alice.texts(), ["psst"]);
}

#[test]
fn a_stranger_waits_outside_until_its_mail_is_let_in_or_refused() {
    let home = Home::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| home.register(name));
    alice.ok(&["allow", "--only", "on"]);
    let sent = bob.json(&["send", "alice", "hello?"]);
    assert_eq!(sent["recipients"][0]["outcome"]["type"], "held");
    assert!(
        carol
            .ok(&["send", "alice", "me too"])
            .contains("held until alice allows it")
    );
    assert!(alice.texts().is_empty());
    let id = sent["message_id"].as_str().unwrap();
    alice.run(&["read", id]).refused(1, &[]);
    let shown = alice.ok(&["boundaries"]);
    assert!(shown.contains("bob") && shown.contains("carol"), "{shown}");
    assert!(!shown.contains("hello?"), "{shown}");
    let report = alice.json(&["boundaries"]);
    assert_eq!(report["held"][1]["messages"], 1);
    assert!(
        alice
            .ok(&["allow", "bob"])
            .contains("1 held message came in")
    );
    assert!(
        alice
            .ok(&["block", "carol"])
            .contains("1 held message refused")
    );
    assert_eq!(alice.texts(), ["hello?"]);
    let notice = carol.json(&["check"])["messages"][0]["event"].clone();
    assert_eq!(
        (&notice["type"], &notice["reason"]),
        (&json!("refused"), &json!("blocked"))
    );
}

#[test]
fn nobody_sees_the_boundaries_of_another() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.ok(&["mute", "bob"]);
    assert_eq!(bob.json(&["boundaries"])["rules"], json!([]));
    assert!(bob.ok(&["send", "alice", "x"]).contains("to alice"));
    let row = bob.json(&["list"])["agents"].to_string();
    assert!(!row.contains("mute"), "{row}");
}
