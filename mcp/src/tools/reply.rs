//! `ipc_reply`: answer a message.

use std::sync::Arc;

use ipc_protocol::request::Reply as Request;
use schemars::JsonSchema;
use serde::Deserialize;

use super::send::parse_key;
use super::sending::{self, Data, Stored};
use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Reply;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The answer, up to 1 MiB.
    text: String,
    /// The message to answer. Without it: the last one that you were shown, if one
    /// agent alone wrote what you were shown last.
    #[serde(default)]
    message_id: Option<String>,
    /// Data to go along, as a JSON object.
    #[serde(default)]
    data: Option<Data>,
    /// Whether this is all of the answer; false when more comes, so that whoever waits goes on
    /// waiting. True by default.
    #[serde(default, rename = "final")]
    is_final: Option<bool>,
    /// Sent again with the same key and content, nothing is stored again.
    #[serde(default)]
    idempotency_key: Option<String>,
    /// Answer the sender alone, also where the message was said in a group.
    #[serde(default)]
    private: bool,
}

impl Tool for Reply {
    const NAME: &'static str = "ipc_reply";
    const TITLE: &'static str = "Reply to a message";
    const DESCRIPTION: &'static str = "Answer a message that you received, for \"reply: …\". It \
        goes to the sender, or to the group that the message was said in; whoever waits for the \
        answer gets it at once. Name the message_id when several messages came. With final false \
        it says that more of the answer comes. Do not answer only to say that a message has arrived: its \
        sender sees that.";
    const EFFECT: Effect = Effect::Adds;
    type Arguments = Arguments;
    type Output = Stored;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Stored>, Failure> {
        let message_id = match &arguments.message_id {
            Some(id) => Some(sending::parse_message_id(id)?),
            None => desk.last_shown()?,
        };
        let request = Request {
            message_id,
            text: arguments.text,
            data: arguments.data,
            is_final: arguments.is_final.unwrap_or(true),
            idempotency_key: Some(parse_key(arguments.idempotency_key, desk)?),
            private: arguments.private,
        };
        let sent = desk.call(request).await?;
        Ok(Answer::new(sending::words(&sent), Stored::from(&sent)))
    }
}
