//! Mail that waited outside any mailbox, for a name or to be allowed, and is somebody's from now on.

use ipc_protocol::id::AgentId;
use ipc_protocol::name::Name;
use rand::CryptoRng;
use rusqlite::{Connection, params};

use super::context::{Context, Effect};
use super::conversations;
use super::messages::Seq;

/// Mail that waited for `name` becomes mail of `agent`; says how much.
pub(crate) fn adopt(
    context: &mut Context<'_>,
    name: &Name,
    agent: AgentId,
) -> rusqlite::Result<usize> {
    let adopted = adopt_waiting(context.db, context.rng, name, agent)?;
    if adopted > 0 {
        context.effects.push(Effect::MailAvailable(agent));
    }
    Ok(adopted)
}

/// The same where nobody can be waiting for it: no daemon runs.
pub(crate) fn adopt_waiting(
    db: &Connection,
    rng: &mut impl CryptoRng,
    name: &Name,
    agent: AgentId,
) -> rusqlite::Result<usize> {
    give_conversation(db, rng, &name.folded(), agent, None)?;
    let sql = "UPDATE deliveries SET agent = ?2, unclaimed = NULL
               WHERE unclaimed = ?1 AND state = 'stored'";
    db.prepare_cached(sql)?
        .execute(params![name.folded(), agent.to_row()])
}

/// Makes mail that lies outside any mailbox, `under` a name or an id, part of a conversation: its
/// sender's with `agent`, who is about to have it. Only mail of `from` if given; what was said in a
/// group stays there.
pub(crate) fn give_conversation(
    db: &Connection,
    rng: &mut impl CryptoRng,
    under: &str,
    agent: AgentId,
    from: Option<AgentId>,
) -> rusqlite::Result<()> {
    let waiting: Vec<(Seq, AgentId)> = {
        let sql =
            "SELECT m.seq, m.sender FROM deliveries AS d JOIN messages AS m ON m.seq = d.message
                   WHERE d.unclaimed = ?1 AND d.state = 'stored' AND m.sender <> ?2
                   AND m.conversation IS NULL AND m.kind <> 'broadcast'
                   AND (?3 IS NULL OR m.sender = ?3)";
        let mut query = db.prepare_cached(sql)?;
        let rows = query.query_map(
            params![under, agent.to_row(), from.map(AgentId::to_row)],
            |row| Ok((Seq(row.get(0)?), AgentId::from_row(row.get(1)?))),
        )?;
        rows.collect::<Result<_, _>>()?
    };
    for (message, sender) in waiting {
        let id = conversations::direct(db, rng, sender, agent)?;
        let sql = "UPDATE messages SET conversation = ?2 WHERE seq = ?1";
        db.prepare_cached(sql)?.execute([message.0, id.to_row()])?;
    }
    Ok(())
}
