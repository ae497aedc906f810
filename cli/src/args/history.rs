//! Arguments of `ipc history`.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use ipc_protocol::id::ConversationId;
use ipc_protocol::limits::FETCH_MESSAGES;
use ipc_protocol::message::Kind;
use ipc_protocol::moment::Moment;
use ipc_protocol::name::Peer;
use ipc_protocol::search::{InvalidSearch, SearchQuery};

/// `ipc history`
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Mail that you have not read yet is not in it: `ipc check` reads that.

A search finds messages with all of its words, whatever their case and accents, in the first 64 KiB
of each: \"in this order\", rel* for a beginning, red OR green, -without.

POINT is a message's id, a time such as 2026-11-21T09:30:00Z, or a time ago: 45m, 2h, 3d, 1w.

Examples:
  ipc history                       the latest 20 messages
  ipc history bob --after 2d        what bob and you wrote since the day before yesterday
  ipc history --search 'deploy* \"is green\" -draft'
  ipc history bob --before m.0123456789abc --limit 50")]
pub(crate) struct HistoryArguments {
    /// Only mail to and from this agent: a name, or an agent's id
    #[arg(value_name = "WITH")]
    pub(crate) with: Option<Peer>,
    /// Only what was said in this conversation
    #[arg(long, value_name = "ID")]
    pub(crate) conversation: Option<ConversationId>,
    /// Only messages with these words
    #[arg(long, value_name = "QUERY", value_parser = search, allow_hyphen_values = true)]
    pub(crate) search: Option<SearchQuery>,
    /// Show at most N messages
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(FETCH_MESSAGES)))]
    pub(crate) limit: Option<u32>,
    /// Only what was stored before
    #[arg(long, value_name = "POINT")]
    pub(crate) before: Option<Moment>,
    /// Only what was stored after
    #[arg(long, value_name = "POINT")]
    pub(crate) after: Option<Moment>,
    /// Only messages of this kind
    #[arg(long, value_parser = kind())]
    pub(crate) kind: Option<Kind>,
    /// Show how far each message that you sent has come, with the evidence
    #[arg(long)]
    pub(crate) receipts: bool,
}

pub(super) fn search(text: &str) -> Result<SearchQuery, String> {
    let explained = |wrong: InvalidSearch| format!("{wrong}; {}", wrong.hint());
    text.parse().map_err(explained)
}

fn kind() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str()))
        .try_map(|word| word.parse::<Kind>())
}
