//! `ipc_broadcast`: mail everybody.

use std::sync::Arc;

use ipc_protocol::message::Kind;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::Send as Request;
use schemars::JsonSchema;
use serde::Deserialize;

use super::sending::{self, Data, Stored};
use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Broadcast;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The text, up to 1 MiB.
    text: String,
    /// Data to go along, as a JSON object.
    #[serde(default)]
    data: Option<Data>,
}

impl Tool for Broadcast {
    const NAME: &'static str = "ipc_broadcast";
    const TITLE: &'static str = "Send to everybody";
    const DESCRIPTION: &'static str = "Send a message to every agent seen on this machine in the \
        last 24 hours, for \"broadcast: …\", \"tell everyone …\", \"send to all: …\". At most 64 \
        agents and 5 times a minute.";
    const EFFECT: Effect = Effect::Adds;
    type Arguments = Arguments;
    type Output = Stored;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Stored>, Failure> {
        let request = Request {
            to: Recipient::All,
            text: arguments.text,
            kind: Kind::Message,
            data: arguments.data,
            reply_to: None,
            idempotency_key: Some(desk.key()?),
            known_only: false,
        };
        let sent = desk.call(request).await?;
        Ok(Answer::new(sending::words(&sent), Stored::from(&sent)))
    }
}
