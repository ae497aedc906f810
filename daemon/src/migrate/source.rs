//! Reading the copy: tables by their columns, rows one by one, whatever is in them.
//!
//! Only tables are read, and only by the names that stand here. A view or a virtual table in the
//! place of one, or a column that is computed, is refused before a row is looked at.

use std::path::{Path, PathBuf};

use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row};

use super::error::MigrateError;
use super::original::Copy;
use crate::store::hardening::harden;

/// Longest value that is read, in bytes: the server took in 4,096 at a time.
const LONGEST_VALUE: i32 = 16 * 1_024 * 1_024;

/// Longest name that is read, in bytes: the server allowed 32 characters and a newline.
const LONGEST_NAME: usize = 256;

/// Most names that are read: each costs memory while rows are read.
pub(super) const MOST_NAMES: usize = 100_000;

const MESSAGE_COLUMNS: [&str; 8] = [
    "from_id",
    "to_id",
    "content",
    "timestamp",
    "data",
    "summary",
    "large_file_path",
    "read_flag",
];

/// Columns that the earliest version had already.
const NEEDED: [&str; 4] = ["from_id", "to_id", "content", "timestamp"];

/// The Python server's database, or rather a copy of it.
#[derive(Debug)]
pub(super) struct Source {
    db: Connection,
    path: PathBuf,
    original: PathBuf,
    message: String,
}

/// A message as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OldMessage {
    pub(super) row: i64,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) content: String,
    pub(super) time: String,
    pub(super) data: Option<String>,
    pub(super) summary: Option<String>,
    pub(super) file: Option<String>,
    pub(super) read: bool,
}

/// What a row came to.
#[derive(Debug)]
pub(super) enum Read {
    /// A message.
    Message(OldMessage),
    /// Something else, and what.
    Unreadable(&'static str),
}

impl Source {
    /// Opens the copy of `original`, if its tables are those of the Python server.
    pub(super) fn open(copy: &Copy, original: &Path) -> Result<Self, MigrateError> {
        Self::at(copy.path(), original)
    }

    pub(super) fn at(path: &Path, original: &Path) -> Result<Self, MigrateError> {
        let failed = |error| MigrateError::sqlite(path, error);
        let db = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        let not_theirs = |why| MigrateError::NotPredecessors {
            path: original.to_owned(),
            why,
        };
        let columns = columns(&db, "messages").map_err(failed)?;
        let columns = columns.ok_or_else(|| not_theirs("it has no table of messages"))?;
        if NEEDED.iter().any(|needed| !columns.has(needed)) {
            return Err(not_theirs("its messages have other columns"));
        }
        if !columns.are_stored {
            return Err(not_theirs("its messages have computed columns"));
        }
        let wanted: Vec<&str> = MESSAGE_COLUMNS
            .iter()
            .map(|name| if columns.has(name) { *name } else { "NULL" })
            .collect();
        let message = format!(
            "SELECT {} FROM messages WHERE rowid = ?1",
            wanted.join(", ")
        );
        Ok(Self {
            db,
            path: path.to_owned(),
            original: original.to_owned(),
            message,
        })
    }

    /// How many messages there are.
    pub(super) fn number(&self) -> Result<u64, MigrateError> {
        let sql = "SELECT count(*) FROM messages";
        let number: i64 = self.failing(self.db.query_row(sql, [], |row| row.get(0)))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// Hands every message to `take`, in the order in which they were stored.
    pub(super) fn messages(
        &self,
        mut take: impl FnMut(i64, Read) -> Result<(), MigrateError>,
    ) -> Result<(), MigrateError> {
        let next = "SELECT min(rowid) FROM messages WHERE rowid > ?1";
        let mut next = self.failing(self.db.prepare(next))?;
        let mut one = self.failing(self.db.prepare(&self.message))?;
        let mut last = i64::MIN;
        loop {
            let row: Option<i64> = self.failing(next.query_row([last], |row| row.get(0)))?;
            let Some(row) = row else { return Ok(()) };
            let read = match one.query_row([row], |values| Ok(message(row, values))) {
                Ok(read) => read,
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::TooBig) => {
                    Read::Unreadable("larger than 16 MiB")
                }
                Err(error) => return Err(MigrateError::sqlite(&self.path, error)),
            };
            take(row, read)?;
            last = row;
        }
    }

