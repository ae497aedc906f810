//! `ipc_auto_check`: when this agent is told that mail waits.

use std::sync::Arc;

use ipc_protocol::limits::AUTO_CHECK_DEFAULT;
use ipc_protocol::request::{
    AutoCheck as Request, AutoCheckAction, AutoCheckMode, AutoCheckReport,
};
use ipc_protocol::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct AutoCheck;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// What to do.
    action: Action,
    /// With `start`: remind every so many minutes, 1 to 60; 5 without it.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60))]
    minutes: Option<u32>,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    /// Tell of mail when it comes, and remind while it waits.
    Start,
    /// Tell of nothing.
    Stop,
    /// Only look.
    Status,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Output {
    /// `arrival` (told once when mail comes), `every` (reminded while it waits) or `off`.
    mode: String,
    /// How often, with the mode `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u32>,
    /// When the mode was chosen, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// When you were last told, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_told: Option<String>,
    /// When you are told of what waits now, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Tool for AutoCheck {
    const NAME: &'static str = "ipc_auto_check";
    const TITLE: &'static str = "Automatic checking";
    const DESCRIPTION: &'static str = "Choose when you are told that mail waits, for \"start auto \
        checking every N minutes\" (start), \"stop auto checking\" (stop), \"is auto checking \
        on?\" (status). Kept for your name until changed. Until anything is chosen you are told \
        once when mail comes, where your program can be told at all; with start you are reminded \
        every N minutes while mail waits.";
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let (action, minutes) = match arguments.action {
            Action::Start => (
                AutoCheckAction::Start,
                Some(arguments.minutes.unwrap_or(AUTO_CHECK_DEFAULT)),
            ),
            Action::Stop => (AutoCheckAction::Stop, arguments.minutes),
            Action::Status => (AutoCheckAction::Status, arguments.minutes),
        };
        let report = desk.call(Request { action, minutes }).await?;
        Ok(Answer::new(words(&report), Output::from(&report)))
    }
}

fn words(report: &AutoCheckReport) -> String {
    match (report.mode, report.minutes) {
        (AutoCheckMode::Arrival, _) => {
            "auto-check is as it comes: you are told once when mail arrives".to_owned()
        }
        (AutoCheckMode::Every, Some(1)) => {
            "auto-check is on: you are told of mail, and again every minute while it waits"
                .to_owned()
        }
        (AutoCheckMode::Every, minutes) => {
            let minutes = minutes.unwrap_or(AUTO_CHECK_DEFAULT);
            format!(
                "auto-check is on: you are told of mail, and again every {minutes} minutes while \
                 it waits"
            )
        }
        (AutoCheckMode::Off, _) => {
            "auto-check is off: mail waits until ipc_check is called".to_owned()
        }
    }
}

impl From<&AutoCheckReport> for Output {
    fn from(report: &AutoCheckReport) -> Self {
        let mode = match report.mode {
            AutoCheckMode::Arrival => "arrival",
            AutoCheckMode::Every => "every",
            AutoCheckMode::Off => "off",
        };
        Self {
            mode: mode.to_owned(),
            minutes: report.minutes,
            since: report.started_ms.and_then(Timestamp::rfc3339),
            last_told: report.last_told_ms.and_then(Timestamp::rfc3339),
            next: report.next_ms.and_then(Timestamp::rfc3339),
        }
    }
}
