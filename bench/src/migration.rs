//! Coming over from the Python server with 100,000 messages.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rusqlite::{Connection, params};

use crate::figures::{Figure, timed};

/// Messages that come over.
const MESSAGES: u32 = 100_000;

/// Its tables, as far as they matter here.
const TABLES: &str = "
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_id TEXT NOT NULL,
        to_id TEXT NOT NULL, content TEXT NOT NULL, timestamp TEXT NOT NULL, data TEXT,
        summary TEXT, large_file_path TEXT, read_flag INTEGER DEFAULT 0);
    CREATE TABLE instances (instance_id TEXT PRIMARY KEY, last_seen TEXT NOT NULL);";

/// `ipc admin migrate`, from its start to its end.
pub(crate) fn figure(program: &Path) -> Result<Figure, Box<dyn Error>> {
    let private = std::fs::Permissions::from_mode(0o700);
    let room = tempfile::Builder::new()
        .prefix("ipc-bench-")
        .permissions(private)
        .tempdir()?;
    write(&room.path().join("messages.db"))?;
    let mut command = Command::new(program);
    command
        .arg("--data-dir")
        .arg(room.path())
        .args(["admin", "migrate"])
        .stdout(Stdio::null());
    let taken = timed(|| match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Box::<dyn Error>::from(format!("migration: {status}"))),
        Err(error) => Err(error.into()),
    })?;
    Ok(Figure::new(
        "100,000 old messages come over, s",
        taken.as_secs_f64(),
        5.0,
    ))
}

fn write(path: &Path) -> Result<(), Box<dyn Error>> {
    let mut db = Connection::open(path)?;
    db.execute_batch(TABLES)?;
    let all = db.transaction()?;
    for number in 0..MESSAGES {
        let text = format!("message {number}: the build is green, please review the change");
        let agent = number.checked_rem(20).unwrap_or_default();
        let sql = "INSERT INTO messages (from_id, to_id, content, timestamp, data, read_flag)
                   VALUES (?1, ?2, ?3, '2026-06-01T12:00:00.123456', '{\"n\": 1}', 1)";
        let row = params![format!("agent-{agent}"), "reader", text];
        all.prepare_cached(sql)?.execute(row)?;
    }
    all.commit()?;
    Ok(db.close().map_err(|(_, error)| error)?)
}
