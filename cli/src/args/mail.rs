//! Arguments of the commands about mail.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgGroup, Args};
use ipc_mcp::ThreadId;
use ipc_protocol::id::{ConversationId, MessageId};
use ipc_protocol::json::{NotStrict, parse_object};
use ipc_protocol::limits::{DATA_DEPTH, FETCH_MESSAGES};
use ipc_protocol::message::{Data, IdempotencyKey, Kind};
use ipc_protocol::name::{Peer, Recipient};

use super::WaitTime;

/// Which mail is wanted.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FilterArguments {
    /// Only mail of this agent: its name or id
    #[arg(long, value_name = "NAME")]
    pub(crate) from: Option<Peer>,
    /// Only what is said in this conversation
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<ConversationId>,
    /// Only mail of this kind
    #[arg(long, value_name = "KIND", value_parser = any_kind())]
    pub(crate) kind: Option<Kind>,
}

/// Where a text comes from: words, standard input, or a file.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").args(["text", "stdin", "file"]))]
pub(crate) struct TextArguments {
    /// The text; `-` reads standard input
    #[arg(value_name = "TEXT")]
    pub(crate) text: Vec<String>,
    /// Read the text from standard input
    #[arg(long)]
    pub(crate) stdin: bool,
    /// Read the text from a file
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Attach a JSON object
    #[arg(long, value_name = "JSON", value_parser = data)]
    pub(crate) data: Option<Data>,
    /// Store nothing twice: the same key with the same text is the same message
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

impl TextArguments {
    /// Whether no text is named.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.stdin && self.file.is_none()
    }
}

/// `ipc send`
#[derive(Debug, Args)]
#[command(
    override_usage = "ipc send [OPTIONS] <TO> <TEXT…|-|--stdin|--file FILE>",
    after_help = "\
Examples:
  ipc send bob \"the build is green\"
  git diff | ipc send bob -
  ipc send bob \"which port?\" --wait=2m    print the answers as they come, until the final one
  ipc send all \"who is free?\" --wait=1m   until everybody has answered, or the time is over
  ipc send bob --kind ping --wait         is it there, and how long does it take"
)]
pub(crate) struct SendArguments {
    /// A name, an agent's id, a conversation's id, or `all`
    #[arg(value_name = "TO")]
    pub(crate) to: Recipient,
    #[command(flatten)]
    pub(crate) content: TextArguments,
    /// Refuse a name that nobody has, instead of keeping the mail for whoever claims it
    #[arg(long)]
    pub(crate) known: bool,
    /// What the message is meant as
    #[arg(long, default_value = "message", value_parser = kind())]
    pub(crate) kind: Kind,
    /// The message that this one answers
    #[arg(long, value_name = "ID")]
    pub(crate) reply_to: Option<MessageId>,
    /// Wait for the final answer of everybody whom it is for, by default 30s
    #[arg(long, value_name = "DUR", num_args = 0..=1, require_equals = true,
          default_missing_value = "30s")]
    pub(crate) wait: Option<WaitTime>,
}

/// `ipc reply`
#[derive(Debug, Args)]
#[command(
    override_usage = "ipc reply [OPTIONS] [ID] <TEXT…|-|--stdin|--file FILE>",
    after_help = "\
A first word that is an id names the message to answer. An answer to what was said in a group goes to
the group.

Examples:
  ipc reply \"port 8080\"
  ipc reply m.0123456789abc \"port 8080\"
  ipc reply --interim \"looking; ten minutes\"   whoever waits goes on waiting for the rest"
)]
pub(crate) struct ReplyArguments {
    /// The message to answer if the first word is an id, then the text; `-` reads standard input
    #[command(flatten)]
    pub(crate) content: TextArguments,
    /// The message to answer
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<MessageId>,
    /// Answer the sender alone, also where the message was said in a group
    #[arg(long)]
    pub(crate) private: bool,

    /// Not all of the answer: more comes
    #[arg(long)]
    pub(crate) interim: bool,
}

/// `ipc forward`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc forward carol
  ipc forward m.0123456789abc carol")]
pub(crate) struct ForwardArguments {
    /// The message, then for whom; only for whom: the last message received
    #[arg(value_name = "[ID] TO", num_args = 1..=2, required = true)]
    pub(crate) words: Vec<String>,
    /// Forward nothing twice: the same key is the same message
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<IdempotencyKey>,
}

/// `ipc check`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc check
  ipc check --wait=5m          wait for mail; status 5 when none comes
  ipc check --from bob --wait=1h
  ipc check --peek --exit-code only look; status 4 when there is none")]
