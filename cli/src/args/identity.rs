//! Arguments of the commands about who one is.

use clap::Args;
use ipc_protocol::name::Name;

use super::ProfileArguments;

/// `ipc register`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc register alice              the first time, and after every restart
  ipc register alice --takeover   from another window: the first one loses the name
  ipc register alice --capability rust --capability review")]
pub(crate) struct RegisterArguments {
    /// The name: 1 to 32 letters, digits, `_` or `-`
    pub(crate) name: Name,
    /// Take the name from the front-ends that use it now; they hear `taken_over`
    #[arg(long)]
    pub(crate) takeover: bool,
    #[command(flatten)]
    pub(crate) profile: ProfileArguments,
}

/// `ipc rename`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ipc --as bob rename robert")]
pub(crate) struct RenameArguments {
    /// The new name
    #[arg(value_name = "NEW")]
    pub(crate) new_name: Name,
}

/// `ipc revoke`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc revoke          end the session that commands here share
  ipc revoke --all    and those of the agent's other front-ends")]
pub(crate) struct RevokeArguments {
    /// End the agent's other sessions too
    #[arg(long)]
    pub(crate) all: bool,
}
