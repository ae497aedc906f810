//! What a store knows of the time before this start: whether a daemon that keeps an audit log must
//! have served it. The log itself cannot say so once it is gone.

use ipc_protocol::paths::DataDir;
use rusqlite::Connection;

use super::{hardening, migrations, verifiers};
use crate::audit::event::Holds;

/// The first version of the schema whose daemons keep an audit log.
const WITH_LOG: i32 = 4;

/// Who served a store before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Past {
    /// Nobody, or a start that was cut short before anybody came.
    Unused,
    /// Only daemons without an audit log.
    WithoutLog,
    /// A daemon with one.
    WithLog,
}

impl Past {
    /// What `db` tells, which was at `version` when it was opened. A deployment has its id from a
    /// daemon's first start, and agents since it serves: a crash before that leaves no log to be missed.
    pub(super) fn of(db: &Connection, version: i32) -> rusqlite::Result<Self> {
        let sql = "SELECT EXISTS (SELECT 1 FROM agents)";
        let has_served = verifiers::deployment(db)?.is_some()
            && db.query_row(sql, [], |row| row.get::<_, bool>(0))?;
        Ok(match has_served {
            false => Self::Unused,
            true if version < WITH_LOG => Self::WithoutLog,
            true => Self::WithLog,
        })
    }

    /// The same of a store that is not being opened to be served. What cannot be read is no excuse.
    pub(crate) fn of_closed(data_dir: &DataDir) -> Self {
        let db = hardening::open_reader(&data_dir.database());
        let past = db.and_then(|db| Self::of(&db, migrations::version(&db)?));
        past.unwrap_or(Self::WithLog)
    }
}

/// How much `db` holds.
pub(crate) fn holds(db: &Connection) -> rusqlite::Result<Holds> {
    let number = |sql: &str| {
        let number = db.query_row(sql, [], |row| row.get::<_, i64>(0))?;
        Ok::<_, rusqlite::Error>(u64::try_from(number).unwrap_or(0))
    };
    Ok(Holds {
        messages: number("SELECT count(*) FROM messages")?,
        agents: number("SELECT count(*) FROM agents WHERE ended_ms IS NULL")?,
    })
}

/// The same of a store that is not being opened to be served; `None` of one that cannot be read.
pub(crate) fn holds_closed(data_dir: &DataDir) -> Option<Holds> {
    let db = hardening::open_reader(&data_dir.database());
    db.and_then(|db| holds(&db)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_tells_whether_a_daemon_with_a_log_has_served_it() {
        let mut db = Connection::open_in_memory().unwrap();
        migrations::run(&mut db).unwrap();
        let past = |db: &Connection, version| Past::of(db, version).unwrap();
        assert_eq!(past(&db, WITH_LOG), Past::Unused);
        let sql = "INSERT INTO deployment (one, id, created_ms) VALUES (1, zeroblob(16), 0)";
        db.execute(sql, []).unwrap();
        assert_eq!(past(&db, WITH_LOG), Past::Unused, "cut short");
        let sql = "INSERT INTO agents (incarnation, automatic, registered_ms, last_seen_ms)
                   VALUES (1, 0, 0, 0)";
        db.execute(sql, []).unwrap();
        assert_eq!(past(&db, WITH_LOG), Past::WithLog);
        assert_eq!(past(&db, WITH_LOG - 1), Past::WithoutLog);
        db.execute("DELETE FROM deployment", []).unwrap();
        assert_eq!(past(&db, WITH_LOG), Past::Unused, "imported");
    }
}
