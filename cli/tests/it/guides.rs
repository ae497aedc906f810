//! The guides: every command in them does what they say.
//!
//! A block called `console` is a story: each page is followed from its first such block to its last
//! in an empty home. `$` begins what is typed, `alice$` what is typed in the terminal of that name;
//! what stands beneath is what is printed, `…` for anything, `^C` ends a command that would not end.
//! `# exit N` says with which status it ends, else it is 0. A command with `--wait` may wait for
//! what is typed in another terminal.

mod page;
mod stand_ins;
mod walk;

use std::collections::BTreeSet;

use crate::harness::Home;
use crate::tidy::texts::{files, quoted, read};
use page::{blocks, typed};
use walk::walk;

macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page,)*];

        $(#[test]
        fn $test() {
            walk($page);
        })*
    };
}

pages! {
    the_tour_runs_as_it_stands: "README.md",
    setting_up_runs_as_it_stands: "docs/guides/setup.md",
    the_quick_start_of_security_runs_as_it_stands: "docs/guides/security-quick-start.md",
    the_guide_to_notices_runs_as_it_stands: "docs/guides/auto-check.md",
    the_guide_to_groups_runs_as_it_stands: "docs/guides/groups.md",
    the_guide_to_claude_code_runs_as_it_stands: "docs/guides/claude-code.md",
    the_guide_to_gemini_cli_runs_as_it_stands: "docs/guides/gemini-cli.md",
    the_guide_to_codex_runs_as_it_stands: "docs/guides/codex.md",
    the_guide_to_other_agents_runs_as_it_stands: "docs/guides/other-agents.md",
    the_guide_to_sharing_runs_as_it_stands: "docs/guides/sharing-files.md",
    the_guide_to_incidents_runs_as_it_stands: "docs/guides/incident.md",
    the_guide_to_trouble_runs_as_it_stands: "docs/guides/troubleshooting.md",
    coming_over_runs_as_it_stands: "MIGRATION_GUIDE.md",
}

/// Blocks that are not typed, and what looks after them.
const OTHER_BLOCKS: [&str; 4] = [
    // The two commands of the README: `the_readme_has_the_two_commands`.
    "sh",   // `what_is_quoted_is_what_the_program_says`.
    "text", // `what_is_to_be_pasted_is_well_formed`.
    "json", "toml",
];

#[test]
fn every_guide_is_followed_and_listed() {
    let list = read("docs/guides/README.md");
    let guides = files("docs/guides", ".md");
    assert!(guides.len() > 8, "{guides:?}");
    for guide in guides {
        let (path, name) = (guide.to_str().unwrap(), guide.file_name().unwrap());
        if path != "docs/guides/README.md" {
            assert!(PAGES.contains(&path), "{path} is not followed");
            assert!(
                list.contains(&format!("({})", name.display())),
                "{path} is not listed"
            );
        }
    }
    assert!(read("README.md").contains("(docs/guides/README.md)"));
}

#[test]
fn every_block_is_of_a_kind_that_is_looked_at() {
    for page in PAGES {
        for block in blocks(page) {
            let known = block.language == "console" || OTHER_BLOCKS.contains(&&*block.language);
            assert!(known, "{}: `{}`", block.place(), block.language);
            let is_typed_elsewhere = block.language == "sh" && *page != "README.md";
            assert!(!is_typed_elsewhere, "{}: call it console", block.place());
        }
    }
}

/// The sources as one line, so that a sentence over several of theirs is found.
fn sources() -> String {
    let crates = ["protocol/src", "daemon/src", "mcp/src", "cli/src"];
    let texts = crates.iter().flat_map(|of| files(of, ".rs"));
    let all: String = texts.map(read).collect();
    let joined: String = all.split("\\\n").map(str::trim_start).collect();
    joined.replace("\\n", " ").replace("\\\"", "\"")
}

#[test]
fn what_is_quoted_is_what_the_program_says() {
    let sources = sources();
    for page in PAGES {
        let quotes = blocks(page);
        for block in quotes.iter().filter(|block| block.language == "text") {
            for line in block.text().lines() {
                let line = line
                    .trim_start_matches("error: ")
                    .trim_start_matches("hint: ");
                for part in line.split('…').map(str::trim) {
                    assert!(sources.contains(part), "{}: {part}", block.place());
                }
            }
        }
    }
}

#[test]
fn what_is_to_be_pasted_is_well_formed() {
    let keys = read("docs/CONFIGURATION.md");
    for page in PAGES {
        for block in blocks(page) {
            let (text, place) = (block.text(), block.place());
            match block.language.as_str() {
                "json" => drop(serde_json::from_str::<serde_json::Value>(&text).expect(&place)),
                "toml" => {
                    let table: toml::Table = text.parse().expect(&place);
                    let limits = table.get("limits").and_then(toml::Value::as_table);
                    for key in limits.into_iter().flat_map(toml::Table::keys) {
                        assert!(keys.contains(&format!("`{key}`")), "{place}: {key}");
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_stand_in_takes_nothing_that_no_page_needs() {
    let all = PAGES.iter().flat_map(|page| typed(page));
    let commands: Vec<_> = all.map(|typed| typed.command).collect();
    for (program, arguments, _) in stand_ins::TAKEN {
        let first = arguments.split('*').next().unwrap();
        let call = format!("{program} {first}");
        let is_typed = commands.iter().any(|typed| typed.contains(call.trim()));
        // The program itself calls systemd's.
        assert!(is_typed || program == "systemctl", "{call}");
    }
}

/// Commands with commands of their own.
const FAMILIES: [&str; 4] = ["auto-check", "daemon", "service", "admin"];

#[test]
fn every_command_and_option_that_is_named_exists() {
    let home = Home::new();
    let mut seen: BTreeSet<(&str, String)> = BTreeSet::new();
    for page in PAGES {
        let text = read(page);
        let prose: String = text.split("```").step_by(2).collect();
        let commands = typed(page).into_iter().map(|typed| typed.command);
        for line in quoted(&prose).into_iter().chain(commands) {
            let own = line.split(['|', ';', '&', '>', '#', '<']);
            for call in own.filter_map(|part| part.trim().strip_prefix("ipc ")) {
                seen.insert((*page, call.to_owned()));
            }
        }
    }
    assert!(seen.len() > 60, "{seen:?}");
    for (page, call) in seen {
        look_up(&home, page, &call);
    }
}

fn look_up(home: &Home, page: &str, call: &str) {
    let mut words: Vec<_> = call.split_whitespace().collect();
    while words
        .first()
        .is_some_and(|word| matches!(*word, "--as" | "--data-dir"))
    {
        words.drain(..2);
    }
    let Some(first) = words
        .first()
        .filter(|word| word.starts_with(|c: char| c.is_lowercase()))
    else {
        return;
    };
    let mut topic = vec!["help", first];
    if FAMILIES.contains(first)
        && let Some(second) = words.get(1)
    {
        topic.push(second);
        // A family in a family.
        topic.extend(words.get(2).filter(|_| *second == "audit"));
    }
    let help = home.run(&topic);
    assert_eq!(help.status, 0, "{page}: `ipc {call}`: {help:?}");
    for word in words.iter().filter(|word| word.starts_with("--")) {
        let option = word.split('=').next().unwrap();
        assert!(
            help.out.contains(option),
            "{page}: `ipc {call}`: no {option}"
        );
    }
}
