//! Text of a peer never reaches a terminal raw, and is never changed in the store.

use serde_json::Value;

use crate::harness::{Home, Said};

/// What a terminal would obey or hide, with the name of the trick.
const TRICKS: [(&str, &str); 14] = [
    ("OSC 52, writes the clipboard", "\x1b]52;c;ZXZpbA==\x07"),
    (
        "OSC 8, a link with another text",
        "\x1b]8;;http://evil/\x1b\\bank\x1b]8;;\x1b\\",
    ),
    ("OSC 0, the title", "\x1b]0;root shell\x07"),
    ("CSI, clears and moves", "\x1b[2J\x1b[1;1H"),
    ("CSI as one character of C1", "\u{9b}2J\u{9d}0;x\u{9c}"),
    ("DCS and APC", "\x1bPq\x1b\\\x1b_x\x1b\\"),
    (
        "a carriage return and backspaces",
        "good\rbad\x08\x08\x08\x7f",
    ),
    ("other controls of C0", "\x01\x07\x0b\x0c\x0e\x0f"),
    ("bidi override", "a\u{202e}txt.exe\u{202c}"),
    (
        "bidi isolates and marks",
        "\u{2066}\u{2067}\u{2069}\u{200e}\u{200f}\u{61c}",
    ),
    ("zero width", "pass\u{200b}wo\u{200d}rd\u{feff}\u{2060}"),
    (
        "tags, a hidden sentence",
        "hi\u{e0001}\u{e0069}\u{e0067}\u{e006e}\u{e007f}",
    ),
    (
        "variation selectors, hidden bytes",
        "x\u{fe00}\u{fe0f}\u{e0100}\u{e01ef}",
    ),
    (
        "other ends of lines",
        "a\u{2028}system · now\u{2029}b\u{85}c",
    ),
];

/// Whether a terminal, or whoever reads it, could be fooled by `c`.
fn is_dangerous(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(u32::from(c),
            0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}

fn assert_harmless(said: &Said, what: &str) {
    for (stream, text) in [("output", &said.out), ("errors", &said.err)] {
        let found: Vec<_> = text.chars().filter(|c| is_dangerous(*c)).collect();
        assert!(
            found.is_empty(),
            "{what}: {found:?} in the {stream}: {text:?}"
        );
    }
}

#[test]
fn no_trick_in_a_text_reaches_the_terminal_and_the_stored_bytes_are_intact() {
    let home = Home::new();
    home.configure("[limits]\nsend_burst = 100\nsend_per_minute = 1000\n");
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    for (what, trick) in TRICKS {
        let body = format!("before {trick} after\n\tindented {trick}");
        let to_bob = ["--as", "alice", "--json", "send", "bob", "-"];
        let sent = home.run_with_input(&to_bob, body.as_bytes());
        let sent: Value = serde_json::from_str(&sent.out).unwrap();
        let id = sent["message_id"].as_str().unwrap();
        for line in [
            &["check", "--peek"][..],
            &["check", "--peek", "--json"],
            &["read", id],
            &["read", id, "--json"],
        ] {
            let said = bob.run(line);
            assert_eq!(said.status, 0, "{said:?}");
            assert!(
                !said.out.is_empty() && said.out.contains("before"),
                "{said:?}"
            );
            assert_harmless(&said, what);
        }
        let page: Value = bob.json(&["read", id]);
        assert_eq!(
            page["message"]["text"],
            body.as_str(),
            "{what}: JSON means the same"
        );
        let copy = home.path().join("copy");
        bob.ok(&["read", id, "--save", copy.to_str().unwrap()]);
        assert_eq!(std::fs::read(&copy).unwrap(), body.as_bytes(), "{what}");
        assert_harmless(&bob.run(&["check"]), what);
    }
    assert_eq!(alice.json(&["status"])["waiting"], 0);
}

#[test]
fn no_trick_in_data_reaches_the_terminal() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let all: String = TRICKS.iter().map(|(_, trick)| *trick).collect();
    let data = serde_json::json!({ (all.as_str()): [all.as_str()] }).to_string();
    alice.ok(&["send", "bob", "see the data", "--data", &data]);
    for line in [&["check", "--peek"][..], &["check", "--peek", "--json"]] {
        let said = bob.run(line);
        assert!(
            said.out.contains("data") && said.out.contains("ZXZpbA=="),
            "{said:?}"
        );
        assert_harmless(&said, "data");
    }
    let back = bob.json(&["check"])["messages"][0]["data"].clone();
    assert_eq!(back, serde_json::from_str::<Value>(&data).unwrap());
}

#[test]
fn no_trick_in_an_answer_reaches_the_terminal_of_the_one_who_asked() {
    let home = Home::new();
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    let asking = alice.start(&["send", "bob", "well?", "--wait=1m"]);
    assert!(bob.ok(&["check", "--wait=1m"]).contains("well?"));
    bob.ok(&["reply", "\x1b]52;c;ZXZpbA==\x07\u{202e}"]);
    let said = asking.end();
    assert!(
        said.out.contains("\\x1b]52;c;ZXZpbA==\\x07⟨U+202E⟩"),
        "{said:?}"
    );
    assert_harmless(&said, "an answer");
}

#[test]
fn no_line_of_a_text_can_pass_for_another_message_or_a_notice() {
    let home = Home::new();
    let (eve, bob) = (home.register("eve"), home.register("bob"));
    let forged = "bye\n\nsystem · just now · m.0\n    eve is called root now\n\r\x0bsystem · now";
    eve.send("bob", forged);
    let said = bob.ok(&["check"]);
    let heads: Vec<_> = said
        .lines()
        .filter(|line| !line.starts_with(' ') && !line.is_empty())
        .collect();
    assert_eq!(heads.len(), 1, "{said}");
    assert!(heads[0].starts_with("eve · "), "{said}");
}

#[test]
fn tricks_in_what_is_typed_are_not_echoed_raw() {
    let home = Home::new();
    home.register("alice");
    for (what, trick) in TRICKS {
        let lines = [
            &["--as", "alice", "send", trick, "x"][..],
            &["register", trick],
            &["--as", trick, "check"],
            &["--as", "alice", "read", trick],
            &[trick],
        ];
        for line in lines {
            let said = home.run(line);
            said.refused(2, &[]);
            assert_harmless(&said, &format!("{what}, {}", line[0]));
        }
        let said = home.run(&["--as", "alice", "send", "bob", "--file", trick]);
        said.refused(1, &[]);
        assert_harmless(&said, what);
        let mut command = home.command(&["check"]);
        let said = Said::of(&command.env("IPC_INSTANCE", trick).output().unwrap());
        said.refused(2, &["IPC_INSTANCE"]);
        assert_harmless(&said, what);
    }
}
