//! Resources: the mailbox, who is there, how all is, and single messages.
//!
//! Lists carry ids, names and counts; the text of a peer stands in `ipc://message/ID` alone, made
//! as the tools make it.

use std::sync::Arc;

use ipc_protocol::id::{ConversationId, MessageId};
use ipc_protocol::limits::FETCH_MESSAGES;
use ipc_protocol::message::Mail;
use ipc_protocol::request::{Conversation, Fetch, List, Read};
use rmcp::ErrorData;
use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::failure::Failure;
use crate::limits::PAGE_BYTES;
use crate::render::{self, Fence, Letter};
use crate::tools::{self, ListOutput};

/// The mailbox: the one resource that changes by itself.
pub(crate) const INBOX: &str = "ipc://inbox";
const INSTANCES: &str = "ipc://instances";
const STATUS: &str = "ipc://status";
const MESSAGE: &str = "ipc://message/";
const CONVERSATION: &str = "ipc://conversation/";

const JSON: &str = "application/json";

/// The resources that are always there.
pub(crate) fn all() -> Vec<Resource> {
    let row = |uri: &str, name: &str, about: &str| {
        Resource::new(uri, name)
            .with_description(about)
            .with_mime_type(JSON)
    };
    vec![
        row(
            INBOX,
            "inbox",
            "Mail that waits: ids, senders, sizes. Takes none of it",
        ),
        row(INSTANCES, "instances", "The agents on this machine"),
        row(STATUS, "status", "Who you are, and how the daemon is"),
    ]
}

/// The resources that there is one of for each message, and for each conversation.
pub(crate) fn templates() -> Vec<ResourceTemplate> {
    let message = ResourceTemplate::new(format!("{MESSAGE}{{id}}"), "message");
    vec![
        message
            .with_description("One message that you received or sent, its first 16 KiB")
            .with_mime_type("text/plain"),
        ResourceTemplate::new(format!("{CONVERSATION}{{id}}"), "conversation")
            .with_description(
                "One conversation that you are in: who else is, and how much is unread",
            )
            .with_mime_type(JSON),
    ]
}

/// What stands at `uri`.
pub(crate) async fn read(uri: &str, desk: &Arc<Desk>) -> Result<ReadResourceResult, ErrorData> {
    let contents = match uri {
        INBOX => json_at(uri, &inbox(desk).await.map_err(refused)?),
        INSTANCES => {
            let agents = desk.call(List {}).await.map_err(refused)?;
            json_at(uri, &json!(ListOutput::from(&agents)))
        }
        STATUS => {
            let (status, waiting) = tools::look(desk).await.map_err(refused)?;
            json_at(uri, &json!({"you": status, "waiting": waiting}))
        }
        other if other.starts_with(CONVERSATION) => {
            let id = other.strip_prefix(CONVERSATION).unwrap_or_default();
            let conversation_id = id.parse().map_err(|_| nothing_there())?;
            let row = conversation(conversation_id, desk).await.map_err(refused)?;
            json_at(uri, &row)
        }
        other => {
            let id = other.strip_prefix(MESSAGE).and_then(|id| id.parse().ok());
            let id = id.ok_or_else(nothing_there)?;
            message(uri, id, desk).await.map_err(refused)?
        }
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

fn nothing_there() -> ErrorData {
    let there_are = format!("{INBOX}, {INSTANCES}, {STATUS}, {MESSAGE}ID, {CONVERSATION}ID");
    let text = format!("there is no such resource; there are: {there_are}");
    ErrorData::resource_not_found(text, None)
}

async fn conversation(conversation_id: ConversationId, desk: &Arc<Desk>) -> Result<Value, Failure> {
    let report = desk.call(Conversation::Members { conversation_id }).await?;
    let unread: u64 = report.conversations.iter().map(|row| row.unread).sum();
    let members: Vec<_> = report
        .conversations
        .iter()
        .flat_map(|row| &row.members)
        .collect();
    Ok(json!({
        "conversation_id": conversation_id,
        "is_group": report.conversations.iter().any(|row| row.title.is_some()),
        "members": members,
        "unread": unread,
    }))
}

async fn inbox(desk: &Arc<Desk>) -> Result<Value, Failure> {
    let peek = Fetch {
        limit: Some(FETCH_MESSAGES),
        wait_ms: 0,
        peek: true,
        ..Fetch::default()
    };
    let fetched = desk.call(peek).await?;
    let row = |mail: &Mail| {
        json!({
            "message_id": mail.id,
            "from": mail.from.as_ref().map(|from| &from.name),
            "kind": mail.kind.as_str(),
            "sent": mail.sent_ms.rfc3339(),
            "bytes": mail.bytes,
            "reply_to": mail.reply_to,
        })
    };
    let rows: Vec<_> = fetched.messages.iter().map(row).collect();
    let listed = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    Ok(json!({
        "waiting": fetched.waiting.saturating_add(listed),
        "messages": rows,
        "how_to_read": "call ipc_check",
    }))
}

async fn message(
    uri: &str,
    message_id: MessageId,
    desk: &Arc<Desk>,
) -> Result<ResourceContents, Failure> {
    let read = Read {
        message_id,
        offset: 0,
    };
    let mut mail = desk.call(read).await?.message;
    let fits = render::fitting(&mail.text, PAGE_BYTES).len();
    mail.truncated |= fits < mail.text.len();
    mail.text.truncate(fits);
    let text = render::text(&[Letter::from(mail)], &Fence::new(desk.random()));
    Ok(ResourceContents::text(text, uri))
}

fn json_at(uri: &str, value: &Value) -> ResourceContents {
    ResourceContents::text(value.to_string(), uri).with_mime_type(JSON)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what an error is mapped with"
)]
fn refused(failure: Failure) -> ErrorData {
    ErrorData::internal_error(failure.to_string(), None)
}
