//! Names: who has which, and which old ones still forward.

use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use ipc_protocol::time::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::context::View;
use crate::limits::ALIAS_MS;

/// Who has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody.
    Nobody,
    /// An agent, now.
    Agent(AgentId),
    /// An agent had it, and it still forwards there.
    Alias {
        /// The agent.
        agent: AgentId,
        /// Until when.
        until: Timestamp,
    },
}

/// Who has `name`. An alias whose time is over is nobody's.
pub(crate) fn holder(view: &View<'_>, name: &Name) -> rusqlite::Result<Holder> {
    let mut query = view
        .db
        .prepare_cached("SELECT agent, until_ms FROM names WHERE folded = ?1")?;
    let row = query.query_row([name.folded()], |row| {
        Ok((
            AgentId::from_row(row.get(0)?),
            row.get::<_, Option<i64>>(1)?,
        ))
    });
    Ok(match row.optional()? {
        None => Holder::Nobody,
        Some((agent, None)) => Holder::Agent(agent),
        Some((agent, Some(until))) => {
            let until = Timestamp::from_millis(until);
            if forwards(view.now.wall, until) {
                Holder::Alias { agent, until }
            } else {
                Holder::Nobody
            }
        }
    })
}

/// Whether an alias that ends at `until` forwards at `now`. A clock that was set back does not
/// make it forward longer than two hours.
pub(crate) fn forwards(now: Timestamp, until: Timestamp) -> bool {
    (1..=ALIAS_MS).contains(&until.millis_since(now))
}

/// What `agent` is called.
pub(crate) fn current(db: &Connection, agent: AgentId) -> rusqlite::Result<Option<Name>> {
    let sql = "SELECT shown FROM names WHERE agent = ?1 AND until_ms IS NULL";
    db.prepare_cached(sql)?
        .query_row([agent.to_row()], |row| read(row.get_ref(0)?))
        .optional()
}

/// The old names of `agent` that still forward.
pub(crate) fn aliases(view: &View<'_>, agent: AgentId) -> rusqlite::Result<Vec<Name>> {
    let sql = "SELECT shown, until_ms FROM names WHERE agent = ?1 AND until_ms IS NOT NULL
               ORDER BY folded";
    let mut query = view.db.prepare_cached(sql)?;
    let rows = query.query_map([agent.to_row()], |row| {
        Ok((read(row.get_ref(0)?)?, Timestamp::from_millis(row.get(1)?)))
    })?;
    let mut names = Vec::new();
    for row in rows {
        let (name, until) = row?;
        if forwards(view.now.wall, until) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Gives `name` to `agent`; whatever alias stood there is over.
pub(crate) fn give(db: &Connection, name: &Name, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "INSERT INTO names (folded, shown, agent) VALUES (?1, ?2, ?3)
               ON CONFLICT (folded) DO UPDATE
               SET shown = ?2, agent = ?3, until_ms = NULL";
    db.prepare_cached(sql)?
        .execute(params![name.folded(), name.as_str(), agent.to_row()])
        .map(|_| ())
}

/// Makes the current name of `agent` an alias until `until`.
pub(crate) fn turn_into_alias(
    db: &Connection,
    agent: AgentId,
    until: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "UPDATE names SET until_ms = ?2 WHERE agent = ?1 AND until_ms IS NULL";
    db.prepare_cached(sql)?
        .execute([agent.to_row(), until.as_millis()])
        .map(|_| ())
}

/// Takes every name and alias from `agent`.
pub(crate) fn take_all(db: &Connection, agent: AgentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM names WHERE agent = ?1";
    db.prepare_cached(sql)?
        .execute([agent.to_row()])
        .map(|_| ())
}

/// Drops the alias `name`.
pub(crate) fn drop_alias(db: &Connection, name: &Name) -> rusqlite::Result<()> {
    let sql = "DELETE FROM names WHERE folded = ?1 AND until_ms IS NOT NULL";
    db.prepare_cached(sql)?.execute([name.folded()]).map(|_| ())
}

/// The name in use that looks most like `name`, if one is so near that it may be a slip.
pub(crate) fn nearest(db: &Connection, name: &Name) -> rusqlite::Result<Option<Name>> {
    let sql = "SELECT shown FROM names WHERE until_ms IS NULL LIMIT 1000";
    let mut query = db.prepare_cached(sql)?;
    let rows = query.query_map([], |row| read(row.get_ref(0)?))?;
    let mut best = None;
    for row in rows {
        let candidate = row?;
        let distance = strsim::damerau_levenshtein(&candidate.folded(), &name.folded());
        let near = distance <= if name.as_str().len() > 4 { 2 } else { 1 };
        if near && best.as_ref().is_none_or(|(least, _)| distance < *least) {
            best = Some((distance, candidate));
        }
    }
    Ok(best.map(|(_, name)| name))
}

/// Reads a column that holds a name.
pub(crate) fn read(value: ValueRef<'_>) -> rusqlite::Result<Name> {
    let name = value.as_str().ok().and_then(|text| Name::parse(text).ok());
    name.ok_or_else(|| {
        let wrong = rusqlite::types::FromSqlError::InvalidType;
        rusqlite::Error::FromSqlConversionFailure(0, value.data_type(), Box::new(wrong))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_forwards_for_7200_seconds_and_never_longer() {
        let start = Timestamp::from_millis(1_000_000_000);
        let until = start.plus_millis(ALIAS_MS);
        for (after_s, expected) in [(0, true), (7_199, true), (7_200, false), (7_201, false)] {
            let now = start.plus_millis(after_s * 1_000);
            assert_eq!(forwards(now, until), expected, "after {after_s} s");
        }
        assert!(
            !forwards(start.plus_millis(-1_000), until),
            "the clock was set back"
        );
    }
}
