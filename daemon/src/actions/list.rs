//! `list`: who is there.

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::id::AgentId;
use ipc_protocol::limits::LIST_ROWS;
use ipc_protocol::name::Name;
use ipc_protocol::profile::Place;
use ipc_protocol::request::{AgentRow, Agents, List, Presence, Scope};

use crate::error::Done;
use crate::limits::{ONLINE_MS, RECENT_MS};
use crate::store::agents::{self, Agent};
use crate::store::context::View;
use crate::store::names;
use crate::store::profiles::{self, Profile};

/// Lists the agents for one of them or for an operator, the most present first, then by name.
pub(crate) fn list(request: &List, asker: Option<AgentId>, view: &View<'_>) -> Done<Agents> {
    let neighbourhood = neighbourhood(request.scope, asker, view)?;
    let mut rows = Vec::new();
    for agent in agents::all(view.db, LIST_ROWS)? {
        let Some(name) = names::current(view.db, agent.id)? else {
            continue;
        };
        let profile = profiles::find(view.db, agent.id)?;
        if !fits(&profile, request, neighbourhood) {
            continue;
        }
        rows.push(AgentRow {
            agent_id: agent.id,
            name,
            presence: presence(&agent, view)?,
            last_seen_ms: agent.seen(view),
            is_self: Some(agent.id) == asker,
            status: profile.status(),
            summary: profile.summary(),
            capabilities: profile.capabilities,
        });
    }
    rows.sort_by_key(|row| (row.presence, row.name.folded()));
    Ok(Agents { agents: rows })
}

/// The place that whoever is listed is to share; nothing where any will do.
fn neighbourhood(scope: Scope, asker: Option<AgentId>, view: &View<'_>) -> Done<Option<Place>> {
    let own = match (scope, asker) {
        (Scope::Machine, _) => return Ok(None),
        (Scope::Directory | Scope::Repo, None) => None,
        (Scope::Directory | Scope::Repo, Some(asker)) => profiles::find(view.db, asker)?.place,
    };
    let unknown = |what: &'static str| Refusal::new(ErrorCode::NotFound, what);
    let own = own.ok_or_else(|| {
        unknown("no directory is known of whoever asks")
            .hint("`ipc register NAME` in the directory, then ask as that agent")
    })?;
    if scope == Scope::Repo && own.repository.is_none() {
        return Err(unknown("the agent that asks works in no repository")
            .hint("`ipc list --scope directory`, or `ipc register NAME` in the repository")
            .into());
    }
    Ok(Some(own))
}

fn fits(profile: &Profile, request: &List, neighbourhood: Option<Place>) -> bool {
    let is_near = neighbourhood.is_none_or(|own| {
        profile.place.is_some_and(|place| match request.scope {
            Scope::Machine => true,
            Scope::Directory => place.directory == own.directory,
            Scope::Repo => place.repository == own.repository,
        })
    });
    let can = |wanted| profile.capabilities.as_slice().contains(wanted);
    is_near && request.capability.as_ref().is_none_or(can)
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
