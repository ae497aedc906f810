//! What the documents say is so.

use std::collections::BTreeSet;

use ipc_daemon::limits::Limits;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::leak::Rule;

use super::texts::{files, quoted, read, root, rows, section, sources};

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
fn every_rule_about_credentials_is_documented() {
    let table = rows(&section(&read("docs/CONFIGURATION.md"), "## `[secrets]`"));
    for rule in Rule::ALL {
        let is_there = table.contains_key(&format!("`{rule}`"));
        assert!(is_there, "docs/CONFIGURATION.md: no row for {rule}");
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
fn every_variable_of_the_environment_is_documented() {
    let table = rows(&section(&read("docs/CONFIGURATION.md"), "## Environment"));
    let documented: BTreeSet<_> = table.keys().flat_map(|cell| quoted(cell)).collect();
    let source = read("cli/src/environment.rs");
    let (_, body) = source.split_once("fn read() -> Self {").unwrap();
    let (body, _) = body.split_once("\nimpl ").unwrap();
    // `variable("…")`, and those that stand in a list.
    let words = body.split('"').skip(1).step_by(2);
    let is_one = |word: &&str| word.starts_with(|c: char| c.is_ascii_uppercase());
    let variables: Vec<_> = words.filter(is_one).collect();
    assert!(variables.len() > 15, "{variables:?}");
    for variable in ["IPC_DATA_DIR", "LISTEN_FDS_FIRST_FD"] {
        assert!(variables.contains(&variable), "{variables:?}");
    }
    for variable in variables {
        assert!(
            documented.contains(variable),
            "docs/CONFIGURATION.md: no row for {variable}"
        );
    }
}

#[test]
fn the_documented_schema_is_the_schema() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = read("docs/SCHEMA.md");
    let (_, block) = page.split_once("```sql\n").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    let steps = files("daemon/src/store/schema", ".sql");
    let schema: String = steps.iter().map(read).collect();
    assert_eq!(
        words(block),
        words(&schema),
        "docs/SCHEMA.md is not daemon/src/store/schema/"
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

/// The attacks that `cell` names tests for: each number in brackets right before a test.
fn attacks_shown(cell: &str) -> BTreeSet<u32> {
    let groups = cell.split('(').skip(1);
    let before_a_test = groups.filter_map(|rest| rest.split_once(") `"));
    before_a_test
        .flat_map(|(numbers, _)| numbers.split(", "))
        .map(|number| {
            number
                .parse()
                .unwrap_or_else(|_| panic!("{number}: {cell}"))
        })
        .collect()
}

#[test]
fn every_one_of_the_sixty_attacks_has_a_test_that_security_names() {
    let table = rows(&section(
        &read("SECURITY.md"),
        "## Threats, and what is shown",
    ));
    let cells = table.values().map(|row| row.last().unwrap());
    let shown: BTreeSet<u32> = cells.flat_map(|cell| attacks_shown(cell)).collect();
    let missing: Vec<_> = (1..=60).filter(|number| !shown.contains(number)).collect();
    assert_eq!(missing, [0_u32; 0], "attacks without a test in SECURITY.md");
    let listed = section(&read("docs/THREAT_MODEL.md"), "## Sixty attacks");
    let numbers = listed.lines().filter_map(|line| line.split_once(". "));
    let numbers = numbers.filter_map(|(number, _)| number.parse::<u32>().ok());
    assert!(numbers.eq(1..=60), "docs/THREAT_MODEL.md: the list");
    assert!(shown.into_iter().all(|number| (1..=60).contains(&number)));
}

#[test]
fn every_long_test_is_one() {
    let script = read("tests/long/run");
    let (_, list) = script.split_once("TESTS='\n").unwrap();
    let (list, _) = list.split_once("\n'").unwrap();
    for line in list.lines() {
        let [of, _, test] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("tests/long/run: {line}");
        };
        let (_, name) = test.rsplit_once("::").unwrap();
        let of = of.trim_start_matches("ipc-");
        let found = files(of, ".rs")
            .iter()
            .any(|path| read(path).contains(&format!("fn {name}(")));
        assert!(found, "tests/long/run: no test {name} in {of}");
    }
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
