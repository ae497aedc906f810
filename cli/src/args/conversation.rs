//! Arguments of `ipc conversation`.

use clap::{Args, Subcommand};
use ipc_protocol::conversation::Title;
use ipc_protocol::id::ConversationId;
use ipc_protocol::limits::{FETCH_MESSAGES, LIST_ROWS};
use ipc_protocol::moment::Moment;
use ipc_protocol::name::Name;
use ipc_protocol::search::SearchQuery;

use super::history::{HistoryArguments, search};

/// `ipc conversation`
#[derive(Debug, Subcommand)]
pub(crate) enum ConversationCommand {
    /// Make a group of this agent and others; prints its id, which is what mail is sent to
    #[command(after_help = "\
Examples:
  ipc conversation create \"release 1.0\" bob carol
  ipc send c.0123456789abc \"who builds it?\"")]
    Create {
        /// What the group is called: one line of free text, up to 128 bytes
        title: Title,
        /// Who else is in it
        #[arg(value_name = "MEMBER", required = true)]
        members: Vec<Name>,
    },
    /// Bring others into a group; they see what is said from now on
    #[command(after_help = "Example:\n  ipc conversation add c.0123456789abc dan erin")]
    Add {
        /// The group
        id: ConversationId,
        /// Whom to bring
        #[arg(value_name = "NAME", required = true)]
        names: Vec<Name>,
    },
    /// Leave a group: what was said before stays, nothing more comes
    #[command(after_help = "Example:\n  ipc conversation leave c.0123456789abc")]
    Leave {
        /// The group
        id: ConversationId,
    },
    /// Show who is in a conversation
    #[command(after_help = "Example:\n  ipc conversation members c.0123456789abc")]
    Members {
        /// The conversation
        id: ConversationId,
    },
    /// Show what was said in a conversation, as `ipc history --conversation` does
    #[command(after_help = "\
Examples:
  ipc conversation history c.0123456789abc
  ipc conversation history c.0123456789abc --search 'deploy*'")]
    History(PastArguments),
    /// Show the conversations that this agent is in, the latest first
    #[command(after_help = "Examples:\n  ipc conversation list\n  ipc conversation list --json")]
    List {
        /// Show at most N
        #[arg(long, value_name = "N", value_parser = limit())]
        limit: Option<u32>,
    },
}

fn limit() -> impl clap::builder::TypedValueParser<Value = u32> {
    clap::value_parser!(u32).range(1..=i64::from(LIST_ROWS))
}

/// `ipc conversation history`
#[derive(Debug, Args)]
pub(crate) struct PastArguments {
    /// The conversation
    id: ConversationId,
    /// Only messages with these words
    #[arg(long, value_name = "QUERY", value_parser = search, allow_hyphen_values = true)]
    search: Option<SearchQuery>,
    /// Only what was stored before a message, a time, or a time ago
    #[arg(long, value_name = "POINT")]
    before: Option<Moment>,
    /// Show at most N messages
    #[arg(long, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=i64::from(FETCH_MESSAGES)))]
    limit: Option<u32>,
}

impl From<PastArguments> for HistoryArguments {
    fn from(past: PastArguments) -> Self {
        Self {
            conversation: Some(past.id),
            search: past.search,
            before: past.before,
            limit: past.limit,
            ..Self::default()
        }
    }
}
