//! `ipc_status`: who am I, what waits, how is the daemon; and what others are to know of me.

use std::sync::Arc;

use ipc_protocol::request::{Describe, Notices, NoticesAction, Status as DaemonStatus, Whoami};
use ipc_protocol::safe;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct Status;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Say how you are, one line of at most 120 bytes; empty takes it back.
    #[serde(default)]
    set_status: Option<String>,
    /// Say what you work on, one line of at most 512 bytes; empty takes it back.
    #[serde(default)]
    set_summary: Option<String>,
    /// `on`: the project's CLAUDE.md says how much waits when a session begins; `off` takes that
    /// out again. Only when the user asks for it.
    #[serde(default)]
    notices: Option<Switch>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Switch {
    On,
    Off,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// What this agent is called.
    name: String,
    /// The agent for good, whatever it is called.
    agent_id: String,
    /// Old names that still forward.
    aliases: Vec<String>,
    /// Since when an operator has frozen this agent, RFC 3339; absent when it goes on. Then stop and wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen_since: Option<String>,
    /// Whether the daemon keeps a notice of waiting mail for the project's CLAUDE.md; absent while
    /// the agent is frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<bool>,
    /// How you said that you are.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// What you said that you work on.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// What you said that you can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    /// The daemon's version.
    daemon_version: String,
    /// This program's version.
    version: String,
    /// Agents that the daemon knows.
    agents: u64,
    /// Those of them that are live.
    live: u64,
    /// When the daemon started, RFC 3339.
    daemon_started: String,
}

impl Tool for Status {
    const NAME: &'static str = "ipc_status";
    const TITLE: &'static str = "Who am I, what waits";
    const DESCRIPTION: &'static str = "Show which name you go by, how much mail waits, and \
        whether the daemon is well. Takes no mail. With set_status and set_summary, tells the \
        others how you are and what you work on: they see it in ipc_list. With notices it switches \
        notices in CLAUDE.md.";
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let Arguments {
            set_status,
            set_summary,
            notices,
        } = arguments;
        if set_status.is_some() || set_summary.is_some() {
            let wrong = |error| Failure::malformed(format!("{error}"));
            let says = Describe {
                status: set_status
                    .map(TryInto::try_into)
                    .transpose()
                    .map_err(wrong)?,
                summary: set_summary
                    .map(TryInto::try_into)
                    .transpose()
                    .map_err(wrong)?,
                ..Describe::default()
            };
            desk.call(says).await?;
        }
        let mut lines = Vec::new();
        if let Some(switch) = notices {
            lines.push(desk.switch_notices(switch == Switch::On).await?);
        }
        let (output, waiting) = look(desk).await?;
        lines.push(format!("you are {}", output.name));
        lines.extend(output.frozen_since.as_ref().map(|since| {
            format!(
                "you are frozen by the operator since {since}: stop, tell your user, and wait; \
                 your mail waits, and everything but ipc_status is refused until the operator thaws you"
            )
        }));
        lines.push(format!(
            "daemon {} runs since {}; {} agents, {} live",
            output.daemon_version, output.daemon_started, output.agents, output.live,
        ));
        for (what, said) in [("status", &output.status), ("summary", &output.summary)] {
            lines.extend(said.iter().map(|said| format!("your {what}: {said}")));
        }
        let text = lines.join("\n");
        Ok(Answer::about_mail(text, output, waiting))
    }
}

/// Looks who we are, how the daemon is, and how much mail waits.
pub(crate) async fn look(desk: &Arc<Desk>) -> Result<(Output, u64), Failure> {
    let who = desk.call(Whoami {}).await?;
    let daemon = desk.call(DaemonStatus {}).await?;
    let status = Notices {
        action: NoticesAction::Status,
    };
    // A frozen agent may ask for nothing else.
    let notices = match who.frozen {
        Some(_) => None,
        None => Some(desk.call(status).await?.on),
    };
    let output = Output {
        name: who.name.to_string(),
        agent_id: who.agent_id.to_string(),
        aliases: who.aliases.iter().map(ToString::to_string).collect(),
        frozen_since: who
            .frozen
            .map(|freeze| freeze.since_ms.rfc3339().unwrap_or_default()),
        notices,
        status: who.status.map(|text| safe::line(text.as_str())),
        summary: who.summary.map(|text| safe::line(text.as_str())),
        capabilities: who
            .capabilities
            .as_slice()
            .iter()
            .map(ToString::to_string)
            .collect(),
        daemon_version: daemon.version,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        agents: daemon.agents,
        live: daemon.live,
        daemon_started: daemon.started_ms.rfc3339().unwrap_or_default(),
    };
    Ok((output, who.waiting.saturating_sub(who.muted)))
}
