//! Arguments of what is said in plain language, and of help about it.

use clap::Args;

/// `ipc do`
#[derive(Debug, Args)]
#[command(
    override_usage = "ipc do [OPTIONS] <PHRASE…|->",
    after_help = "\
Says what it understood, then does it. What is in doubt does nothing and ends with status 2.
Words that set a text off (that, saying, asking, to, a colon) do not belong to it; `about` does.
After a colon a text may be anything; without one it is doubted where it could mean more.

Examples:
  ipc do \"tell bob: the build is green\"
  ipc do --dry-run \"send fred a message to check the logs\"    only show the command
  ipc do any new messages?
  ipc do \"start auto checking every 5 minutes\""
)]
pub(crate) struct DoArguments {
    /// The phrase, as one word or several; `-` reads standard input
    #[arg(value_name = "PHRASE", required = true)]
    pub(crate) phrase: Vec<String>,
    /// Show what it means and the command for it; do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// `ipc help`
#[derive(Debug, Args)]
#[command(
    override_usage = "ipc help [COMMAND…|agents]",
    after_help = "\
Examples:
  ipc help send
  ipc help agents >> AGENTS.md    tell an agent what to do with ipc"
)]
pub(crate) struct HelpArguments {
    /// A command, or `agents`: lines to paste into the instructions of an agent
    #[arg(value_name = "COMMAND")]
    pub(crate) words: Vec<String>,
}
