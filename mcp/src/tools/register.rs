//! `ipc_register`: take up a name.

use std::sync::Arc;

use ipc_protocol::name::Name;
use ipc_protocol::profile::Capabilities;
use ipc_protocol::request::Describe;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Register;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The name to go by: 1 to 32 letters, digits, `_` or `-`. Without it: the one this agent has.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    name: Option<String>,
    /// Take the name over from another window of yours that has it.
    #[serde(default)]
    takeover: bool,
    /// What you can do, one word each, at most 16, for example `rust`, `code-review`: others look
    /// for it with `ipc_list`. Takes the place of what you said before.
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    /// What you work on, one line of at most 512 bytes; others see it in `ipc_list`.
    #[serde(default)]
    summary: Option<String>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// What this agent is called.
    name: String,
    /// The agent for good, whatever it is called.
    agent_id: String,
    /// Names of others that are there.
    online: Vec<String>,
}

impl Tool for Register {
    const NAME: &'static str = "ipc_register";
    const TITLE: &'static str = "Register a name";
    const DESCRIPTION: &'static str = "Take up a name under which other agents on this machine \
        reach you, for \"register as X\", \"call me X\", \"my name is X\". Every other tool \
        registers by itself, with a name made from the project's folder; use this to choose one, \
        or to see which you have. Says who is there and how much mail waits.";
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let says = says(&arguments)?;
        let welcome = match arguments.name {
            Some(name) => desk.take_up(parse_name(&name)?, arguments.takeover).await?,
            None if arguments.takeover => {
                let name = desk.agent().await?.name.clone();
                desk.take_up(name, true).await?
            }
            None => desk.register_again().await?,
        };
        if let Some(says) = says {
            desk.call(says).await?;
        }
        let name = welcome.agent.name.to_string();
        let online: Vec<_> = welcome.online.iter().map(ToString::to_string).collect();
        let here = match online.as_slice() {
            [] => "nobody else is here".to_owned(),
            [..] => format!("here: {}", online.join(", ")),
        };
        let waiting = welcome.waiting;
        let text = format!("registered as {name}\n{here}");
        let agent_id = welcome.agent.id.to_string();
        Ok(Answer::about_mail(
            text,
            Output {
                name,
                agent_id,
                online,
            },
            waiting,
        ))
    }
}

/// What the arguments say of the agent, if anything; checked before a name is taken up.
fn says(arguments: &Arguments) -> Result<Option<Describe>, Failure> {
    if arguments.capabilities.is_none() && arguments.summary.is_none() {
        return Ok(None);
    }
    let wrong = |error| Failure::malformed(format!("{error}"));
    let capabilities = arguments.capabilities.as_ref().map(|words| {
        let words: Result<Vec<_>, _> = words.iter().map(|word| word.parse()).collect();
        words.and_then(Capabilities::try_from)
    });
    let summary = arguments.summary.as_ref().map(|text| text.parse());
    Ok(Some(Describe {
        capabilities: capabilities.transpose().map_err(wrong)?,
        summary: summary.transpose().map_err(wrong)?,
        ..Describe::default()
    }))
}

/// Parses a name as an argument.
pub(super) fn parse_name(text: &str) -> Result<Name, Failure> {
    Name::parse(text).map_err(|error| {
        let refusal = ipc_protocol::error::Refusal::from(error);
        Failure {
            code: Some(refusal.code),
            hint: refusal.hint.map(std::borrow::Cow::into_owned),
            ..Failure::local(refusal.message)
        }
    })
}
