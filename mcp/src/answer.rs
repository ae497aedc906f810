//! What a tool answers: words for the model, the same for programs, and how the mailbox stands.

use std::sync::Arc;

use ipc_protocol::request::Whoami;
use rmcp::model::{CallToolResult, ContentBlock};
use schemars::JsonSchema;
use serde::Serialize;

use crate::desk::Desk;
use crate::failure::Failure;

/// The outcome of a tool that did its work.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    text: String,
    output: T,
    /// How much mail waits, where the tool has heard.
    waiting: Option<u64>,
}

/// The structure of every result.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Told<T> {
    #[serde(flatten)]
    output: T,
    /// How much mail waits: `ipc_check` reads it.
    waiting: u64,
    /// What else there is to know, of the connection for example.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

impl<T: Serialize> Answer<T> {
    /// An answer.
    pub(crate) const fn new(text: String, output: T) -> Self {
        Self {
            text,
            output,
            waiting: None,
        }
    }

    /// An answer by a tool that has heard how much mail waits.
    pub(crate) const fn about_mail(text: String, output: T, waiting: u64) -> Self {
        Self {
            text,
            output,
            waiting: Some(waiting),
        }
    }

    /// The result for the host. Some hosts show a model the words alone, some the structure alone,
    /// so that both say all of it.
    pub(crate) async fn into_result(self, desk: &Arc<Desk>) -> Result<CallToolResult, Failure> {
        let waiting = if let Some(waiting) = self.waiting {
            waiting
        } else {
            let who = desk.call(Whoami {}).await;
            who.map_or(0, |who| who.waiting.saturating_sub(who.muted))
        };
        let notes = desk.take_notes();
        let mut words = vec![ContentBlock::text(self.text)];
        let mut further: Vec<_> = notes.iter().map(|note| format!("note: {note}")).collect();
        further.extend(mail_waits(waiting));
        if !further.is_empty() {
            words.push(ContentBlock::text(further.join("\n")));
        }
        let told = Told {
            output: self.output,
            waiting,
            notes,
        };
        let told = serde_json::to_value(&told)
            .map_err(|error| Failure::local(format!("writing the result: {error}")))?;
        let mut result = CallToolResult::success(words);
        result.structured_content = Some(told);
        Ok(result)
    }
}

/// How much mail waits, as a sentence.
fn mail_waits(waiting: u64) -> Option<String> {
    match waiting {
        0 => None,
        1 => Some("1 message waits: call ipc_check".to_owned()),
        n => Some(format!("{n} messages wait: call ipc_check")),
    }
}
