//! What scripts rely on: where texts come from, shapes, exit statuses, completions, no colour.

use serde_json::{Value, json};

use crate::harness::{Home, Said};

#[test]
fn a_text_comes_from_words_standard_input_or_a_file_as_it_is() {
    let home = Home::new();
    home.register("alice");
    let bob = home.register("bob");
    let file = home.path().join("letter.txt");
    std::fs::write(&file, "from a file\n").unwrap();
    let to_bob = ["--as", "alice", "send", "bob"];
    home.ok(&[&to_bob[..], &["several", "words"]].concat());
    home.ok(&[&to_bob[..], &["--file", file.to_str().unwrap()]].concat());
    for source in ["-", "--stdin"] {
        let line = [&to_bob[..], &[source]].concat();
        assert_eq!(home.run_with_input(&line, b" from a pipe\n").status, 0);
    }
    let expected = [
        "several words",
        "from a file\n",
        " from a pipe\n",
        " from a pipe\n",
    ];
    assert_eq!(bob.texts(), expected);
}

#[test]
fn a_text_that_is_no_text_is_refused_before_anything_is_stored() {
    let home = Home::new();
    let alice = home.register("alice");
    let to_bob = ["--as", "alice", "send", "bob", "-"];
    home.run_with_input(&to_bob, b"\xff\xfe")
        .refused(1, &["not UTF-8"]);
    let huge = vec![b'x'; 1_048_577];
    let refused = home.run_with_input(&[&to_bob[..], &["--json"]].concat(), &huge);
    refused.refused(1, &[]);
    assert_eq!(refused.error()["code"], "too_large");
    alice
        .run(&["send", "bob", "--file", "/nowhere/letter"])
        .refused(1, &["/nowhere/letter"]);
    alice
        .run(&["send", "bob", "x", "--data", "[1]"])
        .refused(2, &["--data"]);
    alice
        .run(&["send", "bob", "x", "--data", r#"{"a":1,"a":2}"#])
        .refused(2, &["--data"]);
    assert_eq!(alice.json(&["receipts"])["receipts"], json!([]));
}

#[test]
fn the_same_key_stores_one_message_and_with_another_text_is_a_conflict() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let send = |text| alice.run(&["send", "bob", text, "--idempotency-key", "k1", "--json"]);
    let ids = [send("once"), send("once")].map(|said| {
        let sent: Value = serde_json::from_str(&said.out).unwrap();
        (sent["message_id"].clone(), sent["duplicate"].clone())
    });
    assert_eq!(ids[0].0, ids[1].0);
    assert_eq!([&ids[0].1, &ids[1].1], [&json!(false), &json!(true)]);
    let refused = send("something else");
    refused.refused(1, &[]);
    assert_eq!(refused.error()["code"], "conflict");
    assert_eq!(bob.texts(), ["once"]);
}

#[test]
fn a_near_miss_is_suggested_and_refused_where_only_known_names_will_do() {
    let home = Home::new();
    let alice = home.register("alice");
    home.register("robert");
    let said = alice.ok(&["send", "robret", "hello"]);
    assert!(said.contains("did you mean robert?"), "{said}");
    for option in ["--known", "--wait=1s"] {
        let refused = alice.run(&["send", "robret", "hello", option, "--json"]);
        refused.refused(1, &[]);
        let error = refused.error();
        assert_eq!(error["code"], "unknown_recipient");
        assert!(error.to_string().contains("robert"), "{error}");
    }
    let sent = alice.json(&["receipts"])["receipts"].clone();
    assert_eq!(
        sent.as_array().unwrap().len(),
        1,
        "what was refused is not stored"
    );
}

#[test]
fn data_and_kind_travel_and_come_back_as_they_were() {
    let home = Home::new();
    let alice = home.register("alice");
    let bob = home.register("bob");
    let data = r#"{"n":[1,2.5,null],"at_ms":7}"#;
    alice.ok(&[
        "send",
        "bob",
        "x",
        "--kind",
        "task_proposal",
        "--data",
        data,
    ]);
    let mail = bob.json(&["check"])["messages"][0].clone();
    assert_eq!(mail["kind"], "task_proposal");
    assert_eq!(mail["data"], serde_json::from_str::<Value>(data).unwrap());
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn shapes_of_json_have_the_documented_keys() {
    let home = Home::new();
    let registered = home.json(&["register", "alice"]);
    let expected = "agent_id incarnation name online session_expires session_expires_ms waiting";
    assert_eq!(keys(&registered).join(" "), expected);
    let alice = crate::harness::Agent::called(&home, "alice");
    let sent = alice.json(&["send", "bob", "x"]);
    assert_eq!(
        keys(&sent).join(" "),
        "duplicate message_id recipients sent sent_ms"
    );
    assert_eq!(sent["recipients"][0]["outcome"]["type"], "unclaimed");
    let bob = home.register("bob");
    let peeked = bob.json(&["check", "--peek"]);
    assert_eq!(keys(&peeked).join(" "), "leased_until_ms messages waiting");
    assert_eq!(peeked["leased_until_ms"], Value::Null);
    let checked = bob.json(&["check"]);
    assert_eq!(
        keys(&checked).join(" "),
        "leased_until leased_until_ms messages waiting"
    );
    let mail = &checked["messages"][0];
    let expected = "bytes conversation data_omitted from hops id kind provenance redelivered sent sent_ms text \
                    to truncated";
    assert_eq!(keys(mail).join(" "), expected);
    assert_eq!(keys(&mail["from"]).join(" "), "agent_id incarnation name");
    let id = mail["id"].as_str().unwrap();
    assert_eq!(keys(&bob.json(&["read", id])).join(" "), "message offset");
    let who = bob.json(&["whoami"]);
    let expected = "agent_id aliases incarnation name registered registered_ms session_expires \
                    session_expires_ms sessions waiting";
    assert_eq!(keys(&who).join(" "), expected);
    let row = &home.json(&["list"])["agents"][0];
    let expected = "agent_id is_self last_seen last_seen_ms name presence";
    assert_eq!(keys(row).join(" "), expected);
    let receipt = &alice.json(&["receipts"])["receipts"][0];
    assert_eq!(
        keys(receipt).join(" "),
        "deliveries kind message_id sent sent_ms"
    );
}

#[test]
fn status_tells_people_scripts_and_prometheus_the_same() {
    let home = Home::new();
    home.register("alice").send("bob", "x");
    let status = home.json(&["status"]);
    assert_eq!(status["pid"], home.daemon_pid());
    assert_eq!(status["counters"]["sent"], 1);
    assert_eq!(status["waiting"], 1);
    assert_eq!(status["enrolment"], "open");
    let people = home.ok(&["status"]);
    assert!(people.contains(home.data_dir().socket().to_str().unwrap()));
    assert!(people.contains("1 sent, 0 delivered"), "{people}");
    let metrics = home.ok(&["status", "--metrics"]);
    assert!(metrics.contains("\nipc_sent_total 1\n"), "{metrics}");
    assert!(
        metrics.contains("\nipc_deliveries_waiting 1\n"),
        "{metrics}"
    );
}

#[test]
fn every_exit_status_means_what_is_documented() {
    let home = Home::new();
    home.run(&["status"])
        .refused(3, &["no daemon listens", "hint: `ipc daemon start`"]);
    assert!(!home.data_dir().root().exists(), "asking makes nothing");
    home.run(&["whoami"])
        .refused(2, &["no agent is registered", "ipc register NAME"]);
    home.run(&["--as", "nobody", "whoami"])
        .refused(2, &["ipc register nobody"]);
    for line in [
        &["chekc"][..],
        &["send", "bob"],
        &["register", "system"],
        &["register", "a b"],
    ] {
        home.run(line).refused(2, &[]);
    }
    let alice = home.register("alice");
    alice.run(&["read", "m.0"]).refused(2, &["m.0"]);
    let unknown = alice.run(&["--json", "read", "m.0123456789abc"]);
    unknown.refused(1, &[]);
    assert_eq!(unknown.error()["code"], "not_found");
    assert_eq!(alice.run(&["check"]).status, 0);
    assert_eq!(alice.run(&["check", "--exit-code"]).status, 4);
    assert_eq!(alice.run(&["check", "--peek", "--exit-code"]).status, 4);
    assert_eq!(alice.run(&["check", "--wait=10ms"]).status, 5);
    assert_eq!(alice.run(&["watch", "--wait=10ms"]).status, 5);
    home.register("bob");
    alice
        .run(&["send", "bob", "x", "--wait=10ms"])
        .refused(5, &["no answer within"]);
    let shown = home.run(&["--json", "whoami"]);
    assert_eq!(shown.error()["exit_status"], 2);
    assert_eq!(shown.error()["code"], Value::Null);
}

#[test]
fn quiet_keeps_results_and_errors_and_drops_confirmations() {
    let home = Home::new();
    assert_eq!(home.ok(&["-q", "register", "alice"]), "");
    assert_eq!(home.ok(&["-q", "--as", "alice", "send", "alice2", "x"]), "");
    assert!(home.ok(&["-q", "list"]).contains("alice"));
    home.run(&["-q", "--as", "eve", "check"])
        .refused(2, &["eve"]);
}

#[test]
fn pipes_get_no_colour() {
    let home = Home::new();
    let alice = home.register("alice");
    alice.send("alice", "to myself");
    let lines = [
        &["check", "--peek"][..],
        &["check"],
        &["list"],
        &["history"],
        &["receipts"],
        &["whoami"],
        &["status"],
        &["dead-letters"],
        &["--help"],
        &["read", "x"],
    ];
    for line in lines {
        let Said { out, err, .. } = alice.run(line);
        assert!(
            !out.contains('\x1b') && !err.contains('\x1b'),
            "{line:?}: {out}{err}"
        );
    }
}

#[test]
fn completions_are_there_for_the_shells_without_a_home() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let mut command = home.command(&["completions", shell]);
        let said = Said::of(&command.env_remove("HOME").output().unwrap());
        assert_eq!(said.status, 0, "{said:?}");
        for word in ["quickstart", "dead-letters", "idempotency-key"] {
            assert!(said.out.contains(word), "{shell} does not know {word}");
        }
    }
}
