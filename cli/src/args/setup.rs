//! Arguments of `ipc setup`.

use clap::Args;

use crate::setup::Host;

/// `ipc setup`
#[derive(Debug, Args)]
#[command(after_help = "\
Changes only what it wrote itself. A file that cannot be added to safely is refused as it is.

Examples:
  ipc setup claude --dry-run     show what would be written
  ipc setup claude               write it
  ipc setup claude --uninstall   take exactly that back")]
pub(crate) struct SetupArguments {
    /// The host
    pub(crate) host: Host,
    /// Show what would change; write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take back what was written
    #[arg(long)]
    pub(crate) uninstall: bool,
}
