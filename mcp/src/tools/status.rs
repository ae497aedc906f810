//! `ipc_status`: who am I, what waits, how is the daemon.

use std::sync::Arc;

use ipc_protocol::request::{Notices, NoticesAction, Status as DaemonStatus, Whoami};
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
    /// Whether the daemon keeps a notice of waiting mail for the project's CLAUDE.md.
    notices: bool,
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
        whether the daemon is well. Takes no mail. With notices it switches notices in CLAUDE.md.";
    const EFFECT: Effect = Effect::Sets;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let switched = match arguments.notices {
            Some(switch) => Some(desk.switch_notices(switch == Switch::On).await?),
            None => None,
        };
        let (output, waiting) = look(desk).await?;
        let notices = switched.map_or_else(String::new, |said| format!("{said}\n"));
        let text = format!(
            "{notices}you are {}\ndaemon {} runs since {}; {} agents, {} live",
            output.name, output.daemon_version, output.daemon_started, output.agents, output.live,
        );
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
    let notices = desk.call(status).await?.on;
    let output = Output {
        name: who.name.to_string(),
        agent_id: who.agent_id.to_string(),
        aliases: who.aliases.iter().map(ToString::to_string).collect(),
        notices,
        daemon_version: daemon.version,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        agents: daemon.agents,
        live: daemon.live,
        daemon_started: daemon.started_ms.rfc3339().unwrap_or_default(),
    };
    Ok((output, who.waiting))
}
