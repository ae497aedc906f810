//! What can be typed. Help, completions and usage errors come from these definitions alone.
//!
//! Parsed at the edge, once: a name, an id or a duration that leaves here is right.

mod boundaries;
mod conversation;
mod history;
mod identity;
mod incident;
mod mail;
mod notices;
mod phrase;
mod presence;
mod setup;
mod upkeep;
mod wait;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};
use ipc_protocol::name::Name;

pub(crate) use boundaries::{AllowArguments, BlockArguments, MuteArguments, RuleArguments, Switch};
pub(crate) use conversation::ConversationCommand;
pub(crate) use history::HistoryArguments;
pub(crate) use identity::{RegisterArguments, RenameArguments, RevokeArguments};
pub(crate) use incident::{
    AnchorArguments, AuditCommand, FreezeArguments, ReadersArguments, RevokeAdminArguments,
    ShowArguments, ThawArguments, VerifyArguments,
};
pub(crate) use mail::{
    CheckArguments, DeadLettersArguments, FilterArguments, ForwardArguments, ReadArguments,
    ReceiptsArguments, ReplyArguments, SendArguments, TextArguments, WatchArguments,
};
pub(crate) use notices::{
    AutoCheckCommand, HookArguments, HookHost, LoopArguments, NoticesCommand,
};
pub(crate) use phrase::{DoArguments, HelpArguments};
pub(crate) use presence::{
    ListArguments, ProfileArguments, SetStatusArguments, SetSummaryArguments,
};
pub(crate) use setup::SetupArguments;
pub(crate) use upkeep::{
    AdminCommand, CompletionsArguments, DaemonCommand, McpArguments, MigrateArguments,
    RestoreArguments, RotateSecretArguments, RunArguments, ServiceCommand, ServiceInstallArguments,
    StatusArguments,
};
pub(crate) use wait::WaitTime;

const FIRST_COMMANDS: &str = "\
First commands to type:
  ipc register alice              get a name (the daemon starts by itself)
  ipc send bob \"hello\"            mail somebody, there or not yet
  ipc check --wait                read what comes

`ipc quickstart` shows the whole of it in a few seconds. `ipc help COMMAND` has examples.
`ipc do \"PHRASE\"` takes plain language. `ipc help agents` prints what to tell an agent.";

