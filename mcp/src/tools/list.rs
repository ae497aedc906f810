//! `ipc_list`: who is there.
//!
//! Names, ids and capabilities were parsed and stand anywhere. What agents say of themselves is
//! text of peers: it stands in a fence, in the tool's result alone.

use std::sync::Arc;

use ipc_protocol::request::{AgentRow, Agents, List as Request, Presence, Scope};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Effect, Tool};
use crate::answer::Answer;
use crate::desk::Desk;
use crate::failure::Failure;
use crate::limits::PAGE_BYTES;
use crate::render::{self, Fence};

/// The tool.
pub(super) struct List;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// Which agents: all on this `machine` (without it), those that work in your `directory`, or
    /// those in your `repo`, in any of its worktrees.
    #[serde(default)]
    scope: Where,
    /// Only agents that can do this, one word, for example `rust`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 32), regex(pattern = "^[a-z0-9][a-z0-9._-]*$"))]
    capability: Option<String>,
}

/// Which agents, by where they work.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Where {
    /// Anywhere on this machine.
    #[default]
    Machine,
    /// In your directory.
    Directory,
    /// In your repository.
    Repo,
}

impl From<Where> for Scope {
    fn from(place: Where) -> Self {
        match place {
            Where::Machine => Self::Machine,
            Where::Directory => Self::Directory,
            Where::Repo => Self::Repo,
        }
    }
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Output {
    /// The agents, the most present first; at most 500.
    agents: Vec<Row>,
    /// Says what `says` is, where any agent says something.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
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
    /// What it can do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    capabilities: Vec<String>,
    /// Its status and what it works on, in its own words, between the two lines of the fence.
    #[serde(skip_serializing_if = "Option::is_none")]
    says: Option<String>,
}

impl Tool for List {
    const NAME: &'static str = "ipc_list";
    const TITLE: &'static str = "List agents";
    const DESCRIPTION: &'static str = "List the agents on this machine and how present each is, \
        for \"who's online?\", \"list instances\", \"which AIs are active?\". Says what \
        each can do and works on; scope and capability narrow it down to your directory or \
        repository, or to those who can do something.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;
    type Output = Output;

    async fn run(
        arguments: Arguments,
        _call: &Call,
        desk: &Arc<Desk>,
    ) -> Result<Answer<Output>, Failure> {
        let capability = arguments.capability.as_deref().map(str::parse).transpose();
        let capability = capability.map_err(|error| Failure::malformed(format!("{error}")))?;
        let request = Request {
            scope: arguments.scope.into(),
            capability,
        };
        let agents = desk.call(request).await?;
        let output = Output::with_words(&agents, &Fence::new(desk.random()));
        let about = output.about.iter().cloned();
        let lines: Vec<_> = about.chain(output.agents.iter().map(line)).collect();
        let text = if output.agents.is_empty() {
            "no such agent".to_owned()
        } else {
            lines.join("\n")
        };
        Ok(Answer::new(text, output))
    }
}

fn line(row: &Row) -> String {
    let you = if row.is_self { " (you)" } else { "" };
    let mut line = format!(
        "{}{you}: {}, last seen {}",
        row.name, row.presence, row.last_seen
    );
    if !row.capabilities.is_empty() {
        line.push_str(", can: ");
        line.push_str(&row.capabilities.join(", "));
    }
    if let Some(says) = &row.says {
        line.push_str(", says:\n");
        line.push_str(says);
    }
    line
}

impl Output {
    /// The agents, and what they say of themselves as far as it fits.
    fn with_words(agents: &Agents, fence: &Fence) -> Self {
        let mut output = Self::from(agents);
        let mut room = PAGE_BYTES;
        for (row, agent) in output.agents.iter_mut().zip(&agents.agents) {
            let said = agent.says();
            if said.is_empty() || room == 0 {
                continue;
            }
            let quoted = render::quoted(&said.join("\n"), room, fence);
            room = room.saturating_sub(quoted.len());
            row.says = Some(quoted);
            output.about = Some(render::ABOUT_PROFILES.to_owned());
        }
        output
    }
}

impl From<&Agents> for Output {
    fn from(agents: &Agents) -> Self {
        Self {
            agents: agents.agents.iter().map(Row::from).collect(),
            about: None,
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
            capabilities: row
                .capabilities
                .as_slice()
                .iter()
                .map(ToString::to_string)
                .collect(),
            says: None,
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
