//! `ipc_forward`: pass a message on.

use std::sync::Arc;

use ipc_protocol::request::Forward as Request;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sending::{self, Stored};
use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Forward;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// For whom: a name, an agent id, or `all`.
    to: String,
    /// The message to pass on. Without it: the last one that you were shown, if one
    /// agent alone wrote what you were shown last.
    #[serde(default)]
    message_id: Option<String>,
}

impl Tool for Forward {
    const NAME: &'static str = "ipc_forward";
    const TITLE: &'static str = "Forward a message";
    const DESCRIPTION: &'static str = "Pass a message that you received on to another agent, for \
        \"forward to X\". It is sent by you, with its text as it was; a message can be passed on \
        8 times.";
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
            to: sending::parse_recipient(&arguments.to)?,
            idempotency_key: Some(desk.key()?),
        };
        let sent = desk.call(request).await?;
        Ok(Answer::new(sending::words(&sent), Stored::from(&sent)))
    }
}
