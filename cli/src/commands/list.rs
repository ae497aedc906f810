//! `ipc list`: who is there.

use ipc_protocol::request::{AgentRow, Agents, List};
use ipc_protocol::time::Timestamp;

use crate::args::ListArguments;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Shows the agents that have a name, to whoever asks: an agent, or a person with the secret.
pub(crate) fn run(context: &mut Context, arguments: ListArguments) -> Result<ExitStatus, Failure> {
    let request = List {
        scope: arguments.scope.into(),
        capability: arguments.capability,
    };
    let agents = front::ask_as_anyone(context, &request)?;
    context.screen.result(&agents, || {
        people(&agents, clock::now(), context.screen.style)
    })?;
    Ok(ExitStatus::Done)
}

fn people(agents: &Agents, now: Timestamp, style: Style) -> String {
    let known = |agent: &AgentRow| {
        let you = if agent.is_self { " (you)" } else { "" };
        [
            format!("{}{you}", agent.name),
            agent.presence.as_str().to_owned(),
            times::relative(agent.last_seen_ms, now),
            agent.agent_id.to_string(),
        ]
    };
    let is_plain = |agent: &AgentRow| agent.capabilities.is_empty() && agent.says().is_empty();
    if agents.agents.iter().all(is_plain) {
        let mut table = Table::new(["name", "state", "last seen", "agent"]);
        for agent in &agents.agents {
            table.push(known(agent));
        }
        return table.render(style);
    }
    let mut table = Table::new(["name", "state", "last seen", "agent", "can", "says"]);
    for agent in &agents.agents {
        let [name, state, seen, id] = known(agent);
        let can = agent.capabilities.join(", ");
        table.push([name, state, seen, id, can, agent.says().join("; ")]);
    }
    table.render(style)
}
