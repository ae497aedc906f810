//! `ipc_rename`: go by another name.

use std::sync::Arc;

use ipc_protocol::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::parse_name;
use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Rename;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The new name: 1 to 32 letters, digits, `_` or `-`.
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    new_name: String,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// What this agent was called.
    old_name: String,
    /// What it is called.
    name: String,
    /// Until when the old name forwards, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwards_until: Option<String>,
    /// Mail that waited for the new name and is now in the mailbox.
    adopted: u64,
}

impl Tool for Rename {
    const NAME: &'static str = "ipc_rename";
    const TITLE: &'static str = "Change your name";
    const DESCRIPTION: &'static str = "Go by another name, for \"rename to X\", \"change my name \
        to X\". Your mail and whoever writes to the old name follow you for 2 hours; everybody \
        is told. Once an hour.";
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let renamed = desk.rename(parse_name(&arguments.new_name)?).await?;
        let (old, new) = (&renamed.old_name, &renamed.name);
        let forwards = match renamed.forwards_until_ms {
            Some(_) => format!("; mail to {old} is forwarded for 2 hours"),
            None => String::new(),
        };
        let output = Output {
            old_name: old.to_string(),
            name: new.to_string(),
            forwards_until: renamed.forwards_until_ms.and_then(Timestamp::rfc3339),
            adopted: renamed.adopted,
        };
        let text = format!("{old} is called {new} now{forwards}");
        Ok(Answer::new(text, output))
    }
}
