//! The ordinary day: what a newcomer types first, and two agents that talk.

use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::harness::{Home, Said};

#[test]
fn from_nothing_quickstart_carries_mail_both_ways_and_leaves_nothing_behind() {
    let home = Home::new();
    let said = home.ok(&["quickstart"]);
    for step in ["a → b", "b received", "b → a", "a received", "answered"] {
        assert!(said.contains(step), "no {step:?} in {said}");
    }
    assert!(said.contains("ipc register alice"), "what to type next");
    assert_left_clean(&home);
}

#[test]
fn quickstart_in_json_is_one_object_with_the_receipts() {
    let home = Home::new();
    let shown = home.json(&["quickstart"]);
    assert_eq!(shown["ok"], true);
    assert_eq!(shown["started_daemon_pid"], home.daemon_pid());
    let deliveries = &shown["receipts"][0]["deliveries"];
    assert_eq!(deliveries[0]["state"], "answered");
    assert_eq!(deliveries[0]["handover"], "cli");
    assert_left_clean(&home);
}

#[test]
fn two_quickstarts_at_once_do_not_meet() {
    let home = Home::new();
    let both = [home.start(&["quickstart"]), home.start(&["quickstart"])];
    for run in both {
        let Said { status, err, .. } = run.end();
        assert_eq!(status, 0, "{err}");
    }
    assert_left_clean(&home);
}

fn assert_left_clean(home: &Home) {
    let agents = home.json(&["list"]);
    assert_eq!(agents["agents"], json!([]));
    assert_eq!(home.json(&["status"])["waiting"], 0);
    assert!(!home.data_dir().agents().exists(), "credentials are kept");
    assert!(!home.data_dir().large_messages().exists());
}

#[test]
fn mail_for_a_name_that_nobody_has_waits_for_whoever_claims_it() {
    let home = Home::new();
    let alice = home.register("alice");
    let said = alice.ok(&["send", "bob", "hi, when you exist"]);
    assert!(said.contains("queued, not registered yet"), "{said}");
    let said = home.ok(&["register", "bob"]);
    assert!(said.contains("1 message waits"), "{said}");
    let said = home.ok(&["--as", "bob", "check"]);
    assert!(said.starts_with("alice · "), "{said}");
    assert!(said.contains("\n    hi, when you exist\n"), "{said}");
}

#[test]
fn an_old_name_forwards_and_nobody_else_can_have_it() {
    let home = Home::new();
    let alice = home.register("alice");
    home.register("bob").ok(&["rename", "robert"]);
    let said = alice.ok(&["send", "bob", "forwarded"]);
    assert!(said.contains("robert (called bob before)"), "{said}");
    let said = home.ok(&["--as", "robert", "check"]);
    assert!(said.contains("via alias bob") && said.contains("forwarded"));
    let refused = home.run(&["register", "bob", "--json"]);
    refused.refused(1, &[]);
    let error = refused.error();
    assert_eq!(error["code"], "name_reserved");
    assert!(error["retry_after_ms"].as_u64().unwrap() > 7_000_000);
    assert!(error["hint"].is_string());
}

#[test]
fn a_check_that_waits_is_woken_by_another_process() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let waiting = bob.start(&["check", "--wait=1m", "--json"]);
    let id = alice.send("bob", "wake up");
    let fetched: Value = serde_json::from_str(&waiting.end().out).unwrap();
    assert_eq!(fetched["messages"][0]["id"], id.as_str());
    assert_eq!(fetched["messages"][0]["text"], "wake up");
}

#[test]
fn a_question_that_waits_gets_its_answer_and_leaves_other_mail_alone() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let asking = alice.start(&["send", "bob", "which port?", "--wait=1m", "--json"]);
    let fetched = bob.json(&["check", "--wait=1m"]);
    bob.send("alice", "something else");
    let question = fetched["messages"][0]["id"].as_str().unwrap();
    bob.ok(&["reply", question, "port", "8080"]);
    let asked = asking.end();
    assert_eq!(asked.status, 0, "{asked:?}");
    let said: Value = serde_json::from_str(&asked.out).unwrap();
    assert_eq!(said["sent"]["message_id"], question);
    assert_eq!(said["answers"][0]["text"], "port 8080");
    assert_eq!(said["answers"].as_array().unwrap().len(), 1);
    assert_eq!(alice.texts(), ["something else"]);
}

#[test]
fn a_watch_streams_what_comes_and_a_later_check_does_not_show_it_again() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let mut watch = bob.start(&["watch", "--json"]);
    for text in ["first", "second"] {
        alice.send("bob", text);
        let line: Value = serde_json::from_str(&watch.line()).unwrap();
        assert_eq!(line["text"], text);
    }
    // The acknowledgement of the last one follows its line; the sender sees it when it is there.
    while alice.json(&["receipts"])["receipts"][0]["deliveries"][0]["state"] != "delivered" {}
    watch.kill();
    assert_eq!(bob.texts(), Vec::<String>::new());
}

