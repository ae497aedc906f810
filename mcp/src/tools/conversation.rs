//! `ipc_conversation`: groups, and what conversations there are.

use std::sync::Arc;

use ipc_protocol::conversation::Title;
use ipc_protocol::id::ConversationId;
use ipc_protocol::message::IdempotencyKey;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Conversation as Request, ConversationReport, ConversationRow};
use ipc_protocol::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::render::{ABOUT, Fence, fenced};

/// The tool.
pub(super) struct Conversation;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What to do.
    action: Action,
    /// With `create`: what the group is called, one line of up to 128 bytes.
    #[serde(default)]
    title: Option<String>,
    /// With `create` and `add`: names of agents to bring into the group.
    #[serde(default)]
    members: Option<Vec<String>>,
    /// With `add`, `leave` and `members`: which conversation, `c.…`.
    #[serde(default)]
    conversation_id: Option<String>,
    /// With `list`: at most so many, 1 to 500; 20 without it.
    #[serde(default)]
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Make a group of you and `members`.
    Create,
    /// Bring `members` into a group that you are in.
    Add,
    /// Leave a group.
    Leave,
    /// List the conversations that you are in.
    List,
    /// Say who is in one of them.
    Members,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// Says what a title is.
    about: &'static str,
    /// The conversation in question, or those of the list, the latest first.
    conversations: Vec<Row>,
    /// How many conversations you are in, listed or not.
    total: u64,
    /// Who was not in it before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    added: Vec<String>,
}

/// One conversation. Everything but `title` is the daemon's word.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Its id: `ipc_send` takes it as `to`.
    conversation_id: String,
    /// What a peer called the group, between the two lines of a fence; nothing between two agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Names of those who are in it; in a list at most five.
    members: Vec<String>,
    /// How many others are.
    more_members: u64,
    /// How many of its messages wait for you.
    unread: u64,
    /// When its last message was stored, RFC 3339, of those since you are in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

impl Tool for Conversation {
    const NAME: &'static str = "ipc_conversation";
    const TITLE: &'static str = "Groups and conversations";
    const DESCRIPTION: &'static str = "Talk in a group, for \"make a group with A and B\" \
        (create: title, members), \"add C to it\" (add: conversation_id, members), \"leave the \
        group\" (leave), \"who is in it?\" (members), \"my conversations\" (list, with unread \
        counts). Send to a group with ipc_send: its conversation_id is the to. ipc_reply answers \
        in the group that a message came from. Two agents have a conversation of their own \
        without making one.";
    const EFFECT: Effect = Effect::Adds;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let action = arguments.action;
        let key = desk.key()?;
        let report = desk.call(request(arguments, key)?).await?;
        let fence = Fence::new(desk.random());
        let output = Output {
            about: ABOUT,
            conversations: report
                .conversations
                .iter()
                .map(|r| row(r, &fence))
                .collect(),
            total: report.total,
            added: report.added.iter().map(ToString::to_string).collect(),
        };
        Ok(Answer::new(words(action, &report, &output), output))
    }
}

fn request(arguments: Arguments, key: IdempotencyKey) -> Result<Request, Failure> {
    let Arguments {
        action,
        title,
        members,
        conversation_id,
        limit,
    } = arguments;
    let id = || {
        let id = conversation_id.as_deref().map(parse_conversation_id);
        id.unwrap_or_else(|| Err(missing("conversation_id")))
    };
    Ok(match action {
        Action::Create => Request::Create {
            title: parse_title(title.as_deref())?,
            members: parse_names(&members.unwrap_or_default())?,
            idempotency_key: Some(key),
        },
        Action::Add => Request::Add {
            conversation_id: id()?,
            names: parse_names(&members.ok_or_else(|| missing("members"))?)?,
        },
        Action::Leave => Request::Leave {
            conversation_id: id()?,
        },
        Action::Members => Request::Members {
            conversation_id: id()?,
        },
        Action::List => Request::List { limit },
    })
}

fn missing(field: &str) -> Failure {
    Failure::malformed(format!("this action needs {field}")).hint(
        "create: title, members; add: conversation_id, members; leave and members: conversation_id",
    )
}

fn parse_title(text: Option<&str>) -> Result<Title, Failure> {
    let title = Title::parse(text.ok_or_else(|| missing("title"))?);
    title.map_err(|error| Failure::malformed(format!("{error}")))
}

fn parse_names(names: &[String]) -> Result<Vec<Name>, Failure> {
    let names = names.iter().map(|name| Name::parse(name));
    let names: Result<_, _> = names.collect();
    names.map_err(|error| {
        Failure::malformed(format!("a member is nobody: {error}"))
            .hint("names as ipc_list shows them")
    })
}

/// Parses the id of a conversation.
fn parse_conversation_id(text: &str) -> Result<ConversationId, Failure> {
    text.parse().map_err(|_| {
        Failure::malformed("that is no id of a conversation")
            .hint("ids begin with c.; ipc_conversation with action list has yours")
    })
}

fn row(row: &ConversationRow, fence: &Fence) -> Row {
    let title = row.title.as_ref();
    Row {
        conversation_id: row.id.to_string(),
        title: title.map(|title| fenced(title.as_str(), fence)),
        members: row.members.iter().map(ToString::to_string).collect(),
        more_members: row.more_members,
        unread: row.unread,
        last: row.last_ms.and_then(Timestamp::rfc3339),
    }
}

fn words(action: Action, report: &ConversationReport, output: &Output) -> String {
    let done = match action {
        Action::Create => "made this group:".to_owned(),
        Action::Add if report.added.is_empty() => "nobody is new in it:".to_owned(),
        Action::Add => format!("added {}:", output.added.join(", ")),
        Action::Leave => "left this group; what was said before stays readable:".to_owned(),
        Action::Members => "who is in it:".to_owned(),
        Action::List => format!("you are in {} conversations", report.total),
    };
    let mut lines = vec![done];
    if output.conversations.iter().any(|row| row.title.is_some()) {
        lines.push(format!("(titles are {ABOUT})"));
    }
    for row in &output.conversations {
        let more = match row.more_members {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (id, members, unread) = (&row.conversation_id, row.members.join(", "), row.unread);
        lines.push(match action {
            Action::Leave => id.clone(),
            Action::Create | Action::Add | Action::List | Action::Members => {
                format!("{id}: {members}{more}; {unread} unread")
            }
        });
        lines.extend(
            row.title
                .as_ref()
                .map(|title| format!("its title:\n{title}")),
        );
    }
    lines.join("\n")
}
