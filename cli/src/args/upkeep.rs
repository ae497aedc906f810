//! Arguments of the commands about the daemon and the deployment.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;
use ipc_protocol::name::Name;

use super::incident::{
    AuditCommand, FreezeArguments, ReadersArguments, RevokeAdminArguments, ThawArguments,
};

/// `ipc status`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc status
  ipc status --metrics    text for Prometheus")]
pub(crate) struct StatusArguments {
    /// Print metrics in Prometheus' text format
    #[arg(long, conflicts_with = "json")]
    pub(crate) metrics: bool,
}

/// `ipc daemon`
#[derive(Debug, Subcommand)]
pub(crate) enum DaemonCommand {
    /// Run the daemon in the foreground
    #[command(after_help = "Example:\n  ipc daemon run")]
    Run(RunArguments),
    /// Start the daemon in the background, unless it runs
    #[command(after_help = "Example:\n  ipc daemon start")]
    Start,
    /// Stop the daemon; nothing is lost
    #[command(after_help = "\
Commands that wait for mail go on waiting and do not start it again; the next other command does.

Example:
  ipc daemon stop")]
    Stop,
    /// Stop the daemon and start it again
    #[command(after_help = "Example:\n  ipc daemon restart")]
    Restart,
}

/// `ipc daemon run`
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Started by another command: the secret on standard input, one line of answer, no terminal
    #[arg(long, hide = true)]
    pub(crate) autostarted: bool,
    /// Said by itself: nothing that its starter had open is left
    #[arg(long, hide = true)]
    pub(crate) alone: bool,
}

/// `ipc mcp`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  claude mcp add -s user ipc -- ipc mcp
  gemini mcp add -s user ipc ipc mcp
  codex mcp add ipc -- ipc mcp")]
pub(crate) struct McpArguments {
    /// Push notices of mail into Claude Code (its channels preview); older MCP revisions only
    #[arg(long)]
    pub(crate) channel: bool,
    /// Wake an idle Codex: queue notices of mail as messages to the thread that uses this server
    #[arg(long, conflicts_with = "channel")]
    pub(crate) queue_codex: bool,
}

/// `ipc service`
#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Install and start the units
    Install(ServiceInstallArguments),
    /// Stop and remove the units; the data stays
    #[command(after_help = "Example:\n  ipc service uninstall")]
    Uninstall,
    /// Show whether systemd runs the daemon
    #[command(after_help = "Example:\n  ipc service status")]
    Status,
}

/// `ipc service install`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc service install
  ipc service install --strict    read-only files but the data, no network, no other users")]
pub(crate) struct ServiceInstallArguments {
    /// Confine the service further, where this machine can; it is tried, and taken back if it fails
    #[arg(long)]
    pub(crate) strict: bool,
}

/// `ipc admin`
#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make a verified backup now
    #[command(after_help = "Example:\n  ipc admin backup")]
    Backup,
    /// Put a backup in the place of the store; the daemon must not run
    Restore(RestoreArguments),
    /// Take over the messages of the Python server; the daemon must not run
    Migrate(MigrateArguments),
    /// Free a name, whoever has it
    #[command(after_help = "Example:\n  ipc admin release bob")]
    Release {
        /// The name
        name: Name,
    },
    /// End all sessions and the resume credential of an agent; its mail waits for a new registration
    Revoke(RevokeAdminArguments),
    /// Stop an agent at once, or everybody; without either, show who is frozen
    Freeze(FreezeArguments),
    /// Let a frozen agent go on, or everybody who is not frozen by name
    Thaw(ThawArguments),
    /// Show who read what an agent wrote
    Readers(ReadersArguments),
    /// Look at the log of what was done and refused, and check that nobody changed it
    #[command(subcommand, after_help = "Example:\n  ipc admin audit verify")]
    Audit(AuditCommand),
    /// Put another shared secret in force, and end all sessions
    RotateSecret(RotateSecretArguments),
}

/// `ipc admin restore`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc admin restore                    the newest good backup
  ipc admin restore ./messages.db.bak  this one")]
pub(crate) struct RestoreArguments {
    /// The backup; without it the newest good one
    pub(crate) file: Option<PathBuf>,
}

/// `ipc admin migrate`
#[derive(Debug, Args)]
#[command(after_help = "\
A daemon that starts does this by itself for the file in its own place. The original is only read.

Examples:
  ipc admin migrate                        the file in the place of the store
  ipc admin migrate /tmp/ipc-messages.db   another file, into the store")]
pub(crate) struct MigrateArguments {
    /// The Python server's database; without it the one in the data directory
    pub(crate) file: Option<PathBuf>,
}

/// `ipc admin rotate-secret`
#[derive(Debug, Args)]
#[command(after_help = "\
The old secret is the one in the data directory. The new one is IPC_SHARED_SECRET if that differs,
else standard input if asked for, else made at random.

Examples:
  ipc admin rotate-secret
  pass show ipc | ipc admin rotate-secret --stdin")]
pub(crate) struct RotateSecretArguments {
    /// Read the new secret from standard input
    #[arg(long)]
    pub(crate) stdin: bool,
}

/// `ipc completions`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc completions bash > ~/.local/share/bash-completion/completions/ipc
  ipc completions zsh > ~/.zfunc/_ipc")]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}
