//! `list`: who is there.

use ipc_protocol::id::AgentId;
use ipc_protocol::limits::LIST_ROWS;
use ipc_protocol::name::Name;
use ipc_protocol::request::{AgentRow, Agents, List, Presence};

use crate::error::Done;
use crate::limits::{ONLINE_MS, RECENT_MS};
use crate::store::agents::{self, Agent};
use crate::store::context::View;
use crate::store::names;

/// Lists the agents for one of them or for an operator, the most present first, then by name.
pub(crate) fn list(_: &List, asker: Option<AgentId>, view: &View<'_>) -> Done<Agents> {
    let mut rows = Vec::new();
    for agent in agents::all(view.db, LIST_ROWS)? {
        let Some(name) = names::current(view.db, agent.id)? else {
            continue;
        };
        rows.push(AgentRow {
            agent_id: agent.id,
            name,
            presence: presence(&agent, view)?,
            last_seen_ms: agent.seen(view),
            is_self: Some(agent.id) == asker,
        });
    }
    rows.sort_by_key(|row| (row.presence, row.name.folded()));
    Ok(Agents { agents: rows })
}

/// How present an agent is.
pub(crate) fn presence(agent: &Agent, view: &View<'_>) -> Done<Presence> {
    let unseen_ms = view.now.wall.millis_since(agent.seen(view));
    Ok(if agent.is_live(view)? {
        Presence::Live
    } else if agent.stepped_out(view) {
        Presence::Offline
    } else if unseen_ms < ONLINE_MS {
        Presence::Online
    } else if unseen_ms < RECENT_MS {
        Presence::Idle
    } else {
        Presence::Offline
    })
}

/// The agents seen in the last 24 hours or live now, `but` not counted.
pub(crate) fn recent(view: &View<'_>, but: Option<AgentId>) -> Done<Vec<(AgentId, Name)>> {
    let mut found = Vec::new();
    for agent in agents::all(view.db, 10_000)? {
        if Some(agent.id) == but {
            continue;
        }
        let unseen_ms = view.now.wall.millis_since(agent.seen(view));
        if unseen_ms < RECENT_MS || agent.is_live(view)? {
            found.extend(names::current(view.db, agent.id)?.map(|name| (agent.id, name)));
        }
    }
    Ok(found)
}

/// The names of other agents that are live or online, at most `most`, in alphabetical order.
pub(crate) fn online_names(view: &View<'_>, but: AgentId, most: usize) -> Done<Vec<Name>> {
    let mut found = Vec::new();
    for agent in agents::all(view.db, LIST_ROWS)? {
        if agent.id != but && presence(&agent, view)? <= Presence::Online {
            found.extend(names::current(view.db, agent.id)?);
        }
    }
    found.sort_by_key(Name::folded);
    found.truncate(most);
    Ok(found)
}