    /// Who sent messages, each once.
    pub(super) fn senders(&self) -> Result<Vec<String>, MigrateError> {
        let sql = format!(
            "SELECT DISTINCT from_id FROM messages WHERE octet_length(from_id) <= {LONGEST_NAME}"
        );
        let mut names = Vec::new();
        self.each(&sql, |row| {
            names.extend(text(row, 0));
            names.len()
        })?;
        Ok(names)
    }

    /// Who was registered, and when each was last seen; the last first.
    pub(super) fn instances(&self) -> Result<Vec<(String, Option<String>)>, MigrateError> {
        if !self.has("instances", &["instance_id", "last_seen"])? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT instance_id, last_seen FROM instances
             WHERE octet_length(instance_id) <= {LONGEST_NAME}
             AND octet_length(last_seen) <= {LONGEST_NAME} ORDER BY last_seen DESC"
        );
        let mut found = Vec::new();
        self.each(&sql, |row| {
            found.extend(text(row, 0).map(|name| (name, text(row, 1))));
            found.len()
        })?;
        Ok(found)
    }

    /// Renames: the old name, the new one, and when.
    pub(super) fn renames(&self) -> Result<Vec<(String, String, String)>, MigrateError> {
        if !self.has("name_history", &["old_name", "new_name", "changed_at"])? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT old_name, new_name, changed_at FROM name_history
             WHERE octet_length(old_name) <= {LONGEST_NAME}
             AND octet_length(new_name) <= {LONGEST_NAME}
             AND octet_length(changed_at) <= {LONGEST_NAME}"
        );
        let mut found = Vec::new();
        self.each(&sql, |row| {
            if let (Some(old), Some(new), Some(at)) = (text(row, 0), text(row, 1), text(row, 2)) {
                found.push((old, new, at));
            }
            found.len()
        })?;
        Ok(found)
    }

    /// How many sessions there were. They are not taken over.
    pub(super) fn sessions(&self) -> Result<u64, MigrateError> {
        if !self.has("sessions", &["session_token_hash"])? {
            return Ok(0);
        }
        let sql = "SELECT count(*) FROM sessions";
        let number: i64 = self.failing(self.db.query_row(sql, [], |row| row.get(0)))?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    fn has(&self, table: &str, wanted: &[&str]) -> Result<bool, MigrateError> {
        let columns = self.failing(columns(&self.db, table))?;
        Ok(columns.is_some_and(|columns| {
            columns.are_stored && wanted.iter().all(|name| columns.has(name))
        }))
    }

    fn each(&self, sql: &str, mut take: impl FnMut(&Row<'_>) -> usize) -> Result<(), MigrateError> {
        let mut query = self.failing(self.db.prepare(sql))?;
        let mut rows = self.failing(query.query([]))?;
        while let Some(row) = self.failing(rows.next())? {
            if take(row) > MOST_NAMES {
                return Err(MigrateError::TooMany {
                    path: self.original.clone(),
                    what: "names",
                    most: MOST_NAMES,
                });
            }
        }
        Ok(())
    }

    fn failing<T>(&self, done: rusqlite::Result<T>) -> Result<T, MigrateError> {
        done.map_err(|error| MigrateError::sqlite(&self.path, error))
    }
}

/// Opens a database that somebody else may have made, before anything in it is looked at: no
/// constraint of it is computed, and no value grows beyond what is read.
pub(super) fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let db = Connection::open_with_flags(path, flags)?;
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    harden(&db)?;
    db.pragma_update(None, "ignore_check_constraints", true)?;
    Ok(db)
}

