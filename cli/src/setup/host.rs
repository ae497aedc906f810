//! The hosts: where each keeps its files, and what belongs in them.
//!
//! Facts about programs that change by themselves; whatever depends on one is here.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::document::Format;
use super::entry::Entry;
use super::program::Program;
use crate::environment::Environment;
use crate::failure::Failure;

/// The name of the server in every host's configuration.
pub(crate) const SERVER: &str = "ipc";

/// Longest run of a hook that only looks, in seconds; it takes milliseconds.
const HOOK_SECONDS: u32 = 5;

/// How long the hook that wakes an idle agent waits for mail, in seconds: a day.
const REWAKE_SECONDS: u32 = 86_400;

/// A program that runs agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// Claude Code
    Claude,
    /// Gemini CLI
    Gemini,
    /// Codex
    Codex,
}

/// A file of a host and what belongs in it.
#[derive(Debug)]
pub(crate) struct HostFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How it is written.
    pub(crate) format: Format,
    /// What belongs in it.
    pub(crate) entries: Vec<Entry>,
}

impl Host {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Claude, Self::Gemini, Self::Codex];

    /// As it is typed.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Gemini => "gemini",
            Self::Codex => "codex",
        }
    }

    /// As it is called.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Claude => "Claude Code",
            Self::Gemini => "Gemini CLI",
            Self::Codex => "Codex",
        }
    }

    /// How its file at `path` is written.
    pub(crate) fn format(self, path: &Path) -> Format {
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            Format::Toml
        } else {
            let comments = self == Self::Gemini;
            Format::Json { comments }
        }
    }

    /// What to do once the entries are there: two lines.
    pub(crate) const fn next(self) -> &'static str {
        match self {
            Self::Claude => {
                "next: start Claude Code anew; `/mcp` shows ipc connected\n\
                 then say to the agent: check my mail\n"
            }
            Self::Gemini => {
                "next: start Gemini CLI anew in a folder that it trusts; `/mcp` shows ipc\n\
                 then say to the agent: check my mail\n"
            }
            Self::Codex => {
                "next: start Codex anew, type `/hooks` and trust those of ipc: until then they do not run\n\
                 then say to the agent: check my mail\n"
            }
        }
    }

    /// The command that removes a server called ipc that somebody else configured.
    pub(crate) const fn removal(self) -> &'static str {
        match self {
            Self::Claude => "claude mcp remove ipc -s user",
            Self::Gemini => "gemini mcp remove -s user ipc",
            Self::Codex => "codex mcp remove ipc",
        }
    }

    /// The directory of its files.
    pub(crate) fn directory(self, environment: &Environment) -> Result<PathBuf, Failure> {
        let (named, inside) = match self {
            Self::Claude => (environment.claude_directory.as_ref(), ""),
            Self::Gemini => (environment.gemini_home.as_ref(), ".gemini"),
            Self::Codex => (environment.codex_directory.as_ref(), ""),
        };
        let directory = match named {
            Some(directory) => directory.join(inside),
            None => home(environment)?.join(format!(".{}", self.word())),
        };
        std::path::absolute(&directory)
            .map_err(|error| Failure::usage(format!("{}: {error}", directory.display())))
    }

    /// Its files and what belongs in them for `program`.
    pub(crate) fn files(
        self,
        environment: &Environment,
        program: &Program,
    ) -> Result<Vec<HostFile>, Failure> {
        let directory = self.directory(environment)?;
        let server = Value::Object(program.server());
        let hooks = hooks(self, program);
        let file = |path: PathBuf, entries| HostFile {
            format: self.format(&path),
            path,
            entries,
        };
        Ok(match self {
            Self::Claude => {
                let own = match &environment.claude_directory {
                    Some(_) => directory.join(".claude.json"),
                    None => home(environment)?.join(".claude.json"),
                };
                let mut server = program.server();
                server.insert("type".to_owned(), json!("stdio"));
                server.insert("alwaysLoad".to_owned(), json!(true));
                let server = Entry::member(&["mcpServers"], SERVER, Value::Object(server));
                vec![
                    file(own, vec![server]),
                    file(directory.join("settings.json"), hooks),
                ]
            }
            Self::Gemini => {
                let mut entries = vec![Entry::member(&["mcpServers"], SERVER, server)];
                entries.extend(hooks);
                vec![file(directory.join("settings.json"), entries)]
            }
            Self::Codex => {
                let server = Entry::member(&["mcp_servers"], SERVER, server);
                vec![
                    file(directory.join("config.toml"), vec![server]),
                    file(directory.join("hooks.json"), hooks),
                ]
            }
        })
    }

    /// What is in the way of a setup, apart from the files themselves.
    pub(crate) fn obstacle(self, environment: &Environment) -> Result<Option<Failure>, Failure> {
        let directory = self.directory(environment)?;
        let old = directory.join(".config.json");
        Ok(match self {
            Self::Claude if std::fs::metadata(&old).is_ok_and(|facts| facts.len() > 0) => {
                let reason = format!(
                    "{}: Claude Code may use this old file instead",
                    old.display()
                );
                Some(Failure::local(reason).hint(format!(
                    "move it away if it is not needed: `mv {0} {0}.old`",
                    old.display()
                )))
            }
            Self::Claude | Self::Gemini | Self::Codex => self.package(&directory).map(|remove| {
                Failure::local(format!(
                    "the package of ipc for {} is installed and does the same",
                    self.title()
                ))
                .hint(format!(
                    "`{remove}` first, if you want it set up without the package"
                ))
            }),
        })
    }

    /// The command that removes the package of ipc for this host, where that is in use.
    pub(crate) fn package(self, directory: &Path) -> Option<&'static str> {
        match self {
            Self::Claude => {
                let settings = super::file::read(&directory.join("settings.json"))
                    .ok()?
                    .text?;
                let enabled = super::document::true_members(&settings, "enabledPlugins");
                let is_ours = |name: &String| name.split('@').next() == Some(SERVER);
                enabled
                    .iter()
                    .any(is_ours)
                    .then_some("claude plugin uninstall ipc")
            }
            Self::Gemini => {
                let extension = directory.join("extensions").join(SERVER);
                extension
                    .is_dir()
                    .then_some("gemini extensions uninstall ipc")
            }
            Self::Codex => None,
        }
    }
}

