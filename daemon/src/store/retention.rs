//! What is forgotten with time, a little at a go, so that the writer is never held for long.

use std::collections::BTreeSet;

use ipc_protocol::id::ConversationId;
use ipc_protocol::time::Timestamp;
use rusqlite::params;

use super::context::Context;
use super::{agents, conversations, credentials, deliveries, pings};
use crate::audit::event::{AgentEnd, SessionEnd};
use crate::error::Done;
use crate::limits::{ALIAS_MS, DAY_MS, SEARCHED_BYTES, SESSION_IDLE_MS};

/// Rows that one go looks at.
const GO: u32 = 200;

/// Searched text that one go deletes, in bytes, and a message more: measured at most half a second.
const GO_BYTES: i64 = 131_072;

/// Forgets a little of what is old; says whether there may be more.
pub(crate) fn sweep(context: &mut Context<'_>) -> Done<bool> {
    let days = |days: u32| days_before(context.now.wall, days);
    let unclaimed = days(context.limits.unclaimed_days);
    let read = days(context.limits.read_days);
    let expired = deliveries::expire_unclaimed(context, unclaimed, GO)?;
    let pings = pings::drop_old(context, GO)?;
    let forgotten = forget_agents(context)?;
    // After what ends mail, so that nothing old is left when a sweep is over.
    let more_to_delete = delete_messages(context, read)?;
    delete_names(context)?;
    delete_sessions(context)?;
    give_pages_back(context)?;
    let full = u64::from(GO);
    let pings = u64::try_from(pings).unwrap_or(u64::MAX);
    let is_full = [expired, pings, forgotten].iter().any(|done| *done >= full);
    Ok(is_full || more_to_delete)
}

/// Shortens the file by up to 64 pages; SQLite gives one back with each step.
fn give_pages_back(context: &Context<'_>) -> rusqlite::Result<()> {
    let mut vacuum = context.db.prepare_cached("PRAGMA incremental_vacuum(64)")?;
    let mut steps = vacuum.query([])?;
    while steps.next()?.is_some() {}
    Ok(())
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    now.plus_millis(i64::from(days).saturating_mul(DAY_MS).saturating_neg())
}

/// Deletes messages that are old, wait for nobody, and were read as long ago, and conversations
/// that are over with them; says whether there may be more. A text costs by its words, each of
/// which is overwritten in the index.
fn delete_messages(context: &Context<'_>, before: Timestamp) -> Done<bool> {
    let sql = "SELECT seq, bytes, conversation FROM messages AS m WHERE sent_ms < ?1 AND NOT EXISTS
                   (SELECT 1 FROM deliveries WHERE message = m.seq
                    AND (state IN ('stored', 'offered') OR delivered_ms >= ?1))
                   ORDER BY sent_ms LIMIT ?2";
    let mut query = context.db.prepare_cached(sql)?;
    let rows = query.query_map(params![before.as_millis(), GO], |row| {
        let conversation: Option<i64> = row.get(2)?;
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, conversation))
    })?;
    let old = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut delete = context
        .db
        .prepare_cached("DELETE FROM messages WHERE seq = ?1")?;
    let mut room = GO_BYTES;
    let mut conversations = BTreeSet::new();
    let mut is_cut = false;
    for (seq, bytes, conversation) in &old {
        if room <= 0 {
            is_cut = true;
            break;
        }
        room = room.saturating_sub((*bytes).min(SEARCHED_BYTES));
        delete.execute([seq])?;
        conversations.extend(conversation);
    }
    for id in conversations {
        conversations::forget_if_over(context.db, ConversationId::from_row(id))?;
    }
    Ok(is_cut || old.len() >= usize::try_from(GO).unwrap_or(usize::MAX))
}

/// Frees the names of agents that have been away too long, and of agents that a program named and
/// that left nothing behind after a day.
fn forget_agents(context: &mut Context<'_>) -> Done<u64> {
    let mut forgotten = 0_u64;
    let day_ago = days_before(context.now.wall, 1);
    for agent in agents::unseen_since(context.db, day_ago, 10_000)? {
        let brief = agent.automatic
            && agent.seen(context) < day_ago
            && deliveries::waiting(context, agent.id)?.0 == 0
            && !agent.is_live(context)?;
        if brief || agent.is_forgotten(context)? {
            agents::end(context, agent.id, AgentEnd::Forgotten)?;
            forgotten = forgotten.saturating_add(1);
            if forgotten >= u64::from(GO) {
                break;
            }
        }
    }
    Ok(forgotten)
}