/// What of its schema would be computed when rows are looked at, other than constraints; nothing in
/// a file of the Python server. Views and triggers are left alone, and never run.
pub(super) fn computes(db: &Connection) -> rusqlite::Result<Option<&'static str>> {
    // By the text, as SQLite writes it: what else a row says may be forged. Of what is none of these
    // nothing is asked, nor of a view: the answer alone would take it in.
    let other = "SELECT EXISTS (SELECT 1 FROM sqlite_schema
        WHERE typeof(name) <> 'text' OR sql IS NOT NULL AND (typeof(sql) <> 'text' OR NOT (
            sql LIKE 'CREATE TABLE %' OR sql LIKE 'CREATE INDEX %'
            OR sql LIKE 'CREATE UNIQUE INDEX %' OR sql LIKE 'CREATE VIEW %'
            OR sql LIKE 'CREATE TRIGGER %')))";
    let column = "SELECT EXISTS (SELECT 1 FROM sqlite_schema AS s, pragma_table_xinfo(s.name) AS c
        WHERE s.sql LIKE 'CREATE TABLE %' AND c.hidden <> 0)";
    let index = "SELECT EXISTS (SELECT 1 FROM sqlite_schema AS s, pragma_index_xinfo(s.name) AS c
        WHERE (s.sql LIKE 'CREATE INDEX %' OR s.sql LIKE 'CREATE UNIQUE INDEX %') AND c.cid = -2)";
    let partial = "SELECT EXISTS (SELECT 1 FROM sqlite_schema AS s, pragma_index_list(s.name) AS i
        WHERE s.sql LIKE 'CREATE TABLE %' AND i.partial <> 0)";
    for (sql, what) in [
        (other, "it has virtual tables"),
        (column, "it has computed columns"),
        (index, "it has an index on something computed"),
        (partial, "it has an index on a part that is computed"),
    ] {
        if db.query_row(sql, [], |row| row.get(0))? {
            return Ok(Some(what));
        }
    }
    Ok(None)
}

/// The columns of a table.
struct Columns {
    names: Vec<String>,
    /// Whether every one of them is stored rather than computed, and rows have a number.
    are_stored: bool,
}

impl Columns {
    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|column| column == name)
    }
}

/// The columns of `table`, if it is one: no view, no virtual table.
fn columns(db: &Connection, table: &str) -> rusqlite::Result<Option<Columns>> {
    let sql = "SELECT type = 'table' AND rootpage > 0 FROM sqlite_schema WHERE name = ?1";
    let is_table: Option<bool> = db.query_row(sql, [table], |row| row.get(0)).optional()?;
    if is_table != Some(true) {
        return Ok(None);
    }
    let mut query = db.prepare("SELECT name, hidden FROM pragma_table_xinfo(?1)")?;
    let mut rows = query.query([table])?;
    let mut columns = Columns {
        names: Vec::new(),
        are_stored: true,
    };
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        // A column of this name would stand for the row's number.
        columns.are_stored &= row.get::<_, i64>(1)? == 0 && !name.eq_ignore_ascii_case("rowid");
        columns.names.push(name);
    }
    Ok(Some(columns))
}

fn message(row: i64, values: &Row<'_>) -> Read {
    let (Some(from), Some(to), Some(content), Some(time)) = (
        text(values, 0),
        text(values, 1),
        text(values, 2),
        text(values, 3),
    ) else {
        return Read::Unreadable("sender, recipient, time or text is no text");
    };
    if from.len() > LONGEST_NAME || to.len() > LONGEST_NAME {
        return Read::Unreadable("sender or recipient is longer than 256 bytes");
    }
    let read = matches!(values.get_ref(7), Ok(ValueRef::Integer(flag)) if flag != 0);
    Read::Message(OldMessage {
        row,
        from,
        to,
        content,
        time,
        data: text(values, 4),
        summary: text(values, 5),
        file: text(values, 6),
        read,
    })
}

/// The text in column `at`; nothing where there is none, or something else.
fn text(row: &Row<'_>, at: usize) -> Option<String> {
    let value = row.get_ref(at).ok()?;
    value.as_str().ok().map(str::to_owned)
}