fn home(environment: &Environment) -> Result<PathBuf, Failure> {
    environment.home.clone().ok_or_else(|| {
        Failure::usage("HOME is not set, so there is no place for a host's files").hint("set HOME")
    })
}

/// The hooks of `host`, in the order of a session.
fn hooks(host: Host, program: &Program) -> Vec<Entry> {
    let (events, timeout): (&[&str], u32) = match host {
        Host::Claude => (
            &[
                "SessionStart",
                "UserPromptSubmit",
                "PostToolUse",
                "SessionEnd",
            ],
            HOOK_SECONDS,
        ),
        Host::Gemini => (
            &[
                "SessionStart",
                "BeforeAgent",
                "AfterTool",
                "AfterAgent",
                "SessionEnd",
            ],
            HOOK_SECONDS.saturating_mul(1_000),
        ),
        Host::Codex => (
            &["SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"],
            HOOK_SECONDS,
        ),
    };
    let element =
        |event: &str, hook: Value| Entry::element(&["hooks", event], json!({"hooks": [hook]}));
    let mut hooks: Vec<_> = events
        .iter()
        .map(|event| {
            let line = program.line(&format!("hook {} {event}", host.word()));
            let hook = json!({"type": "command", "command": line, "timeout": timeout});
            element(event, hook)
        })
        .collect();
    if host == Host::Claude {
        // The one that wakes also tells of mail that waits already when the agent stops. One that
        // keeps the agent from stopping, beside it, would tell a second time.
        let line = program.line("hook claude Stop --rewake");
        let hook = json!({
            "type": "command", "command": line, "asyncRewake": true, "timeout": REWAKE_SECONDS,
        });
        hooks.push(element("Stop", hook));
    }
    hooks
}
