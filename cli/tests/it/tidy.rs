//! The repository's own rules: what cannot be seen by the compiler and rots unless it is looked at.
//!
//! Looks at files only: it needs no version control, no network and no daemon.

mod documents;
mod targets;
pub(crate) mod texts;

use std::collections::BTreeSet;

use ipc_protocol::request::Request;

use texts::{CRATES, files, quoted, read, root, rows, section, sources};

/// Longest source file, in lines: more is two ideas in one file.
const LONGEST: usize = 400;

/// Requests without an action in `daemon/src/actions`, and why.
const WITHOUT_ACTION: [(&str, &str); 3] = [
    ("hello", "the gate: daemon/src/auth.rs"),
    ("authenticate", "the gate: daemon/src/auth.rs"),
    (
        "admin_backup",
        "changes nothing in the store: daemon/src/housekeeping.rs",
    ),
];

/// Requests without a command of their own, and why.
const WITHOUT_COMMAND: [(&str, &str); 7] = [
    ("hello", "every command begins with it"),
    ("authenticate", "every command begins with it"),
    ("fetch", "`check` and `watch`"),
    ("ack", "part of `check` and `watch`"),
    ("nack", "part of `check` and `watch`"),
    ("notice", "`hook` and `watch --notices`"),
    ("describe", "`set-status`, `set-summary` and `register`"),
];

/// Requests without a tool of their own in the MCP server, and why.
const WITHOUT_TOOL: [(&str, &str); 23] = [
    ("hello", "every connection begins with it"),
    ("authenticate", "every connection begins with it"),
    ("fetch", "`ipc_check`, and `ipc_send` with wait_s"),
    ("ack", "follows a response that was flushed"),
    ("nack", "follows a response that was dropped"),
    ("whoami", "part of `ipc_status`"),
    ("notices", "part of `ipc_status`"),
    ("describe", "part of `ipc_status` and `ipc_register`"),
    ("notice", "subscriptions and notices pushed into hosts"),
    (
        "boundaries",
        "people decide whom to hear: no peer may talk a model out of a block",
    ),
    ("renew", "a session that ends is replaced"),
    ("unregister", "a model does not give its mailbox up"),
    ("offline", "the end of the server says it"),
    ("revoke", "for people, who see what it ends"),
    (
        "receipts",
        "for people and scripts: a model that looked would not stop",
    ),
    ("dead_letters", "for people and scripts"),
    ("admin_backup", "for the operator"),
    ("admin_release", "for the operator"),
    ("admin_revoke", "for the operator"),
    ("admin_rotate_secret", "for the operator"),
    ("admin_freeze", "for the operator"),
    ("admin_thaw", "for the operator"),
    ("admin_readers", "for the operator"),
];

fn dependencies(of: &str) -> BTreeSet<String> {
    let manifest = manifest(of);
    let systems = manifest.get("target").and_then(toml::Value::as_table);
    let systems = systems.into_iter().flat_map(toml::Table::values);
    let systems = systems.filter_map(toml::Value::as_table);
    let tables = systems.chain([&manifest]).flat_map(|manifest| {
        let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
        tables.map(|name| manifest.get(name).and_then(toml::Value::as_table))
    });
    let tables = tables.flatten();
    tables.flat_map(|table| table.keys().cloned()).collect()
}

fn manifest(of: &str) -> toml::Table {
    read(format!("{of}/Cargo.toml")).parse().unwrap()
}

fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    name.split('_').map(capital).collect()
}

#[test]
fn no_file_is_longer_than_one_idea() {
    for path in sources() {
        let lines = read(&path).lines().count();
        assert!(
            lines <= LONGEST,
            "{}: {lines} lines, {LONGEST} fit",
            path.display()
        );
    }
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    for path in sources() {
        assert!(
            read(&path).starts_with("//! "),
            "{} has no module docs",
            path.display()
        );
    }
}

