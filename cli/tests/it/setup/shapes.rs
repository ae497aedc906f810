//! Existing files of every shape get their bytes back.

use std::path::Path;

use serde_json::Value;

use super::{HOSTS, Host, bytes, everything, json, text, write};
use crate::harness::Home;

const OTHERS: &str = r#"{
  "mcpServers": {
    "other": { "command": "other", "args": [] }
  },
  "hooks": {
    "SessionStart": [
      {
        "hooks": [
          { "type": "command", "command": "echo started" }
        ]
      }
    ],
    "Stop": [],
    "PreToolUse": [{"matcher": "Bash", "hooks": []}]
  },
  "theme": "dark"
}
"#;

/// JSON that hosts may have.
fn shapes() -> Vec<(&'static str, String)> {
    let big: Vec<String> = (0..20_000)
        .map(|n| format!("    \"key-{n}\": {{\"n\": {n}}}"))
        .collect();
    vec![
        ("empty file", String::new()),
        ("white space", " \n\n".to_owned()),
        ("empty object", "{}".to_owned()),
        ("empty object on lines", "{\n}\n".to_owned()),
        ("empty object with blanks", "{ \t }\r\n".to_owned()),
        ("others", OTHERS.to_owned()),
        ("no last newline", OTHERS.trim_end().to_owned()),
        ("tabs", OTHERS.replace("  ", "\t")),
        ("four blanks", OTHERS.replace("  ", "    ")),
        ("carriage returns", OTHERS.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{FEFF}{OTHERS}")),
        (
            "minified",
            serde_json::from_str::<Value>(OTHERS).unwrap().to_string(),
        ),
        (
            "one line with blanks",
            r#"{ "a": 1, "hooks": { "Stop": [ ] } }"#.to_owned(),
        ),
        (
            "empty sections",
            "{\n  \"hooks\": {},\n  \"mcpServers\": { }\n}".to_owned(),
        ),
        (
            "uneven",
            "{\"a\":\n1\n,\n\n   \"hooks\" : {\"SessionStart\":[\n]}}\n\n".to_owned(),
        ),
        (
            "unicode",
            "{\n  \"grüße\": \"世界 🎉 \\u0000 \\\" }\",\n  \"\\u0068ooks\": {}\n}".to_owned(),
        ),
        (
            "numbers",
            "{\"a\": 1e400, \"b\": 0.10000000000000000001, \"c\": -0}".to_owned(),
        ),
        (
            "same key twice elsewhere",
            "{\"x\": {\"a\": 1, \"a\": 2}}".to_owned(),
        ),
        (
            "big",
            format!("{{\n  \"projects\": {{\n{}\n  }}\n}}\n", big.join(",\n")),
        ),
    ]
}

const TOMLS: [(&str, &str); 9] = [
    ("empty", ""),
    ("a line", "model = \"x\"\n"),
    ("no last newline", "model = \"x\""),
    ("carriage returns", "model = \"x\"\r\n\r\n[a]\r\nb = 1\r\n"),
    (
        "comments",
        "# top\n\n[mcp_servers.other] # theirs\ncommand = \"o\"\n\n# bottom",
    ),
    ("dotted", "mcp_servers.other.command = \"o\"\n"),
    ("byte order mark", "\u{FEFF}a = 1\n"),
    ("only a comment", "# nothing"),
    (
        "arrays of tables",
        "[[x]]\na = '''\n[mcp_servers.ipc]\n'''\n[[x]]\n",
    ),
];

fn is_json(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|extension| extension == "json")
}

fn round_trip(host: &Host, file: &str, name: &str, before: &str) {
    let home = Home::new();
    write(&home, file, before);
    let original = everything(&home);
    host.setup(&home);
    let after = text(&home, file);
    let context = format!("{} {file}, {name}: {after:?}", host.word);
    assert_ne!(after, before, "{context}");
    assert_eq!(
        after.starts_with('\u{FEFF}'),
        before.starts_with('\u{FEFF}'),
        "{context}"
    );
    if before.contains("\r\n") && !before.starts_with('{') {
        assert!(!after.replace("\r\n", "").contains('\n'), "{context}");
    }
    if is_json(file) {
        let is_there = after.contains("hook ") || after.contains("mcp");
        assert!(is_there, "{context}");
    }
    assert!(host.setup(&home).contains("already set up"), "{context}");
    assert_eq!(text(&home, file), after, "{context}");
    host.uninstall(&home);
    assert_eq!(everything(&home), original, "{context}");
}

#[test]
fn every_shape_of_json_gets_its_bytes_back() {
    for host in &HOSTS {
        for file in host.files.iter().filter(|file| is_json(file)) {
            for (name, before) in shapes() {
                round_trip(host, file, name, &before);
            }
        }
    }
}

