//! `ipc_send`: mail one agent, and wait for its answer if asked to.

use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::message::{IdempotencyKey, Kind, WaitEnd};
use ipc_protocol::request::Send as Request;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{self, Asked, Mailbag, Wanted};
use super::sending::{self, Data, Stored};
use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::limits::CHECK_MESSAGES;
use crate::render::MessageView;

/// The tool.
pub(super) struct Send;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// A name as `ipc_list` shows it, or one that nobody has yet; an agent id; a
    /// conversation id; or `all`.
    to: String,
    /// The text, up to 1 MiB.
    text: String,
    /// What it is meant as: message, request, response, ping, `task_proposal` or
    /// `task_accept`.
    #[serde(default)]
    kind: Option<String>,
    /// The id of the message that this one answers.
    #[serde(default)]
    reply_to: Option<String>,
    /// Data to go along, as a JSON object.
    #[serde(default)]
    data: Option<Data>,
    /// Wait so many seconds for an answer, 1 to 240.
    #[serde(default)]
    #[schemars(range(min = 0, max = 240))]
    wait_s: Option<u32>,
    /// Sent again with the same key and content, nothing is stored again.
    #[serde(default)]
    idempotency_key: Option<String>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    #[serde(flatten)]
    sent: Stored,
    /// Says what `answers` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    /// Answers that came while waiting.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<MessageView>>,
    /// Why no more answers are waited for: `answered` (by everybody, finally), `timed_out`,
    /// `shutting_down` (the daemon stopped) or `recipient_gone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
}

impl Tool for Send {
    const NAME: &'static str = "ipc_send";
    const TITLE: &'static str = "Send a message";
    const DESCRIPTION: &'static str = "Send a message to another agent on this machine, for \
        \"msg X: …\", \"tell X …\", \"send to X: …\". It is on disk when this returns, and is \
        delivered when X checks, even if X is away or not registered yet. With wait_s it waits \
        for the final answer, or for that of everybody whom it went to, and gives what came. A \
        request asks for an answer; a ping is answered by X's program at once, or by nobody. Say the message as the user put it.";
    const EFFECT: Effect = Effect::Adds;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let wait = check::parse_wait(arguments.wait_s)?;
        let request = Request {
            to: sending::parse_recipient(&arguments.to)?,
            text: arguments.text,
            kind: parse_kind(arguments.kind.as_deref())?,
            data: arguments.data,
            reply_to: arguments
                .reply_to
                .as_deref()
                .map(sending::parse_message_id)
                .transpose()?,
            idempotency_key: Some(parse_key(arguments.idempotency_key, desk)?),
            // Nobody can answer for a name that nobody has.
            known_only: wait.is_some(),
        };
        let sent = desk.call(request).await?;
        let words = sending::words(&sent);
        let Some(wait) = wait else {
            let output = Output {
                sent: Stored::from(&sent),
                about: None,
                answers: None,
                ended: None,
            };
            return Ok(Answer::new(words, output));
        };
        let wanted = Wanted {
            limit: Some(CHECK_MESSAGES),
            asked: Some(Asked {
                message_id: sent.message_id,
                recipients: sent.recipients.len(),
            }),
            ..Wanted::default()
        };
        let Mailbag {
            text,
            messages,
            waiting: _,
            ended,
        } = check::take(&wanted, wait, call, desk).await?;
        let mut told = vec![words];
        if !messages.is_empty() {
            told.push(text);
        }
        told.extend(why(ended, messages.is_empty(), wait));
        let output = Output {
            sent: Stored::from(&sent),
            about: Some(crate::render::ABOUT),
            answers: Some(messages),
            ended: ended.map(|ended| ended.as_str().to_owned()),
        };
        Ok(Answer::new(told.join("\n"), output))
    }
}

/// Why no more answers are waited for, unless all have come.
fn why(ended: Option<WaitEnd>, is_silent: bool, wait: Duration) -> Option<String> {
    let seconds = wait.as_secs();
    let later = "an answer will be in your mail: call ipc_check with wait_s";
    match ended {
        Some(WaitEnd::Answered) | None if !is_silent => None,
        Some(WaitEnd::Answered) => {
            Some("it was answered, and the answer was read elsewhere: ipc_read shows it".to_owned())
        }
        Some(WaitEnd::TimedOut) | None if is_silent => {
            Some(format!("no answer came in {seconds} s; {later}"))
        }
        Some(WaitEnd::TimedOut) | None => Some(format!(
            "not all of the answer came in {seconds} s; {later}"
        )),
        Some(WaitEnd::ShuttingDown) => Some(format!("the daemon stopped; {later}")),
        Some(WaitEnd::RecipientGone) => Some(
            "whoever has not answered has gone: its host ended, or it gave its name up".to_owned(),
        ),
    }
}

fn parse_kind(text: Option<&str>) -> Result<Kind, Failure> {
    let Some(text) = text else {
        return Ok(Kind::default());
    };
    let kind = text.parse().ok().filter(|kind: &Kind| kind.is_for_agents());
    kind.ok_or_else(|| {
        Failure::malformed("there is no such kind of message for agents to send").hint(
            "message, request, response, ping, ack, task_proposal or task_accept; ipc_broadcast \
             reaches everybody",
        )
    })
}

/// The key that was given, else a random one.
pub(super) fn parse_key(given: Option<String>, desk: &Desk) -> Result<IdempotencyKey, Failure> {
    match given {
        Some(key) => key
            .try_into()
            .map_err(|error| Failure::malformed(format!("{error}"))),
        None => desk.key(),
    }
}