#[test]
fn modules_are_named_files() {
    for path in sources() {
        assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not hold the words itself.
    let marks = [["FIX", "ME"], ["XX", "X"]].map(|parts| parts.concat());
    let macros = [["db", "g!("], ["tod", "o!("]].map(|parts| parts.concat());
    let later = ["TO", "DO"].concat();
    let owned = format!("{later}(");
    let texts = files(".", ".md").into_iter().chain(files(".", ".toml"));
    for path in sources().into_iter().chain(texts) {
        for (at, line) in read(&path).lines().enumerate() {
            let place = format!("{}:{}", path.display(), at + 1);
            let words: Vec<_> = line.split(|c: char| !c.is_alphanumeric()).collect();
            for mark in &marks {
                assert!(!words.contains(&mark.as_str()), "{place}: {line}");
            }
            let is_owned = !words.contains(&later.as_str()) || line.contains(&owned);
            assert!(is_owned, "{place}: say whose it is: {owned}NAME)");
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            let leftover = is_source && macros.iter().any(|name| line.contains(name));
            assert!(!leftover, "{place}: {line}");
        }
    }
}

#[test]
fn dependencies_point_one_way() {
    for (at, of) in CRATES.iter().enumerate() {
        for other in &CRATES[at..] {
            let name = format!("ipc-{other}");
            assert!(
                !dependencies(of).contains(&name),
                "{of} must not use {name}"
            );
        }
    }
    assert!(
        dependencies("protocol")
            .iter()
            .all(|name| !name.starts_with("ipc-"))
    );
}

#[test]
fn every_dependency_has_its_reason() {
    let page = section(&read("docs/ARCHITECTURE.md"), "## Dependencies");
    for of in CRATES {
        let named = quoted(&section(&page, &format!("### {of}")));
        let used = dependencies(of);
        let missing: Vec<_> = used.difference(&named).collect();
        assert!(
            missing.is_empty(),
            "docs/ARCHITECTURE.md, {of}: {missing:?}"
        );
        let crates: BTreeSet<_> = rows(&section(&page, &format!("### {of}")))
            .keys()
            .flat_map(|cell| quoted(cell))
            .collect();
        let gone: Vec<_> = crates.difference(&used).collect();
        assert!(
            gone.is_empty(),
            "docs/ARCHITECTURE.md, {of}: not used: {gone:?}"
        );
    }
}

#[test]
fn every_request_has_its_row_and_its_golden_file() {
    let table = rows(&section(&read("docs/PROTOCOL.md"), "## Requests"));
    for name in Request::NAMES {
        assert!(
            table.contains_key(&format!("`{name}`")),
            "docs/PROTOCOL.md: no row for {name}"
        );
        let golden = root().join(format!("protocol/tests/golden/{name}.json"));
        assert!(golden.is_file(), "{}", golden.display());
    }
}

#[test]
fn every_request_has_its_action() {
    let actions: String = files("daemon/src/actions", ".rs")
        .iter()
        .map(read)
        .collect();
    for name in Request::NAMES {
        let action = format!("pub(crate) fn {}(", name.trim_start_matches("admin_"));
        let is_exempt = WITHOUT_ACTION.iter().any(|(exempt, _)| exempt == name);
        assert_eq!(
            !is_exempt,
            actions.contains(&action),
            "{name}: `{action}…)`"
        );
    }
}

#[test]
fn every_request_has_its_command() {
    let arguments = read("cli/src/args.rs") + &read("cli/src/args/upkeep.rs");
    for name in Request::NAMES {
        let command = camel(name.trim_start_matches("admin_"));
        let is_there = arguments.lines().any(|line| {
            let line = line.trim_start().strip_prefix(&command);
            line.is_some_and(|rest| rest.starts_with(['(', ',', ' ']))
        });
        let is_exempt = WITHOUT_COMMAND.iter().any(|(exempt, _)| exempt == name);
        assert_eq!(!is_exempt, is_there, "{name}: a command {command}");
    }
}

#[test]
fn every_request_has_its_tool() {
    let tools: String = files("mcp/src/tools", ".rs").iter().map(read).collect();
    for name in Request::NAMES {
        let tool = format!("const NAME: &'static str = \"ipc_{name}\";");
        let is_exempt = WITHOUT_TOOL.iter().any(|(exempt, _)| exempt == name);
        assert_eq!(
            !is_exempt,
            tools.contains(&tool),
            "{name}: a tool ipc_{name}"
        );
    }
    for (exempt, _) in WITHOUT_TOOL {
        assert!(Request::NAMES.contains(&exempt), "{exempt} is no request");
    }
}
