//! Arguments of the commands for incidents: who is stopped, who read what, what the audit log says.

use clap::{Args, Subcommand};
use ipc_protocol::id::MessageId;
use ipc_protocol::limits::LIST_ROWS;
use ipc_protocol::moment::Moment;
use ipc_protocol::name::{Peer, Recipient};

/// Records that `show` prints when nobody says how many.
const SHOWN: u32 = 50;

/// `ipc admin revoke`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc admin revoke bob
  ipc admin revoke --all    everybody registers again, with the secret")]
pub(crate) struct RevokeAdminArguments {
    /// The agent: a name, or an agent's id
    #[arg(value_name = "AGENT", required_unless_present = "all")]
    pub(crate) agent: Option<Recipient>,
    /// The credentials of everybody
    #[arg(long, conflicts_with = "agent")]
    pub(crate) all: bool,
}

/// `ipc admin freeze`
#[derive(Debug, Args)]
#[command(after_help = "\
A frozen agent is refused everything but `whoami` and `status`, at once and on every connection, until
it is thawed. Mail to it is kept. While everybody is frozen nobody comes in either.

Examples:
  ipc admin freeze bob
  ipc admin freeze --all
  ipc admin freeze          who is frozen")]
pub(crate) struct FreezeArguments {
    /// The agent: a name, or an agent's id
    #[arg(value_name = "AGENT")]
    pub(crate) agent: Option<Recipient>,
    /// Everybody
    #[arg(long, conflicts_with = "agent")]
    pub(crate) all: bool,
}

/// `ipc admin thaw`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc admin thaw bob
  ipc admin thaw --all    who was frozen by name stays so")]
pub(crate) struct ThawArguments {
    /// The agent: a name, or an agent's id
    #[arg(value_name = "AGENT", required_unless_present = "all")]
    pub(crate) agent: Option<Recipient>,
    /// Everybody who was not frozen by name
    #[arg(long, conflicts_with = "agent")]
    pub(crate) all: bool,
}

/// `ipc admin readers`
#[derive(Debug, Args)]
#[command(after_help = "\
Which messages of an agent were read, when and by whom: for the time after it was talked into
something. Nothing of what they say is shown.

POINT is a time such as 2026-11-21T09:30:00Z, or a time ago: 45m, 2h, 3d, 1w.

Examples:
  ipc admin readers bob --since 2h
  ipc admin readers a.0123456789abc --json")]
pub(crate) struct ReadersArguments {
    /// The agent: a name, or an agent's id
    #[arg(value_name = "AGENT")]
    pub(crate) agent: Peer,
    /// Only what it sent since then
    #[arg(long, value_name = "POINT")]
    pub(crate) since: Option<Moment>,
    /// Only what it sent before this message
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<MessageId>,
    /// Show at most N messages
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_ROWS)))]
    pub(crate) limit: Option<u32>,
}

/// `ipc admin audit`
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show what was done and what was refused
    Show(ShowArguments),
    /// Check that no record was changed, left out, swapped or cut off; status 1 if one was
    Verify(VerifyArguments),
    /// Print what fixes the log up to now, to be kept elsewhere
    Anchor(AnchorArguments),
}

/// `ipc admin audit show`
#[derive(Debug, Args)]
#[command(after_help = "\
POINT is a time such as 2026-11-21T09:30:00Z, or a time ago: 45m, 2h, 3d, 1w.

Examples:
  ipc admin audit show
  ipc admin audit show --denied --since 1d
  ipc admin audit show --agent bob --json")]
pub(crate) struct ShowArguments {
    /// Only what happened since then
    #[arg(long, value_name = "POINT")]
    pub(crate) since: Option<Moment>,
    /// Only what is about this agent: a name that it has or had, or its id
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Option<Peer>,
    /// Only what was refused
    #[arg(long)]
    pub(crate) denied: bool,
    /// Show at most the latest N records
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    pub(crate) limit: u32,
}

/// `ipc admin audit verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Without an anchor whoever could write the log and read its key may have written another one. What was
printed by `anchor` and kept elsewhere shows that.

Examples:
  ipc admin audit verify
  ipc admin audit verify --anchor /media/usb/anchors")]
pub(crate) struct VerifyArguments {
    /// An anchor, or a file of anchors, one on each line; the key too, if it was taken away
    #[arg(long, value_name = "FILE|ANCHOR")]
    pub(crate) anchor: Option<String>,
}

/// `ipc admin audit anchor`
#[derive(Debug, Args)]
#[command(after_help = "\
An anchor is no secret. The key is one: with it, and nothing else, the log can be checked.

Examples:
  ipc admin audit anchor >> /media/usb/anchors
  ipc admin audit anchor --take-key > /media/usb/key")]
pub(crate) struct AnchorArguments {
    /// Print the key that records are checked with as well, and remove it from this machine
    #[arg(long)]
    pub(crate) take_key: bool,
}
