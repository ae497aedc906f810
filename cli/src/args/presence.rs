//! Arguments of the commands about who is there and what agents say of themselves.

use clap::{ArgGroup, Args, ValueEnum};
use ipc_protocol::profile::{Capability, SummaryText};
use ipc_protocol::request::Scope;

/// `ipc list`
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Status and summary are the agents' own words, the rest is what the daemon knows.

Examples:
  ipc list
  ipc list --scope repo            who works in this agent's repository, in any worktree
  ipc list --capability rust --json")]
pub(crate) struct ListArguments {
    /// Only agents that work where this one does
    #[arg(long, value_name = "WHERE", default_value = "machine")]
    pub(crate) scope: ScopeWord,
    /// Only agents that can do this
    #[arg(long, value_name = "WORD")]
    pub(crate) capability: Option<Capability>,
}

/// Which agents, by where they work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScopeWord {
    /// All of them
    #[default]
    Machine,
    /// Those in the directory where this agent was registered
    Directory,
    /// Those in its repository, whichever of its worktrees
    Repo,
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Machine => Self::Machine,
            ScopeWord::Directory => Self::Directory,
            ScopeWord::Repo => Self::Repo,
        }
    }
}

/// `ipc set-status`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc set-status reviewing, back at five
  ipc set-status \"\"                take it back")]
pub(crate) struct SetStatusArguments {
    /// One line of at most 120 bytes
    #[arg(value_name = "TEXT", required = true)]
    pub(crate) text: Vec<String>,
}

/// `ipc set-summary`
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("said").required(true).args(["text", "auto"]),
    after_help = "\
Examples:
  ipc set-summary the parser of the build
  ipc set-summary --auto             directory, branch, and the files changed last
  ipc set-summary \"\"               take it back"
)]
pub(crate) struct SetSummaryArguments {
    /// One line of at most 512 bytes
    #[arg(value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// Make it here of the directory's name, the branch and the files that were changed last
    #[arg(long)]
    pub(crate) auto: bool,
}

/// What `ipc register` says of the agent.
#[derive(Debug, Default, Args)]
pub(crate) struct ProfileArguments {
    /// What the agent can do, for `ipc list --capability`; may be given up to 16 times
    #[arg(long = "capability", value_name = "WORD")]
    pub(crate) capabilities: Vec<Capability>,
    /// What it works on: one line of at most 512 bytes
    #[arg(long, value_name = "TEXT")]
    pub(crate) summary: Option<SummaryText>,
}
