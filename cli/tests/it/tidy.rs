//! The repository's own rules: what cannot be seen by the compiler and rots unless it is looked at.
//!
//! Looks at files only: it needs no version control, no network and no daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ipc_daemon::limits::Limits;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::Request;

/// The crates, in the order in which they may use one another: each only those before it.
const CRATES: [&str; 4] = ["protocol", "daemon", "cli", "bench"];

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
const WITHOUT_COMMAND: [(&str, &str); 5] = [
    ("hello", "every command begins with it"),
    ("authenticate", "every command begins with it"),
    ("fetch", "`check` and `watch`"),
    ("ack", "part of `check` and `watch`"),
    ("nack", "part of `check` and `watch`"),
];

fn root() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.parent().unwrap().to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file under `directory` whose name ends in `suffix`, relative to the root, sorted.
fn files(directory: &str, suffix: &str) -> Vec<PathBuf> {
    fn walk(at: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if name != "target" && name != ".git" {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    walk(&root.join(directory), &mut found);
    found.retain(|path| path.to_string_lossy().ends_with(suffix));
    found.sort();
    let relative = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_owned();
    found.iter().map(relative).collect()
}

fn sources() -> Vec<PathBuf> {
    CRATES.iter().flat_map(|name| files(name, ".rs")).collect()
}

/// The text between a heading line and the next one of the same or a higher level.
fn section(text: &str, heading: &str) -> String {
    let level = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "no section `{heading}`");
    let ends = |line: &&str| level(line) == 0 || level(line) > level(heading);
    lines.take_while(ends).collect::<Vec<_>>().join("\n")
}

/// The first cells of the rows of all tables in `text`.
fn rows(text: &str) -> BTreeMap<String, Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_start_matches('|').trim_end_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let lines = text.lines().filter(|line| line.starts_with('|'));
    lines.map(cells).map(|row| (row[0].clone(), row)).collect()
}

/// Everything between backquotes in `text`.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
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

fn manifest(of: &str) -> toml::Table {
    read(format!("{of}/Cargo.toml")).parse().unwrap()
}

fn dependencies(of: &str) -> BTreeSet<String> {
    let manifest = manifest(of);
    let tables = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = tables
        .into_iter()
        .filter_map(|name| manifest.get(name)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
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
fn every_error_code_is_documented() {
    let table = rows(&section(&read("docs/PROTOCOL.md"), "## Errors"));
    for code in ErrorCode::ALL {
        let row = table.get(&format!("`{}`", code.as_str()));
        let row = row.unwrap_or_else(|| panic!("docs/PROTOCOL.md: no row for {code:?}"));
        assert_eq!(
            row[1].replace('\u{2212}', "-"),
            code.number().to_string(),
            "{code:?}"
        );
        assert_eq!(row[2], "1", "{code:?}: every refusal ends `ipc` with 1");
    }
}

#[test]
fn every_limit_is_documented_with_its_default() {
    let table = rows(&section(&read("docs/CONFIGURATION.md"), "## `[limits]`"));
    let defaults = format!("{:?}", Limits::default());
    let inner = defaults
        .trim_start_matches("Limits { ")
        .trim_end_matches(" }");
    let defaults: Vec<_> = inner
        .split(", ")
        .filter_map(|pair| pair.split_once(": "))
        .collect();
    assert!(defaults.len() > 20, "{defaults:?}");
    for (key, default) in &defaults {
        let row = table.get(&format!("`{key}`"));
        let row = row.unwrap_or_else(|| panic!("docs/CONFIGURATION.md: no row for {key}"));
        assert_eq!(
            row[1], *default,
            "docs/CONFIGURATION.md: the default of {key}"
        );
    }
    assert_eq!(
        table.len(),
        defaults.len() + 2,
        "a row for a key that is gone"
    );
}

#[test]
fn the_documented_schema_is_the_schema() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = read("docs/SCHEMA.md");
    let (_, block) = page.split_once("```sql\n").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    let schema = read("daemon/src/store/schema.sql");
    assert_eq!(
        words(block),
        words(&schema),
        "docs/SCHEMA.md is not daemon/src/store/schema.sql"
    );
    for line in schema.lines().filter(|line| line.contains(" INDEX ")) {
        let name = line
            .split_whitespace()
            .skip_while(|word| *word != "INDEX")
            .nth(1)
            .unwrap();
        assert!(
            page.contains(&format!("| `{name}` |")),
            "docs/SCHEMA.md: index {name}"
        );
    }
}

#[test]
fn every_test_that_security_names_exists() {
    let page = read("SECURITY.md");
    let table = rows(&section(&page, "## Threats, and what is shown"));
    let sources: String = sources().iter().map(read).collect();
    let mut number = 0;
    for (threat, row) in table {
        for name in quoted(row.last().unwrap()) {
            let test = format!("fn {name}(");
            assert!(
                sources.contains(&test),
                "SECURITY.md, {threat}: no test {name}"
            );
            number += 1;
        }
    }
    assert!(number > 30, "only {number} tests are named");
}

/// The anchor that a heading gets: lower case, without punctuation, hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let text: String = heading
        .trim_start_matches('#')
        .trim()
        .chars()
        .filter(kept)
        .collect();
    text.to_lowercase().replace(' ', "-")
}

fn links(text: &str) -> Vec<String> {
    let ends = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_link_leads_somewhere() {
    for path in files(".", ".md") {
        for link in links(&read(&path)) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            assert!(root().join(&target).exists(), "{}: {link}", path.display());
            let is_there = heading.is_empty()
                || read(&target)
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(is_there, "{}: no heading for {link}", path.display());
        }
    }
}

#[test]
fn every_decision_has_a_number_of_its_own_and_says_why() {
    let mut numbers = BTreeSet::new();
    for path in files("docs/decisions", ".md") {
        let (name, text) = (path.file_name().unwrap().to_string_lossy(), read(&path));
        let number: u32 = name.split('-').next().unwrap().parse().unwrap();
        assert!(
            numbers.insert(number),
            "two decisions have the number {number}"
        );
        assert!(text.starts_with(&format!("# {number}. ")), "{name}: title");
        for part in ["**Context.**", "**Decision.**", "**Consequences.**"] {
            assert!(text.contains(part), "{name}: {part}");
        }
    }
}

#[test]
fn the_readme_has_the_two_commands() {
    let readme = read("README.md");
    for command in [
        "cargo install --locked --path cli && ipc quickstart",
        "cargo test --workspace --locked",
    ] {
        assert!(
            readme.lines().any(|line| line == command),
            "README.md: {command}"
        );
    }
}
