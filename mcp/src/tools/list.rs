//! `ipc_list`: who is there.

use std::sync::Arc;

use ipc_protocol::request::{AgentRow, Agents, List as Request, Presence};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;

/// The tool.
pub(super) struct List;

/// What it takes: nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The agents, the most present first; at most 500.
    agents: Vec<Row>,
}

/// One agent.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// What it is called.
    name: String,
    /// The agent for good, whatever it is called.
    agent_id: String,
    /// `live`, `online`, `idle` or `offline`.
    presence: String,
    /// When it last used its mailbox, RFC 3339.
    last_seen: String,
    /// Whether it is you.
    is_self: bool,
}

impl Tool for List {
    const NAME: &'static str = "ipc_list";
    const TITLE: &'static str = "List agents";
    const DESCRIPTION: &'static str = "List the agents on this machine and how present each is, \
        for \"who's online?\", \"list instances\", \"which AIs are active?\".";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        _arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let agents = desk.call(Request {}).await?;
        let output = Output::from(&agents);
        let line = |row: &Row| {
            let you = if row.is_self { " (you)" } else { "" };
            format!(
                "{}{you}: {}, last seen {}",
                row.name, row.presence, row.last_seen
            )
        };
        let lines: Vec<_> = output.agents.iter().map(line).collect();
        Ok(Answer::new(lines.join("\n"), output))
    }
}

impl From<&Agents> for Output {
    fn from(agents: &Agents) -> Self {
        Self {
            agents: agents.agents.iter().map(Row::from).collect(),
        }
    }
}

impl From<&AgentRow> for Row {
    fn from(row: &AgentRow) -> Self {
        Self {
            name: row.name.to_string(),
            agent_id: row.agent_id.to_string(),
            presence: presence(row.presence).to_owned(),
            last_seen: row.last_seen_ms.rfc3339().unwrap_or_default(),
            is_self: row.is_self,
        }
    }
}

const fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Live => "live",
        Presence::Online => "online",
        Presence::Idle => "idle",
        Presence::Offline => "offline",
    }
}
