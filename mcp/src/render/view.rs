//! What is known of a message, as a tool gives it.

use std::collections::BTreeMap;

use ipc_protocol::message::{Mail, SystemEvent};
use ipc_protocol::safe;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Fence, Letter, fence};
use crate::limits::DATA_BYTES;

/// What stands where the kernel named nobody.
const NO_PROVENANCE: &str = "none (old port)";

/// A message. Everything but `text`, `data` and `group_title` is the daemon's word; `program` is a
/// claim that nothing checks.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on one another"
)]
pub(crate) struct MessageView {
    /// The message's id.
    pub(crate) message_id: String,
    /// Name of the sender; nothing for the daemon's own notices.
    from: Option<String>,
    /// The sender for good, whatever it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<String>,
    /// How often the sender's name has changed hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    incarnation: Option<u32>,
    /// Whether the sender proved who it is and its kernel said where it ran.
    verified: bool,
    /// `none (old port)` where nothing says which process sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
    /// The name it was addressed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// What it is meant as.
    kind: String,
    /// When it was stored, RFC 3339.
    sent: String,
    /// The message that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    /// The conversation that it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    /// What a peer called the group that it was said in, between the two lines of the fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_title: Option<String>,
    /// Whether it is an interim answer: more of it comes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    interim: bool,
    /// The old name it was addressed to, when it came over a rename.
    #[serde(skip_serializing_if = "Option::is_none")]
    via_alias: Option<String>,
    /// How often it was passed on to a third agent.
    hops: u32,
    /// Whether it was offered before and may have been seen.
    redelivered: bool,
    /// Process id of the sender, from the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// The program that the sender says it runs in; unchecked.
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    /// The text between the two lines of the fence, hidden characters escaped.
    pub(crate) text: String,
    /// Bytes of the whole text.
    pub(crate) bytes: u64,
    /// Whether `text` is only the beginning.
    pub(crate) truncated: bool,
    /// The file that holds the whole text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) saved_to: Option<String>,
    /// Whether the text or the data held characters that are not seen; in the text they are
    /// written out.
    had_hidden_characters: bool,
    /// Data attached by the sender: JSON between the two lines of the fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<String>,
    /// Whether there is data too large to show here: `ipc read ID --json` gives it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) data_omitted: bool,
    /// What happened, in the daemon's own notices.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<BTreeMap<String, Value>>,
}

impl MessageView {
    /// What is known of `letter`.
    pub(crate) fn new(letter: &Letter, within: &Fence) -> Self {
        let mail = &letter.mail;
        let (text, had_hidden_characters) = match (&mail.from, &mail.event) {
            (None, Some(event)) => (event.sentence(), false),
            (None, None) => (
                "(a notice of a kind that this version does not know)".to_owned(),
                false,
            ),
            (Some(_), _) => fence::harmless(&mail.text),
        };
        let saved_to = letter.saved_to.as_ref();
        let (data, hidden_data) = shown_data(mail).map(|data| fence::harmless(&data)).unzip();
        let hidden_data = hidden_data.unwrap_or(false) || mail.data.iter().flatten().any(hides_at);
        let has_data = mail.data.is_some() && mail.from.is_some();
        Self {
            message_id: mail.id.to_string(),
            from: mail.from.as_ref().map(|from| from.name.to_string()),
            agent_id: mail.from.as_ref().map(|from| from.agent_id.to_string()),
            incarnation: mail.from.as_ref().map(|from| from.incarnation),
            verified: mail.from.is_none() || mail.provenance.is_some(),
            provenance: (mail.from.is_some() && mail.provenance.is_none())
                .then(|| NO_PROVENANCE.to_owned()),
            to: mail.to.as_ref().map(ToString::to_string),
            kind: mail.kind.as_str().to_owned(),
            sent: mail.sent_ms.rfc3339().unwrap_or_default(),
            reply_to: mail.reply_to.map(|id| id.to_string()),
            conversation_id: mail.conversation.as_ref().map(|of| of.id.to_string()),
            group_title: title(mail).map(|title| super::fenced(title, within)),
            interim: mail.interim,
            via_alias: mail.via_alias.as_ref().map(ToString::to_string),
            hops: mail.hops,
            redelivered: mail.redelivered,
            pid: mail.provenance.as_ref().map(|known| known.pid),
            program: program(mail),
            text: within.around(&text),
            bytes: mail.bytes,
            truncated: mail.truncated,
            saved_to: saved_to.map(|path| safe::line(&path.display().to_string())),
            had_hidden_characters: had_hidden_characters || hidden_data,
            data_omitted: mail.data_omitted || has_data != data.is_some(),
            data: data.map(|data| within.around(&data)),
            event: event(mail),
        }
    }

    /// The same without text, data and title, as one line of JSON in which nothing is hidden: what a sender
    /// chose in it (a program's name) is a JSON string, and cannot end it.
    pub(crate) fn head(&self) -> String {
        let mut head = json!(self);
        if let Value::Object(head) = &mut head {
            head.remove("text");
            head.remove("data");
            head.remove("group_title");
        }
        safe::line(&fence::harmless(&head.to_string()).0)
    }
}

/// What a peer called the group that the message was said in.
pub(super) fn title(mail: &Mail) -> Option<&str> {
    let title = mail.conversation.as_ref()?.title.as_ref()?;
    Some(title.as_str())
}

fn program(mail: &Mail) -> Option<String> {
    let program = mail.provenance.as_ref()?.program.as_ref()?;
    Some(program.to_string())
}

fn event(mail: &Mail) -> Option<BTreeMap<String, Value>> {
    let event: &SystemEvent = mail.event.as_ref().filter(|_| mail.from.is_none())?;
    serde_json::from_value(json!(event)).ok()
}

/// The data of an agent's message as JSON, where it is small enough to be shown.
pub(super) fn shown_data(mail: &Mail) -> Option<String> {
    let data = mail.data.as_ref().filter(|_| mail.from.is_some())?;
    Some(json!(data).to_string()).filter(|json| json.len() <= DATA_BYTES)
}

fn hides_at((key, value): (&String, &Value)) -> bool {
    key.contains(safe::is_hidden) || hides(value)
}

/// Whether a text anywhere in `value` holds characters that are not seen. As deep as data may
/// nest (14 levels).
fn hides(value: &Value) -> bool {
    let is_hidden = |c: char| safe::is_hidden(c) && c != '\n' && c != '\t';
    match value {
        Value::String(text) => text.contains(is_hidden),
        Value::Array(items) => items.iter().any(hides),
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| key.contains(is_hidden) || hides(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
