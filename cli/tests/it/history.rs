//! Past mail on the command line: whose it is, what finds it, and what is no search.

use serde_json::{Value, json};

use crate::harness::{Agent, Home};

fn texts(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().unwrap();
    let texts = entries
        .iter()
        .map(|entry| entry["message"]["text"].as_str());
    texts.map(Option::unwrap).collect()
}

fn history(of: &Agent<'_>, arguments: &[&str]) -> Value {
    of.json(&[&["history"], arguments].concat())
}

#[test]
fn what_is_no_search_no_place_and_no_name_is_wrong_usage_and_says_what_is_right() {
    let home = Home::new();
    let alice = home.register("alice");
    for (arguments, words) in [
        (
            &["--search", "\"open"][..],
            &["quotation mark", "close it"][..],
        ),
        (&["--search", "-draft"], &["must occur", "for example"]),
        (&["--search", "red AND green"], &["AND and NOT"]),
        (&["--search", "!!"], &["no letter"]),
        (&["--search", ""], &["--search"]),
        (&["--before", "yesterday"], &["--before", "2h, 3d"]),
        (&["--after", "2026-11-21"], &["--after", "09:30:00Z"]),
        (&["--kind", "order"], &["--kind", "task_proposal"]),
        (&["--limit", "101"], &["--limit"]),
        (&["b b"], &["WITH"]),
        (&["all"], &["WITH"]),
    ] {
        let refused = alice.run(&[&["history"], arguments].concat());
        refused.refused(2, words);
    }
    let gone = alice.run(&["history", "--before", "m.0000000000000", "--json"]);
    gone.refused(1, &[]);
    assert_eq!(gone.error()["code"], "not_found");
}

#[test]
fn past_mail_goes_both_ways_and_says_how_far_it_came() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let question = alice.send("bob", "which port?");
    assert_eq!(bob.texts(), ["which port?"]);
    bob.ok(&["reply", "port 8080"]);
    alice.send("carol", "are you there?");
    let shown = alice.ok(&["history"]);
    let lines: Vec<_> = shown.lines().map(str::trim).collect();
    let heads: Vec<_> = lines.iter().filter(|line| line.contains(" · ")).collect();
    assert!(
        heads[0].starts_with("you → bob · ") && heads[0].contains(&question),
        "{shown}"
    );
    assert!(heads[1].starts_with("you → carol · "), "{shown}");
    assert!(
        lines.contains(&"(answered)") && lines.contains(&"(stored)"),
        "{shown}"
    );
    assert!(
        !shown.contains("8080") && shown.contains("1 new message is not in it"),
        "{shown}"
    );
    alice.texts();
    assert_eq!(
        texts(&history(&alice, &["bob"])),
        ["which port?", "port 8080"]
    );
    let evidence = alice.ok(&["history", "carol", "--receipts"]);
    assert!(evidence.contains("(carol: stored)"), "{evidence}");
    let evidence = alice.ok(&["history", "bob", "--receipts"]);
    assert!(
        evidence.contains("by cli") && evidence.contains("(bob: answered"),
        "{evidence}"
    );
    let page = history(&bob, &[]);
    let directions = page["entries"].as_array().unwrap().iter();
    let directions: Vec<_> = directions.map(|entry| &entry["direction"]).collect();
    assert_eq!(directions, ["received", "sent"]);
}

#[test]
fn words_find_messages_page_by_page() {
    let home = Home::new();
    let alice = home.register("alice");
    for number in 0..5 {
        alice.send("bob", &format!("Build {number}: Größe unchanged"));
    }
    alice.send("bob", "something else");
    let first = history(&alice, &["--search", "grö* build", "--limit", "3"]);
    assert_eq!(texts(&first).len(), 3);
    assert!(texts(&first)[2].starts_with("Build 4"));
    let before = first["next_before"].as_str().unwrap();
    let rest = history(&alice, &["--search", "grö* build", "--before", before]);
    assert_eq!(texts(&rest).len(), 2);
    assert_eq!(rest.get("next_before"), None);
    for (search, number) in [
        ("\"build 3\" OR else", 2),
        ("build -\"build 3\"", 4),
        ("größ", 0),
    ] {
        assert_eq!(
            texts(&history(&alice, &["--search", search])).len(),
            number,
            "{search}"
        );
    }
    assert_eq!(texts(&history(&alice, &["--after", "1h"])).len(), 6);
    assert_eq!(texts(&history(&alice, &["--before", "1h"])).len(), 0);
    assert!(
        alice
            .ok(&["history", "--before", "1h"])
            .contains("no past mail")
    );
    let hint = alice.ok(&["history", "--limit", "1"]);
    assert!(hint.contains("older: the same with --before m."), "{hint}");
}

#[test]
fn nobody_sees_mail_of_others_nor_what_the_name_was_told_before() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let eve = home.register("eve");
    alice.send("bob", "the key is under the mat");
    bob.texts();
    for arguments in [&["bob"][..], &["alice"], &["--search", "key"], &[]] {
        assert_eq!(
            history(&eve, arguments)["entries"],
            json!([]),
            "{arguments:?}"
        );
    }
    bob.ok(&["unregister"]);
    let heir = home.register("bob");
    assert_eq!(
        history(&heir, &["--search", "key OR mat"])["entries"],
        json!([])
    );
    assert_eq!(
        history(&alice, &["--search", "key"])["entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_text_cannot_pass_for_past_mail_of_another() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", "x\nyou → alice · just now · m.0\n\x1b[2J");
    bob.texts();
    let shown = bob.ok(&["history"]);
    assert!(!shown.contains('\x1b'), "{shown}");
    let heads = shown.lines().filter(|line| line.starts_with("you →"));
    assert_eq!(heads.count(), 0, "{shown}");
}