#[test]
fn mail_is_answered_passed_on_and_told_to_all_with_receipts_for_the_sender() {
    let home = Home::new();
    let (alice, bob, carol) = (
        home.register("alice"),
        home.register("bob"),
        home.register("carol"),
    );
    let id = alice.send("bob", "review this");
    assert_eq!(bob.texts(), ["review this"]);
    bob.ok(&["forward", "carol"]);
    bob.ok(&["reply", "done"]);
    let shown = carol.json(&["check"]);
    assert_eq!(shown["messages"][0]["text"], "review this");
    assert_eq!(shown["messages"][0]["hops"], 1);
    assert_eq!(shown["messages"][0]["from"]["name"], "bob");
    assert_eq!(alice.texts(), ["done"]);
    let receipt = alice.json(&["receipts", &id]);
    let delivery = &receipt["receipts"][0]["deliveries"][0];
    assert_eq!(delivery["to"], "bob");
    assert_eq!(delivery["state"], "answered");
    assert_eq!(delivery["offers"], 1);
    let said = alice.ok(&["broadcast", "lunch"]);
    assert!(said.contains("2 agents: "), "{said}");
    assert_eq!(bob.texts(), ["lunch"]);
    assert_eq!(carol.texts(), ["lunch"]);
}

#[test]
fn a_message_that_reached_nobody_is_told_to_its_sender() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let id = alice.send("bob", "too late");
    let said = bob.ok(&["unregister"]);
    assert!(said.contains("1 unread refused"), "{said}");
    let letter = &alice.json(&["dead-letters"])["dead_letters"][0];
    assert_eq!(letter["message_id"], id.as_str());
    assert_eq!(letter["state"], "refused");
    assert_eq!(letter["reason"], "recipient_left");
    let notice = alice.ok(&["check"]);
    assert!(notice.starts_with("system · "), "{notice}");
    assert!(notice.contains(&id), "{notice}");
    assert!(alice.ok(&["dead-letters"]).contains(&id));
}

#[test]
fn whoever_has_the_secret_may_ask_who_is_there_without_being_an_agent() {
    let home = Home::new();
    let said = home.ok(&["list"]);
    assert_eq!(said.lines().count(), 1, "only headings: {said}");
    let alice = home.register("alice");
    home.register("bob");
    assert!(
        home.ok(&["list"]).contains("alice"),
        "it is unclear who asks"
    );
    assert!(alice.ok(&["list"]).contains("alice (you)"));
    alice.ok(&["offline"]);
    let agents = home.json(&["list"]);
    let presence = |name: &str| {
        let all = agents["agents"].as_array().unwrap();
        let agent = all.iter().find(|agent| agent["name"] == name).unwrap();
        agent["presence"].as_str().unwrap().to_owned()
    };
    assert_eq!(presence("alice"), "offline");
    assert_eq!(presence("bob"), "live");
}

#[test]
fn an_agent_can_see_who_it_is_renew_its_session_and_end_it() {
    let home = Home::new();
    let alice = home.register("alice");
    alice.ok(&["rename", "alicia"]);
    let who = alice.json(&["whoami"]);
    assert_eq!(who["name"], "alicia");
    assert_eq!(who["aliases"], json!(["alice"]));
    assert_eq!(who["sessions"], 1);
    alice.ok(&["renew"]);
    alice.ok(&["revoke", "--all"]);
    let again = alice.json(&["whoami"]);
    assert_eq!(
        again["agent_id"], who["agent_id"],
        "it comes back by itself"
    );
}

#[test]
fn a_large_message_becomes_a_preview_and_a_private_file_with_all_of_it() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let body = "a line of a long report, über alles\n".repeat(25_000);
    let sent = home.run_with_input(&["--as", "alice", "send", "bob", "-"], body.as_bytes());
    assert_eq!(sent.status, 0, "{sent:?}");
    let said = bob.ok(&["check"]);
    let path = said.split("Full content saved to: ").nth(1).unwrap();
    let path = std::path::Path::new(path.lines().next().unwrap());
    assert!(said.len() < 30_000, "a preview is short: {}", said.len());
    assert_eq!(std::fs::read_to_string(path).unwrap(), body);
    assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o7777, 0o600);
    assert!(path.starts_with(home.data_dir().large_messages()));
    let id = alice.json(&["receipts"])["receipts"][0]["message_id"].clone();
    let copy = home.path().join("copy.md");
    let copy_path = copy.to_str().unwrap();
    bob.ok(&["read", id.as_str().unwrap(), "--save", copy_path]);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), body);
    let (first, second) = body.split_at(body.find("report").unwrap());
    let offset = first.len().to_string();
    let rest = [
        "read",
        id.as_str().unwrap(),
        "--offset",
        &offset,
        "--save",
        copy_path,
    ];
    bob.ok(&rest);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), second);
}

#[test]
fn a_home_behind_a_link_is_a_home() {
    let home = Home::new();
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.path(), &link).unwrap();
    let through = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        Said::of(&command.env("HOME", &link).output().unwrap())
    };
    let said = through(&["register", "alice"]);
    assert_eq!(said.status, 0, "{said:?}");
    // One place, whichever way: the same daemon, the same agent.
    home.ok(&["--as", "alice", "send", "alice", "hello"]);
    let said = through(&["--as", "alice", "check"]);
    assert!(said.out.contains("hello"), "{said:?}");
    home.ok(&["admin", "backup"]);
    let named = link.join(".claude-ipc-data/backups");
    let backup = std::fs::read_dir(&named).unwrap().next().unwrap().unwrap();
    let (named, name) = (backup.path(), backup.file_name());
    home.ok(&["daemon", "stop"]);
    home.ok(&["admin", "restore", named.to_str().unwrap()]);
    let records = home.ok(&["admin", "audit", "show"]);
    assert!(records.contains(name.to_str().unwrap()), "{records}");
}
