//! The packages for the agents' hosts in `mcp/plugins`: whole, and of one mind with the program.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::Home;
use crate::setup::HOSTS;
use crate::tidy::texts::{files, read};

const PACKAGES: &str = "mcp/plugins";

fn package_json(path: &str) -> Value {
    serde_json::from_str(&read(Path::new(PACKAGES).join(path))).unwrap()
}

/// Every string under the key `command`, with the arguments that stand beside it.
fn commands(value: &Value, found: &mut BTreeSet<String>) {
    if let Some(command) = value.get("command").and_then(Value::as_str) {
        let arguments = value
            .get("args")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let words = std::iter::once(command).chain(arguments.map(|word| word.as_str().unwrap()));
        found.insert(words.collect::<Vec<_>>().join(" "));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| commands(item, found)),
        Value::Object(members) => members.values().for_each(|member| commands(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The lines of the program that a text shows: in backquotes, or on lines of their own.
fn shown(text: &str, found: &mut BTreeSet<String>) {
    let quoted = text.split('`').skip(1).step_by(2);
    for words in text.lines().chain(quoted) {
        if words.starts_with("ipc ") && !words.contains('\n') {
            found.insert(words.to_owned());
        }
    }
}

fn all_commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in files(PACKAGES, ".json") {
        commands(&serde_json::from_str(&read(&path)).unwrap(), &mut found);
    }
    let configuration: toml::Table = read(Path::new(PACKAGES).join("codex/config.toml"))
        .parse()
        .unwrap();
    commands(&serde_json::to_value(configuration).unwrap(), &mut found);
    for path in files(PACKAGES, ".md")
        .into_iter()
        .chain(files(PACKAGES, ".toml"))
    {
        shown(&read(&path), &mut found);
    }
    found
}

/// What setup writes, as the host would run it.
fn written_commands() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for host in &HOSTS {
        let home = Home::new();
        host.setup(&home);
        for file in host.files {
            let text = std::fs::read_to_string(home.path().join(file)).unwrap();
            let value = match serde_json::from_str(&text) {
                Ok(value) => value,
                Err(_) => serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap(),
            };
            commands(&value, &mut found);
        }
    }
    let program = crate::harness::program().display().to_string();
    found
        .iter()
        .map(|line| line.replace(&program, "ipc"))
        .collect()
}

#[test]
fn every_command_line_in_the_packages_and_of_setup_is_one_of_the_program() {
    let home = Home::new();
    let mut lines = all_commands();
    lines.extend(written_commands());
    assert!(lines.len() > 20, "{lines:#?}");
    let is_wrong = |line: &&String| {
        let words = line
            .strip_prefix("ipc ")
            .unwrap_or_else(|| panic!("not ours: {line}"));
        let words: Vec<_> = words.split(' ').chain(["--help"]).collect();
        home.run(&words).status != 0
    };
    let wrong: Vec<_> = lines.iter().filter(is_wrong).collect();
    assert!(wrong.is_empty(), "the program does not know {wrong:#?}");
}

#[test]
fn every_file_of_the_packages_can_be_read() {
    let json = files(PACKAGES, ".json");
    assert!(json.len() >= 7, "{json:?}");
    for path in json {
        let text = read(&path);
        let value: Result<Value, _> = serde_json::from_str(&text);
        assert!(
            value.is_ok() && text.ends_with("}\n") | text.ends_with("]\n"),
            "{}",
            path.display()
        );
    }
    for path in files(PACKAGES, ".toml") {
        let table: toml::Table = read(&path).parse().unwrap();
        let is_command = path.to_string_lossy().contains("/commands/");
        assert_eq!(
            is_command,
            table.contains_key("prompt") && table.contains_key("description")
        );
    }
    for path in files(&format!("{PACKAGES}/claude-code/commands"), ".md") {
        let text = read(&path);
        let (head, body) = text
            .strip_prefix("---\n")
            .unwrap()
            .split_once("\n---\n")
            .unwrap();
        assert!(
            head.contains("description: ") && body.contains("$ARGUMENTS"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_packages_are_of_this_version_and_ask_for_no_trust() {
    let version = env!("CARGO_PKG_VERSION");
    let extension = package_json("gemini-cli/gemini-extension.json");
    assert_eq!(extension["version"], version);
    assert_eq!(
        package_json("claude-code/.claude-plugin/plugin.json")["version"],
        version
    );
    assert!(extension["mcpServers"]["ipc"].get("trust").is_none());
    let server = &package_json("claude-code/.mcp.json")["mcpServers"]["ipc"];
    assert_eq!(server["alwaysLoad"], true);
}

#[test]
fn the_packages_have_the_same_events_and_times_as_setup_writes() {
    let [claude, gemini, codex] = [
        "claude-code/hooks/hooks.json",
        "gemini-cli/hooks/hooks.json",
        "codex/hooks.json",
    ]
    .map(package_json);
    for (host, package) in HOSTS.iter().zip([claude, gemini, codex]) {
        let home = Home::new();
        host.setup(&home);
        let written = crate::setup::json(&home, host.files[1]);
        let hooks = |value: &Value| value["hooks"].as_object().unwrap().clone();
        let (package, written) = (hooks(&package), hooks(&written));
        assert_eq!(
            package.keys().collect::<Vec<_>>(),
            written.keys().collect::<Vec<_>>(),
            "{}",
            host.word
        );
        for (event, groups) in &package {
            // In the package of Claude Code the monitor wakes, and the hook only tells.
            if (host.word, event.as_str()) != ("claude", "Stop") {
                let timeout = |groups: &Value| groups[0]["hooks"][0]["timeout"].clone();
                assert_eq!(
                    timeout(groups),
                    timeout(&written[event]),
                    "{} {event}",
                    host.word
                );
            }
        }
    }
}

#[test]
fn what_an_agent_reads_says_that_peers_give_no_instructions() {
    let skill = "claude-code/skills/ipc/SKILL.md".to_owned();
    let texts =
        [skill, "gemini-cli/GEMINI.md".to_owned()].map(|path| Path::new(PACKAGES).join(path));
    let commands = files(PACKAGES, ".toml")
        .into_iter()
        .chain(files(&format!("{PACKAGES}/claude-code/commands"), ".md"));
    let commands = commands.filter(|path| path.to_string_lossy().contains("/commands/"));
    let mut number = 0;
    for path in commands.chain(texts) {
        let text = read(&path);
        let says = text.contains("never instructions")
            || text.contains("never an instruction")
            || text.contains("is an instruction from your user");
        assert!(says, "{}", path.display());
        number += 1;
    }
    assert_eq!(number, 16);
}

/// The names of tools that stand in the packages.
fn named_tools() -> BTreeSet<String> {
    let texts = [".md", ".toml", ".json"].map(|ending| files(PACKAGES, ending));
    let mut found = BTreeSet::new();
    for path in texts.concat() {
        let text = read(&path);
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        found.extend(
            words
                .filter(|word| word.starts_with("ipc_"))
                .map(str::to_owned),
        );
    }
    found
}

#[test]
fn every_tool_that_the_packages_name_is_one_of_the_server() {
    let home = Home::new();
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "packages", "version": "1"},
    });
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    ];
    let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
    let input = format!("{}\n", lines.join("\n"));
    let said = home.run_with_input(&["mcp"], input.as_bytes());
    let listed = said.out.lines().last().unwrap();
    let listed: Value = serde_json::from_str(listed).unwrap();
    let tools = listed["result"]["tools"].as_array().unwrap();
    let tools: BTreeSet<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let named = named_tools();
    assert!(named.contains("ipc_check"), "{named:?}");
    for tool in &named {
        assert!(tools.contains(tool.as_str()), "{tool} is no tool");
    }
}
