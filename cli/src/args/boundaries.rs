//! Arguments of the commands about whose mail an agent takes.

use clap::{ArgGroup, Args, ValueEnum};
use ipc_protocol::name::Recipient;

/// `ipc block`
#[derive(Debug, Args)]
#[command(after_help = "\
The agent is told when it sends, and nothing is stored. What it sent before stays; what is held of it
is refused. A rule is for the agent, whatever it is called later. `ipc allow NAME` lifts it too.

Examples:
  ipc block mallory
  ipc block --remove mallory")]
pub(crate) struct BlockArguments {
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
}

/// `ipc mute`
#[derive(Debug, Args)]
#[command(after_help = "\
Its mail comes and is read with the rest, but nobody is told of it and no wait ends for it. The agent
does not learn of this. Answers to what you asked it come as always.

Examples:
  ipc mute chatty
  ipc mute --remove chatty")]
pub(crate) struct MuteArguments {
    #[command(flatten)]
    pub(crate) rule: RuleArguments,
}

/// An agent, and whether to take the rule for it back.
#[derive(Debug, Args)]
pub(crate) struct RuleArguments {
    /// The agent: its name or its id
    #[arg(value_name = "NAME")]
    pub(crate) peer: Recipient,
    /// Take this rule back
    #[arg(long)]
    pub(crate) remove: bool,
}

/// `ipc allow`
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("whom").required(true).args(["peer", "only"]),
    after_help = "\
With `--only on`, mail of agents that are not allowed is held: it is in no mailbox and nobody is told
of it. `ipc boundaries` shows whose it is, `ipc allow NAME` takes it in, `ipc block NAME` refuses it, and
after a week it expires. Answers to your own messages come as always.

Examples:
  ipc allow --only on
  ipc allow bob                      let bob in, and what is held of his
  ipc allow --only off               take everybody's mail again"
)]
pub(crate) struct AllowArguments {
    /// The agent: its name or its id
    #[arg(value_name = "NAME")]
    pub(crate) peer: Option<Recipient>,
    /// Take this rule back
    #[arg(long, requires = "peer")]
    pub(crate) remove: bool,
    /// Whether mail of agents that are not allowed is held
    #[arg(long, value_name = "ON|OFF")]
    pub(crate) only: Option<Switch>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// On
    On,
    /// Off
    Off,
}
