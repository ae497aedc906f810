//! Arguments of the commands about being told of mail.

use clap::{Args, Subcommand, ValueEnum};
use ipc_protocol::limits::AUTO_CHECK_DEFAULT;

use super::WaitTime;

/// `ipc auto-check`
#[derive(Debug, Subcommand)]
pub(crate) enum AutoCheckCommand {
    /// Remind this agent of waiting mail every few minutes, besides telling it when mail comes
    #[command(after_help = "Examples:\n  ipc auto-check start\n  ipc auto-check start 15")]
    Start {
        /// How often, in minutes, 1 to 60
        #[arg(value_name = "MINUTES", default_value_t = AUTO_CHECK_DEFAULT, value_parser = minutes())]
        minutes: u32,
    },
    /// Tell this agent of no mail; ends its `ipc auto-check run`
    #[command(after_help = "Example:\n  ipc auto-check stop")]
    Stop,
    /// Show when this agent is told of mail
    #[command(after_help = "Example:\n  ipc auto-check status")]
    Status,
    /// Check for mail every few minutes until stopped, for agents whose host has no hooks
    Run(LoopArguments),
}

/// `ipc auto-check run`
#[derive(Debug, Args)]
#[command(after_help = "\
Prints what has come as `ipc check` does, and nothing while nothing comes. Ends with status 0 on
SIGINT, SIGTERM and SIGHUP, and when `ipc auto-check stop` is called for this agent.

Examples:
  ipc --as alice auto-check run
  ipc --as alice auto-check run --every=2m")]
pub(crate) struct LoopArguments {
    /// How often; without it as `ipc auto-check start` said, else every 5 minutes
    #[arg(long, value_name = "DUR")]
    pub(crate) every: Option<WaitTime>,
}

/// `ipc notices`
#[derive(Debug, Subcommand)]
pub(crate) enum NoticesCommand {
    /// Put a line into CLAUDE.md of this folder that reads how much waits and from whom
    #[command(after_help = "Example:\n  ipc notices on")]
    On,
    /// Take that line out again, to the byte
    #[command(after_help = "Example:\n  ipc notices off")]
    Off,
    /// Show whether they are on, and where
    #[command(after_help = "Example:\n  ipc notices status")]
    Status,
}

/// `ipc hook`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the host's JSON from standard input and prints the host's JSON, if mail waits that the agent
has not been told of: how much and from whom, never what it says. Whatever goes wrong, it prints
nothing and ends with status 0.

Examples:
  ipc hook claude UserPromptSubmit
  ipc hook gemini AfterTool
  ipc hook claude Stop --rewake --for=10m    wait; wake the idle agent with status 2")]
pub(crate) struct HookArguments {
    /// The host that runs the hook
    pub(crate) host: HookHost,
    /// The host's name of the event; nothing is done for others than it knows
    pub(crate) event: String,
    /// Wait for mail, then say so on standard error and end with status 2; one process an agent
    #[arg(long)]
    pub(crate) rewake: bool,
    /// How long to wait
    #[arg(
        long = "for",
        value_name = "DUR",
        default_value = "10m",
        requires = "rewake"
    )]
    pub(crate) patience: WaitTime,
    /// Name the command that reads mail, not the tool
    #[arg(long)]
    pub(crate) cli: bool,
}

/// A program that runs hooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HookHost {
    /// Claude Code.
    Claude,
    /// Gemini CLI.
    Gemini,
    /// Codex.
    Codex,
}

fn minutes() -> impl clap::builder::TypedValueParser<Value = u32> {
    let (first, last) = ipc_protocol::limits::AUTO_CHECK_MINUTES.into_inner();
    clap::value_parser!(u32).range(i64::from(first)..=i64::from(last))
}