#[test]
fn every_shape_of_toml_gets_its_bytes_back() {
    for (name, before) in TOMLS {
        round_trip(&HOSTS[2], ".codex/config.toml", name, before);
    }
}

#[test]
fn comments_stay_where_the_host_takes_them() {
    for before in [
        "// top\n{\n  \"a\": 1, // one, two\n  /* , */ \"b\": 2 // last\n  // end\n}\n",
        "{ /* nothing */ }",
        "{ // nothing\n}",
        "{\"mcpServers\": {\"x\": {} /* x */ }, \"hooks\": {\"AfterTool\": [ // none\n]}}",
    ] {
        round_trip(&HOSTS[1], ".gemini/settings.json", "comments", before);
    }
}

#[test]
fn what_is_there_stays_beside_what_is_put_in() {
    for host in [&HOSTS[0], &HOSTS[1]] {
        let home = Home::new();
        host.files
            .iter()
            .for_each(|file| drop(write(&home, file, OTHERS)));
        host.setup(&home);
        let [servers, settings] = host.files.map(|file| json(&home, file));
        assert_eq!(servers["mcpServers"]["other"]["command"], "other");
        assert_eq!(
            servers["mcpServers"]["ipc"]["args"],
            serde_json::json!(["mcp"])
        );
        let started = settings["hooks"]["SessionStart"].as_array().unwrap();
        assert_eq!(started.len(), 2);
        assert_eq!(started[0]["hooks"][0]["command"], "echo started");
        assert_eq!(settings["theme"], "dark");
    }
}

#[test]
fn what_a_host_wrote_anew_loses_only_what_was_put_in() {
    for host in &HOSTS {
        let home = Home::new();
        let json_files: Vec<_> = host.files.iter().filter(|file| is_json(file)).collect();
        for file in &json_files {
            write(&home, file, OTHERS);
        }
        host.setup(&home);
        for file in &json_files {
            let mut value = json(&home, file);
            value["added"] = "later".into();
            write(&home, file, value.to_string());
        }
        host.uninstall(&home);
        for file in &json_files {
            let mut expected: Value = serde_json::from_str(OTHERS).unwrap();
            expected["added"] = "later".into();
            assert_eq!(text(&home, file), expected.to_string(), "{}", host.word);
        }
    }
}

#[test]
fn edits_by_hand_in_between_stay_byte_for_byte() {
    let cases = [
        ("\"theme\": \"dark\"", "\"theme\" :  \"light\""),
        (
            "\"command\": \"echo started\"",
            "\"command\": \"echo 'started, }'\"",
        ),
        (
            "\"PreToolUse\": [",
            "\"Notification\": [],\n    \"PreToolUse\": [ ",
        ),
        (
            "{\n  \"mcpServers\"",
            "{\n\n  \"first\": [1,2],\n  \"mcpServers\"",
        ),
    ];
    for (from, to) in cases {
        for host in &HOSTS[..2] {
            let home = Home::new();
            let files = host.files;
            for file in files {
                write(&home, file, OTHERS);
            }
            host.setup(&home);
            files
                .iter()
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .for_each(|file| {
                    let changed = text(&home, file).replace(from, to);
                    write(&home, file, changed);
                });
            host.uninstall(&home);
            for file in files {
                assert_eq!(
                    text(&home, file),
                    OTHERS.replace(from, to),
                    "{} {file}",
                    host.word
                );
            }
        }
    }
}

#[test]
fn tables_that_codex_adds_to_the_entry_go_with_it_and_no_others() {
    let home = Home::new();
    let (file, before) = (".codex/config.toml", "model = \"x\" # theirs\n");
    write(&home, file, before);
    HOSTS[2].setup(&home);
    let approved = "\n[mcp_servers.ipc.tools.ipc_send]\napproval_mode = \"approve\"\n";
    let theirs = "\n# theirs too\n[mcp_servers.other]\ncommand = \"other\"\n";
    let changed = [&text(&home, file), approved, theirs].concat();
    write(&home, file, changed);
    assert!(HOSTS[2].setup(&home).contains("already set up"));
    HOSTS[2].uninstall(&home);
    let left = text(&home, file);
    assert!(
        left.starts_with(before) && left.ends_with(theirs),
        "{left:?}"
    );
    assert!(!left.contains("ipc"), "{left:?}");
}

#[test]
fn an_entry_that_somebody_changed_since_is_left_and_told() {
    let home = Home::new();
    HOSTS[2].setup(&home);
    let file = ".codex/config.toml";
    let changed = text(&home, file).replace("[\"mcp\"]", "[\"mcp\", \"--mine\"]");
    write(&home, file, &changed);
    HOSTS[2].refused(&home, &["mcp_servers.ipc", "codex mcp remove ipc"]);
    let said = HOSTS[2].uninstall(&home);
    assert!(said.contains("left mcp_servers.ipc"), "{said}");
    assert_eq!(bytes(&home, file), changed.as_bytes());
}