pub(crate) struct CheckArguments {
    /// Wait for mail, by default 30m
    #[arg(long, value_name = "DUR", num_args = 0..=1, require_equals = true,
          default_missing_value = "30m")]
    pub(crate) wait: Option<WaitTime>,
    /// Take at most N messages
    #[arg(long, value_name = "N", value_parser = fetch_limit())]
    pub(crate) limit: Option<u32>,
    /// Only look: the mail stays new
    #[arg(long, conflicts_with = "wait")]
    pub(crate) peek: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// End with status 4 when there is no mail
    #[arg(long)]
    pub(crate) exit_code: bool,
}

/// `ipc read`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc read m.0123456789abc
  ipc read m.0123456789abc --save report.md")]
pub(crate) struct ReadArguments {
    /// The message
    pub(crate) id: MessageId,
    /// Begin at this byte of the text
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u64,
    /// Write the text to a file as it is, escapes and all
    #[arg(long, value_name = "FILE")]
    pub(crate) save: Option<PathBuf>,
}

/// `ipc watch`
#[derive(Debug, Args)]
#[command(after_help = "\
What is printed counts as delivered: a later `ipc check` does not show it again. Survives a restart
of the daemon.

Examples:
  ipc --as alice watch
  ipc --as alice watch --from bob --kind request
  ipc --as alice watch --json | while read -r message; do …; done
  ipc watch --notices            one line when mail waits; takes none, and waits for the agent
                                 to be registered if it is not
  ipc --as alice watch --exec ./on-message.sh --fast

A program of --exec gets the whole text on standard input, or the message as one line of JSON with
--json, and IPC_MESSAGE_ID, IPC_FROM, IPC_FROM_ID, IPC_KIND, IPC_REPLY_TO and IPC_REDELIVERED (0 or
1) in its environment; never a word of a peer. IPC_INSTANCE is the agent, so that it can run
`ipc reply`. Status 0 marks the message delivered; any other gives it back, and it comes again.")]
pub(crate) struct WatchArguments {
    /// Take nothing: print one sentence when mail waits that the agent has not been told of
    #[arg(long, conflicts_with_all = ["wait", "from", "kind"])]
    pub(crate) notices: bool,
    /// Queue the sentence as a message to this thread of Codex instead of printing it
    #[arg(long, value_name = "THREAD", requires = "notices")]
    pub(crate) queue_codex: Option<ThreadId>,
    #[command(flatten)]
    pub(crate) filter: FilterArguments,
    /// With --notices: name the command that reads mail, not the tool
    #[arg(long, requires = "notices")]
    pub(crate) cli: bool,
    /// Stop with status 5 when nothing comes for so long, by default 30m; without it, never stop
    #[arg(long, value_name = "DUR", num_args = 0..=1, require_equals = true,
          default_missing_value = "30m")]
    pub(crate) wait: Option<WaitTime>,
    /// With --exec: stop with status 1 when a message has failed so many times in a row
    #[arg(long, value_name = "N", default_value_t = 5, requires = "exec",
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) attempts: u32,
    /// Run a program for each message, one at a time; all words that follow are its own. No shell
    #[arg(long, value_names = ["PROGRAM", "ARG"], num_args = 1.., allow_hyphen_values = true,
          conflicts_with = "notices")]
    pub(crate) exec: Option<Vec<OsString>>,
}

/// `ipc receipts`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ipc receipts
  ipc receipts m.0123456789abc")]
pub(crate) struct ReceiptsArguments {
    /// The message; without it the latest ones
    pub(crate) id: Option<MessageId>,
    /// Show at most N messages
    #[arg(long, value_name = "N", value_parser = list_limit())]
    pub(crate) limit: Option<u32>,
}

/// `ipc dead-letters`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  ipc dead-letters --limit 5")]
pub(crate) struct DeadLettersArguments {
    /// Show at most N
    #[arg(long, value_name = "N", value_parser = list_limit())]
    pub(crate) limit: Option<u32>,
}

fn data(text: &str) -> Result<Data, NotStrict> {
    parse_object(text.as_bytes(), DATA_DEPTH).map(|object| object.into_iter().collect())
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    let words = Kind::ALL.iter().filter(|kind| kind.is_for_agents());
    PossibleValuesParser::new(words.map(|kind| kind.as_str())).try_map(|word| word.parse::<Kind>())
}

fn any_kind() -> impl TypedValueParser<Value = Kind> {
    let words = Kind::ALL.iter().map(|kind| kind.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<Kind>())
}

fn fetch_limit() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=i64::from(FETCH_MESSAGES))
}

fn list_limit() -> impl TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=i64::from(ipc_protocol::limits::LIST_ROWS))
}
