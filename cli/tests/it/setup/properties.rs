//! Any document: what was put in is taken back, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{HOSTS, json as read, text, write};
use crate::harness::Home;

/// Runs of the program take milliseconds, and each case is six.
const CASES: u32 = 40;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z\"ü ]{0,6}", inner, 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn object(keys: &'static str) -> impl Strategy<Value = Map<String, Value>> {
    btree_map(keys, value(), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

/// A document with or without the sections that are written to, which are of the right types.
fn document() -> impl Strategy<Value = Value> {
    let servers = proptest::option::of(object("[a-hj-z]{1,5}"));
    let events = "(SessionStart|AfterTool|Stop|PostToolUse|Other)";
    let hooks = proptest::option::of(btree_map(events, vec(value(), 0..3), 0..4));
    (object("[A-Z ü]{0,5}"), servers, hooks).prop_map(|(mut root, servers, hooks)| {
        root.extend(servers.map(|servers| ("mcpServers".to_owned(), servers.into())));
        root.extend(hooks.map(|hooks| ("hooks".to_owned(), json!(hooks))));
        Value::Object(root)
    })
}

/// A configuration with or without servers.
fn tables() -> impl Strategy<Value = BTreeMap<String, BTreeMap<String, toml::Value>>> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(toml::Value::from),
        any::<i32>().prop_map(|number| toml::Value::from(i64::from(number))),
        any::<String>().prop_map(toml::Value::from),
    ];
    let inner = leaf.prop_recursive(2, 8, 3, |inner| {
        let pairs = btree_map("[a-z]{1,3}", inner, 0..3);
        pairs.prop_map(|pairs| toml::Value::Table(pairs.into_iter().collect()))
    });
    btree_map(
        "(mcp_servers|[A-Z ü]{1,4})",
        btree_map("[a-hj-z]{1,4}", inner, 0..3),
        0..4,
    )
}

/// A way to write a document down.
fn written(value: &Value, style: u8) -> String {
    let pretty = serde_json::to_string_pretty(value).unwrap();
    match style {
        0 => value.to_string(),
        1 => pretty,
        2 => pretty.replace("\n  ", "\n\t") + "\n",
        _ => pretty.replace('\n', "\r\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_document_gets_its_bytes_back(value in document(), style in 0..4_u8) {
        for host in &HOSTS[..2] {
            let (home, before) = (Home::new(), written(&value, style));
            host.files.iter().for_each(|file| drop(write(&home, file, &before)));
            host.setup(&home);
            host.uninstall(&home);
            for file in host.files {
                prop_assert_eq!(text(&home, file), before.as_str(), "{} {}", host.word, file);
            }
        }
    }

    #[test]
    fn of_any_document_that_was_edited_since_only_ours_goes(
        value in document(), style in 0..4_u8, added in object("[A-Z]{6}"), server in value(), again in 0..4_u8,
    ) {
        let edit = |document: &mut Value| {
            let root = document.as_object_mut().unwrap();
            root.extend(added.clone());
            if let Some(servers) = root.get_mut("mcpServers") {
                servers["zz-later"] = server.clone();
            }
            if let Some(Value::Array(hooks)) = root.get_mut("hooks").and_then(|hooks| hooks.get_mut("Stop")) {
                hooks.insert(0, json!({"hooks": [{"command": "theirs"}]}));
            }
        };
        let host = &HOSTS[0];
        let home = Home::new();
        host.files.iter().for_each(|file| drop(write(&home, file, written(&value, style))));
        host.setup(&home);
        let mut expected = Vec::new();
        for file in host.files {
            let mut after = read(&home, file);
            let (had_servers, had_stop) = (value.get("mcpServers").is_some(), value.get("hooks").and_then(|h| h.get("Stop")).is_some());
            edit(&mut after);
            write(&home, file, written(&after, again));
            // What the same edit makes of the document that was never set up.
            let mut never = value.clone();
            if !had_servers && file == ".claude.json" { never["mcpServers"] = json!({}); }
            if !had_stop && file != ".claude.json" {
                if never.get("hooks").is_none() { never["hooks"] = json!({}); }
                never["hooks"]["Stop"] = json!([]);
            }
            edit(&mut never);
            expected.push(never);
        }
        host.uninstall(&home);
        for (file, expected) in host.files.iter().zip(expected) {
            prop_assert_eq!(read(&home, file), expected, "{}", file);
        }
    }

    #[test]
    fn text_that_somebody_put_beside_ours_stays_byte_for_byte(
        value in document(), style in 0..4_u8, at_end in any::<bool>(),
    ) {
        let mut value = value;
        value["THEIRS"] = json!({"a": [1, {}]});
        let before = written(&value, style);
        let edited = |text: &str| {
            if at_end {
                let (most, brace) = text.split_at(text.rfind('}').unwrap());
                [most, ",\t\"LATER\" : 1 ", brace].concat()
            } else {
                text.replacen('{', "{ \"EARLIER\":[ ] ,", 1)
            }
        };
        for host in &HOSTS[..2] {
            let home = Home::new();
            for file in host.files {
                write(&home, file, &before);
            }
            host.setup(&home);
            let files: BTreeSet<_> = host.files.into_iter().collect();
            for file in &files {
                write(&home, file, edited(&text(&home, file)));
            }
            host.uninstall(&home);
            for file in files {
                prop_assert_eq!(text(&home, file), edited(&before), "{} {}", host.word, file);
            }
        }
    }

    #[test]
    fn any_toml_gets_its_bytes_back_and_keeps_what_was_added(value in tables(), is_edited in any::<bool>()) {
        let (home, file) = (Home::new(), ".codex/config.toml");
        let before = toml::to_string(&value).unwrap();
        write(&home, file, &before);
        HOSTS[2].setup(&home);
        let added = if is_edited { "\n# theirs\n[later]\na = 1 # one" } else { "" };
        write(&home, file, text(&home, file) + added);
        HOSTS[2].uninstall(&home);
        prop_assert_eq!(text(&home, file), before + added);
    }
}
