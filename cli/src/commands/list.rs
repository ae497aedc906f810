//! `ipc list`: who is there.

use ipc_protocol::request::{Agents, List};
use ipc_protocol::time::Timestamp;

use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front;
use crate::output::style::Style;
use crate::output::table::Table;
use crate::output::times;

/// Shows the agents that have a name, to whoever asks: an agent, or a person with the secret.
pub(crate) fn run(context: &mut Context) -> Result<ExitStatus, Failure> {
    let agents = front::ask_as_anyone(context, &List {})?;
    context.screen.result(&agents, || {
        people(&agents, clock::now(), context.screen.style)
    })?;
    Ok(ExitStatus::Done)
}

fn people(agents: &Agents, now: Timestamp, style: Style) -> String {
    let mut table = Table::new(["name", "state", "last seen", "agent"]);
    for agent in &agents.agents {
        let you = if agent.is_self { " (you)" } else { "" };
        table.push([
            format!("{}{you}", agent.name),
            agent.presence.as_str().to_owned(),
            times::relative(agent.last_seen_ms, now),
            agent.agent_id.to_string(),
        ]);
    }
    table.render(style)
}