fn delete_names(context: &Context<'_>) -> rusqlite::Result<()> {
    let sql = "DELETE FROM names WHERE until_ms IS NOT NULL AND until_ms NOT BETWEEN ?1 AND ?2";
    let now = context.now.wall.as_millis();
    context
        .db
        .prepare_cached(sql)?
        .execute([now, now.saturating_add(ALIAS_MS)])?;
    // An ended agent is kept for as long as a message of its own is.
    let sql = "DELETE FROM agents WHERE ended_ms IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM messages WHERE sender = agent)
               AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.agent = agents.agent)
               AND NOT EXISTS (SELECT 1 FROM idempotency WHERE idempotency.agent = agents.agent)";
    context.db.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn delete_sessions(context: &mut Context<'_>) -> rusqlite::Result<()> {
    // Uses are written down within ten minutes, so a session unused for a day is unused indeed.
    let now = context.now.wall;
    let unused = now.plus_millis(SESSION_IDLE_MS.saturating_mul(2).saturating_neg());
    // A connection may still be open under one that was renewed: it hears of the end.
    for sid in credentials::sessions_over(context.db, now, unused)? {
        credentials::void(context, sid, SessionEnd::Expired)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ipc_protocol::error::ErrorCode;
    use ipc_protocol::message::SystemEvent;

    use ipc_protocol::request::Unregister;

    use crate::actions::harness::Desk;
    use crate::actions::leave;

    const DAY: i64 = 86_400;

    #[test]
    fn mail_that_nobody_claims_expires_after_seven_days_and_its_sender_is_told() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let id = desk.send(&alice, "nobody", "anybody?").unwrap().message_id;
        desk.pass(7 * DAY);
        // Alice is here every day; only her mail waits.
        assert!(desk.fetch(&alice).is_empty());
        desk.sweep();
        assert!(desk.fetch(&alice).is_empty(), "seven days are not over");
        desk.pass(1);
        desk.sweep();
        let notice = desk.fetch(&alice).remove(0);
        let to = "nobody".parse().unwrap();
        assert_eq!(
            notice.event,
            Some(SystemEvent::Expired { message_id: id, to })
        );
        let heir = desk.register("nobody", false).unwrap();
        assert!(desk.fetch(&heir).is_empty());
    }

    #[test]
    fn delivered_mail_goes_after_thirty_days_and_waiting_mail_stays() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let bob = desk.register("bob", false).unwrap();
        let read = desk.send(&alice, "bob", "read").unwrap().message_id;
        desk.fetch(&bob);
        desk.ack(&bob, vec![read]);
        desk.send(&alice, "bob", "not read yet").unwrap();
        for _ in 0..6 {
            desk.pass(5 * DAY);
            desk.sweep();
            desk.ack(&alice, Vec::new());
            desk.ack(&bob, Vec::new());
        }
        assert_eq!(desk.number("SELECT count(*) FROM messages"), 2);
        desk.pass(1);
        desk.sweep();
        assert_eq!(desk.number("SELECT count(*) FROM messages"), 1);
        assert_eq!(desk.number("SELECT count(*) FROM bodies"), 1);
        assert_eq!(desk.fetch(&bob)[0].text, "not read yet");
    }

    #[test]
    fn a_sweep_that_refuses_old_mail_deletes_it_too() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "alice", "to myself").unwrap();
        desk.pass(30 * DAY + 1);
        desk.sweep();
        let people = "SELECT count(*) FROM messages WHERE kind <> 'system'";
        assert_eq!(desk.number(people), 0, "refused, and thirty days old");
    }

    #[test]
    fn who_is_away_for_seven_days_loses_its_name_and_its_mail_is_refused() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.register("bob", false).unwrap();
        desk.send(&alice, "bob", "are you there?").unwrap();
        desk.pass(7 * DAY);
        desk.ack(&alice, Vec::new());
        desk.sweep();
        assert_eq!(
            desk.register("bob", false).err(),
            Some(ErrorCode::NameReserved)
        );
        desk.pass(1);
        desk.sweep();
        let notice = desk.fetch(&alice).remove(0);
        assert!(matches!(notice.event, Some(SystemEvent::Refused { .. })));
        assert!(desk.register("bob", false).is_ok());
    }

    #[test]
    fn names_that_a_program_chose_go_after_a_day_unless_mail_waits() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.register("empty", true).unwrap();
        desk.register("waiting", true).unwrap();
        desk.send(&alice, "waiting", "for you").unwrap();
        desk.pass(DAY + 1);
        desk.sweep();
        assert!(desk.register("empty", true).is_ok());
        assert_eq!(
            desk.register("waiting", true).err(),
            Some(ErrorCode::NameReserved)
        );
    }

    #[test]
    fn an_ended_agent_is_kept_for_as_long_as_a_message_names_it() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        let bob = desk.register("bob", false).unwrap();
        desk.send(&alice, "bob", "remember me").unwrap();
        desk.pass(5 * DAY);
        desk.ack(&bob, Vec::new());
        desk.pass(3 * DAY);
        desk.sweep();
        assert_eq!(
            desk.number("SELECT count(*) FROM agents"),
            2,
            "alice has ended"
        );
        let mail = desk.fetch(&bob);
        assert_eq!(mail[0].from.as_ref().unwrap().name.as_str(), "alice");
        desk.ack(&bob, mail.iter().map(|m| m.id).collect());
        desk.pass(30 * DAY + 1);
        desk.ack(&bob, Vec::new());
        desk.sweep();
        assert_eq!(desk.number("SELECT count(*) FROM agents"), 1);
    }

    #[test]
    fn a_word_of_a_message_that_was_deleted_is_nowhere_in_the_index() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "alice", "aardvark zanzibar").unwrap();
        let mail = desk.fetch(&alice);
        desk.ack(&alice, vec![mail[0].id]);
        desk.index();
        let pages = "SELECT count(*) FROM words_data
                     WHERE instr(block, CAST('zanzibar' AS BLOB)) > 0";
        assert!(desk.number(pages) > 0, "it is stored as it is");
        desk.pass(31 * DAY);
        desk.ack(&alice, Vec::new());
        desk.send(&alice, "alice", "aardvark").unwrap();
        desk.sweep();
        desk.index();
        assert_eq!(desk.number(pages), 0);
        let left = "SELECT count(*) FROM words WHERE words MATCH 'aardvark'";
        assert_eq!(desk.number(left), 1);
    }

    #[test]
    fn what_is_deleted_before_it_was_indexed_never_gets_there() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "alice", "aardvark").unwrap();
        let mail = desk.fetch(&alice);
        desk.ack(&alice, vec![mail[0].id]);
        desk.pass(31 * DAY);
        desk.ack(&alice, Vec::new());
        desk.send(&alice, "alice", "zanzibar").unwrap();
        desk.sweep();
        desk.index();
        desk.check_index();
        let left = "SELECT count(*) FROM words WHERE words MATCH 'aardvark OR zanzibar'";
        assert_eq!(desk.number(left), 1);
    }

    #[test]
    fn however_long_they_are_all_old_messages_go() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        for _ in 0..10 {
            desk.send(&alice, "alice", &"some words ".repeat(10_000))
                .unwrap();
        }
        let mail = desk.fetch(&alice);
        desk.ack(&alice, mail.iter().map(|m| m.id).collect());
        desk.pass(31 * DAY);
        desk.ack(&alice, Vec::new());
        assert!(desk.act(super::sweep).unwrap(), "there is more to do");
        assert!(desk.number("SELECT count(*) FROM messages") > 0);
        desk.sweep();
        assert_eq!(desk.number("SELECT count(*) FROM messages"), 0);
    }

    #[test]
    fn a_note_to_oneself_ends_with_its_agent_and_leaves_nothing() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        desk.send(&alice, "alice", "a note").unwrap();
        let end = desk.act_as(&alice, |c| leave::unregister(&Unregister {}, &alice, c));
        end.unwrap();
        let waiting = "SELECT count(*) FROM deliveries WHERE state IN ('stored', 'offered')";
        assert_eq!(desk.number(waiting), 0, "nobody is told who is gone");
    }

    #[test]
    fn the_file_is_shortened_by_what_was_forgotten() {
        let mut desk = Desk::new();
        let alice = desk.register("alice", false).unwrap();
        for _ in 0..10 {
            desk.send(&alice, "alice", &"x".repeat(100_000)).unwrap();
        }
        let mail = desk.fetch(&alice);
        desk.ack(&alice, mail.iter().map(|m| m.id).collect());
        let full = desk.number("PRAGMA page_count");
        desk.pass(31 * DAY);
        desk.ack(&alice, Vec::new());
        for _ in 0..8 {
            desk.sweep();
        }
        let left = desk.number("PRAGMA page_count");
        assert!(left < full / 2, "{full} pages became {left}");
    }

    #[test]
    fn the_oldest_are_forgotten_however_many_came_after_them() {
        let mut desk = Desk::new();
        desk.register("oldest", false).unwrap();
        desk.pass(8 * DAY);
        let now = desk.now.wall.as_millis();
        let crowd = "WITH RECURSIVE n (i) AS
                     (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                     INSERT INTO agents (agent, incarnation, automatic, registered_ms,
                     last_seen_ms) SELECT i, 1, 0, ?1, ?1 FROM n";
        desk.db.execute(crowd, [now]).unwrap();
        let names = "INSERT INTO names (folded, shown, agent)
                     SELECT 'crowd' || agent, 'crowd' || agent, agent FROM agents
                     WHERE agent BETWEEN 1 AND 10000";
        assert_eq!(desk.db.execute(names, []).unwrap(), 10_000);
        desk.sweep();
        assert_eq!(
            desk.number("SELECT count(*) FROM names WHERE folded = 'oldest'"),
            0
        );
    }
}