/// Durable, authenticated mail between the agents of one machine.
#[derive(Debug, Parser)]
#[command(name = "ipc", version, about, after_help = FIRST_COMMANDS)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command has.
#[derive(Debug, clap::Args)]
pub(crate) struct Globals {
    /// Act for the agent NAME, not the one registered from here
    #[arg(long = "as", value_name = "NAME", global = true)]
    pub(crate) acting_as: Option<Name>,
    /// Print JSON, in the shapes of docs/PROTOCOL.md
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub(crate) json: bool,
    /// Print results and errors only
    #[arg(long, short, global = true, action = ArgAction::SetTrue)]
    pub(crate) quiet: bool,
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        help = "Keep data in DIR [default: IPC_DATA_DIR, else ~/.claude-ipc-data]"
    )]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Get a name, or come back to it
    Register(RegisterArguments),
    /// Give the name up for good
    #[command(after_help = "Example:\n  ipc --as alice unregister")]
    Unregister,
    /// Mark the agent offline until it does something again
    #[command(after_help = "Example:\n  ipc --as alice offline")]
    Offline,
    /// Send a message
    Send(SendArguments),
    /// Send a message to every agent seen in the last 24 hours
    #[command(after_help = "Example:\n  ipc broadcast \"deploying in 5 minutes\"")]
    Broadcast(TextArguments),
    /// Answer a message, by default the last one received
    Reply(ReplyArguments),
    /// Pass a message on, by default the last one received
    Forward(ForwardArguments),
    /// Read new mail: print it, then mark it delivered
    Check(CheckArguments),
    /// Show one message whole, received or sent; changes nothing
    Read(ReadArguments),
    /// Show past mail, sent and received, or find words in it; changes nothing
    History(HistoryArguments),
    /// Stream messages as they arrive; takes them, as `check` does
    Watch(WatchArguments),
    /// Talk in groups: make them, bring others in, leave, see who is there
    #[command(subcommand)]
    Conversation(ConversationCommand),
    /// Say when this agent is told of waiting mail; or look for mail by itself, every few minutes
    #[command(subcommand)]
    AutoCheck(AutoCheckCommand),
    /// Have the project's CLAUDE.md say what waits when a session begins
    #[command(subcommand)]
    Notices(NoticesCommand),
    /// Tell an agent's host of waiting mail: for its hooks to run, not for people
    Hook(HookArguments),
    /// Show how far messages that you sent have come, with the evidence
    Receipts(ReceiptsArguments),
    /// Show messages that you sent and that reached nobody
    DeadLetters(DeadLettersArguments),
    /// Show who is there
    List(ListArguments),
    /// Say how this agent is, for `ipc list`
    SetStatus(SetStatusArguments),
    /// Say what this agent works on, for `ipc list`
    SetSummary(SetSummaryArguments),
    /// Refuse an agent's mail
    Block(BlockArguments),
    /// Take an agent's mail without being told of it
    Mute(MuteArguments),
    /// Let an agent's mail in; or let in nobody else's
    Allow(AllowArguments),
    /// Show whose mail is blocked, muted, allowed and held
    #[command(after_help = "Examples:\n  ipc boundaries\n  ipc boundaries --json")]
    Boundaries,
    /// Show whose mailbox this is
    #[command(after_help = "Examples:\n  ipc whoami\n  ipc --as alice whoami --json")]
    Whoami,
    /// Go by another name; the old one forwards for two hours
    Rename(RenameArguments),
    /// Do what a phrase asks for, such as "tell bob: the build is green"
    Do(DoArguments),
    /// Replace the session by a fresh one
    #[command(after_help = "Example:\n  ipc --as alice renew")]
    Renew,
    /// End the session; the agent comes back with its next command
    Revoke(RevokeArguments),
    /// Show how the daemon is
    Status(StatusArguments),
    /// Run, start and stop the daemon
    #[command(subcommand)]
    Daemon(DaemonCommand),
    /// Have systemd run the daemon for this user
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Look after the deployment; proves the shared secret
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Serve an agent's host over MCP, on standard input and output
    Mcp(McpArguments),
    /// Make an agent's host use this program, or take that back
    Setup(SetupArguments),
    /// Find what is wrong, and say what mends it; changes nothing
    #[command(after_help = "Examples:\n  ipc doctor\n  ipc doctor --json")]
    Doctor,
    /// From nothing to two agents exchanging mail, cleaned up again
    #[command(after_help = "Example:\n  ipc quickstart")]
    Quickstart,
    /// Print a completion script for a shell
    Completions(CompletionsArguments),
    /// Print help on a command, or what to tell an agent
    Help(HelpArguments),
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};

    use super::*;

    fn parse(line: &str) -> Result<Command, ErrorKind> {
        let words = std::iter::once("ipc").chain(line.split(' '));
        let parsed = Arguments::try_parse_from(words);
        parsed.map(|a| a.command).map_err(|e| e.kind())
    }

    #[test]
    fn the_definitions_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        let program = Arguments::command();
        for command in program.get_subcommands() {
            let leaves: Vec<_> = command.get_subcommands().collect();
            let all = if leaves.is_empty() {
                vec![command]
            } else {
                leaves
            };
            for leaf in all {
                let help = leaf
                    .get_after_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(help.contains("ipc "), "{} has no example", leaf.get_name());
            }
        }
    }

    #[test]
    fn what_is_no_name_is_wrong_usage() {
        for line in [
            "register al/ice",
            "register system",
            "--as eve! check",
            "rename all",
        ] {
            assert_eq!(
                parse(line).unwrap_err(),
                ErrorKind::ValueValidation,
                "{line}"
            );
        }
    }

    #[test]
    fn a_text_is_words_a_stream_or_a_file_and_only_one_of_them() {
        assert!(matches!(
            parse("send bob hi there --wait"),
            Ok(Command::Send(_))
        ));
        assert!(parse("send bob -").is_ok() && parse("send bob --stdin").is_ok());
        // A ping needs none; of any other kind the command itself says that one is missing.
        assert!(parse("send bob --kind ping").is_ok());
        assert_eq!(
            parse("send bob hi --stdin").unwrap_err(),
            ErrorKind::ArgumentConflict
        );
        assert_eq!(
            parse("send bob --file x --stdin").unwrap_err(),
            ErrorKind::ArgumentConflict
        );
    }

    #[test]
    fn a_wait_has_its_default_only_when_asked_for() {
        let wait = |line: &str| match parse(line) {
            Ok(Command::Check(check)) => check.wait.map(|wait| wait.duration().as_secs()),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait("check"), None);
        assert_eq!(wait("check --wait"), Some(1_800));
        assert_eq!(wait("check --wait=45s"), Some(45));
    }

    #[test]
    fn kinds_that_the_daemon_makes_cannot_be_chosen() {
        assert!(parse("send bob hi --kind task_proposal").is_ok());
        for kind in ["system", "broadcast", "other"] {
            assert!(
                parse(&format!("send bob hi --kind {kind}")).is_err(),
                "{kind}"
            );
        }
    }
}
