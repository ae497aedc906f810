//! `status`: what the store says of itself; the daemon adds the rest.

use ipc_protocol::id::AgentId;
use ipc_protocol::request::Freezes;

use crate::error::Done;
use crate::store::context::View;
use crate::store::{SCHEMA_VERSION, agents, count, freezes};

/// The part of a status report that comes from the store.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoreStatus {
    pub(crate) schema: u32,
    pub(crate) agents: u64,
    pub(crate) live: u64,
    pub(crate) messages: u64,
    pub(crate) waiting: u64,
    pub(crate) database_bytes: u64,
    pub(crate) frozen: Freezes,
}

/// Looks at the store, for `asker` if it is an agent.
pub(crate) fn status(asker: Option<AgentId>, view: &View<'_>) -> Done<StoreStatus> {
    let number = |sql: &str| {
        view.db
            .prepare_cached(sql)?
            .query_row([], |row| row.get::<_, i64>(0))
    };
    let mut live = 0_u64;
    for agent in agents::all(view.db, 10_000)? {
        live = live.saturating_add(u64::from(agent.is_live(view)?));
    }
    let pages = number("PRAGMA page_count")?;
    let page_bytes = number("PRAGMA page_size")?;
    Ok(StoreStatus {
        schema: u32::try_from(SCHEMA_VERSION).unwrap_or(0),
        agents: count(agents::number(view.db)?)?,
        live,
        messages: count(number("SELECT count(*) FROM messages")?)?,
        waiting: count(number(
            "SELECT count(*) FROM deliveries WHERE state IN ('stored', 'offered') AND NOT ping",
        )?)?,
        database_bytes: count(pages.saturating_mul(page_bytes))?,
        frozen: freezes::overview(view.db, asker)?,
    })
}
