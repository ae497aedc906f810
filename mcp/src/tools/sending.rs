//! What every tool that stores a message shares.

use std::collections::BTreeMap;

use ipc_protocol::id::MessageId;
use ipc_protocol::name::Recipient;
use ipc_protocol::request::{RecipientOutcome, Sent, SentTo};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// Data attached to a message.
pub(super) type Data = BTreeMap<String, Value>;

/// Recipients that are listed by name in words, at most.
const LISTED: usize = 10;

/// A stored message.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Stored {
    /// The message's id: for `ipc_read`, and to tell its answers.
    pub(super) message_id: String,
    /// For whom it is stored.
    recipients: Vec<StoredFor>,
    /// The conversation that it is part of: `ipc_send` takes it as `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    /// Whether the same idempotency key had stored it before.
    duplicate: bool,
}

/// One recipient of a stored message.
#[derive(Debug, Serialize, JsonSchema)]
struct StoredFor {
    /// What the recipient is called now.
    name: String,
    /// `stored`, `forwarded` (from an old name), `unclaimed` (kept for whoever takes the name) or
    /// `held` (until its owner allows you), `left_out` (a member of the group whose mailbox is full).
    outcome: String,
    /// The old name that it was addressed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    addressed_to: Option<String>,
    /// A name that exists and looks like an unclaimed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    did_you_mean: Option<String>,
}

impl From<&Sent> for Stored {
    fn from(sent: &Sent) -> Self {
        Self {
            message_id: sent.message_id.to_string(),
            recipients: sent.recipients.iter().map(StoredFor::from).collect(),
            conversation_id: sent.conversation.map(|id| id.to_string()),
            duplicate: sent.duplicate,
        }
    }
}

impl From<&SentTo> for StoredFor {
    fn from(sent: &SentTo) -> Self {
        let (outcome, addressed_to, did_you_mean) = match &sent.outcome {
            RecipientOutcome::Stored => ("stored", None, None),
            RecipientOutcome::Forwarded { from } => ("forwarded", Some(from), None),
            RecipientOutcome::LeftOut { .. } => ("left_out", None, None),
            RecipientOutcome::Unclaimed { did_you_mean } => {
                ("unclaimed", None, did_you_mean.as_ref())
            }
            RecipientOutcome::Held => ("held", None, None),
        };
        Self {
            name: sent.name.to_string(),
            outcome: outcome.to_owned(),
            addressed_to: addressed_to.map(ToString::to_string),
            did_you_mean: did_you_mean.map(ToString::to_string),
        }
    }
}

/// What became of a message, in words.
pub(super) fn words(sent: &Sent) -> String {
    let id = sent.message_id;
    let remarks = sent.remarks();
    match sent.recipients.as_slice() {
        [] => format!("sent {id} to nobody: no other agent was seen in the last 24 h"),
        [one] => format!("sent {id} to {}{remarks}", outcome(one)),
        several => {
            let names: Vec<_> = several.iter().take(LISTED).map(outcome).collect();
            let more = if several.len() > LISTED { ", …" } else { "" };
            let all = several.len();
            format!(
                "sent {id} to {all} agents: {}{more}{remarks}",
                names.join(", ")
            )
        }
    }
}

fn outcome(sent: &SentTo) -> String {
    let name = &sent.name;
    match &sent.outcome {
        RecipientOutcome::Stored => name.to_string(),
        RecipientOutcome::Forwarded { from } => format!("{name} (called {from} before)"),
        RecipientOutcome::LeftOut { reason } => {
            format!("{name}, left out: {}", reason.in_words())
        }
        RecipientOutcome::Unclaimed { did_you_mean: None } => {
            format!("{name}, queued: nobody is registered under that name yet")
        }
        RecipientOutcome::Unclaimed {
            did_you_mean: Some(other),
        } => format!(
            "{name}, queued: nobody is registered under that name yet; did you mean {other}?"
        ),
        RecipientOutcome::Held => {
            format!("{name}, held until its owner allows you: do not repeat it")
        }
    }
}

/// Parses whom a message is for.
pub(super) fn parse_recipient(text: &str) -> Result<Recipient, Failure> {
    text.parse()
        .map_err(|error: ipc_protocol::name::InvalidName| {
            Failure::malformed(format!("`to` is nobody: {error}")).hint(
                "a name as ipc_list shows it, an agent id (a.…), a conversation id (c.…), or all",
            )
        })
}

/// Parses the id of a message.
pub(super) fn parse_message_id(text: &str) -> Result<MessageId, Failure> {
    text.parse().map_err(|_| {
        Failure::malformed("that is no id of a message")
            .hint("ids begin with m. and come with every message")
    })
}
