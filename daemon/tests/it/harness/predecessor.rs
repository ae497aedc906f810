//! What the Python server left behind, written as it wrote it.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use ipc_daemon::migrate::{self, MigrateError, Migration, Original, Outside, Report};
use ipc_protocol::time::Timestamp;
use jiff::tz::TimeZone;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use rusqlite::{Connection, params};

use super::House;

/// Its tables, version 2.
const TABLES: &str = "
    CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, from_id TEXT NOT NULL,
        to_id TEXT NOT NULL, content TEXT NOT NULL, timestamp TEXT NOT NULL, data TEXT,
        summary TEXT, large_file_path TEXT, read_flag INTEGER DEFAULT 0);
    CREATE TABLE instances (instance_id TEXT PRIMARY KEY, last_seen TEXT NOT NULL);
    CREATE TABLE sessions (session_token_hash TEXT PRIMARY KEY, instance_id TEXT NOT NULL,
        created_at TEXT NOT NULL, expires_at TEXT NOT NULL);
    CREATE TABLE name_history (old_name TEXT PRIMARY KEY, new_name TEXT NOT NULL,
        changed_at TEXT NOT NULL);
    CREATE INDEX idx_messages_to_id ON messages(to_id);";

/// The zone that its times are in.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

/// The Python server's files in one directory.
pub(crate) struct Predecessor {
    pub(crate) path: PathBuf,
    db: Connection,
}

/// One of its messages.
pub(crate) struct Old<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) content: &'a str,
    pub(crate) time: &'a str,
    pub(crate) data: Option<&'a str>,
    pub(crate) file: Option<&'a Path>,
    pub(crate) read: bool,
}

impl Default for Old<'_> {
    fn default() -> Self {
        Self {
            from: "alice",
            to: "bob",
            content: "hello",
            time: "2027-01-15T08:59:00.123456",
            data: Some("{}"),
            file: None,
            read: false,
        }
    }
}

impl Predecessor {
    /// A database of it in `directory`.
    pub(crate) fn new(directory: &Path) -> Self {
        let path = directory.join("messages.db");
        let db = Connection::open(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        db.execute_batch(TABLES).unwrap();
        Self { path, db }
    }

    pub(crate) fn db(&self) -> &Connection {
        &self.db
    }

    pub(crate) fn register(&self, name: &str, seen: &str) {
        let sql = "INSERT INTO instances VALUES (?1, ?2)";
        self.db.execute(sql, [name, seen]).unwrap();
    }

    pub(crate) fn session(&self, name: &str) {
        let sql = "INSERT INTO sessions VALUES (?1, ?1, ?2, ?2)";
        self.db.execute(sql, [name, "2027-01-15T08:00:00"]).unwrap();
    }

    pub(crate) fn renamed(&self, old: &str, new: &str, at: &str) {
        let sql = "INSERT INTO name_history VALUES (?1, ?2, ?3)";
        self.db.execute(sql, [old, new, at]).unwrap();
    }

    pub(crate) fn store(&self, old: &Old<'_>) {
        let sql = "INSERT INTO messages (from_id, to_id, content, timestamp, data,
                   large_file_path, read_flag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let file = old.file.map(|path| path.to_str().unwrap());
        let row = params![
            old.from,
            old.to,
            old.content,
            old.time,
            old.data,
            file,
            old.read
        ];
        self.db.execute(sql, row).unwrap();
    }

    /// The file of a large message, as it wrote them; its path.
    pub(crate) fn large_file(&self, old: &Old<'_>, text: &str) -> PathBuf {
        let directory = self.path.parent().unwrap().join("large-messages");
        if !directory.exists() {
            std::fs::create_dir(&directory).unwrap();
            std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = directory.join(format!(
            "20270115-085900_{}_{}_message.md",
            old.from, old.to
        ));
        let mut file = "# IPC Message\n".to_owned();
        let size = text.len() / 1_024;
        writeln!(file, "From: {}\nTo: {}", old.from, old.to).unwrap();
        writeln!(file, "Time: {}\nSize: {size}.0KB\n", old.time).unwrap();
        writeln!(file, "## Content\n{text}").unwrap();
        std::fs::write(&path, file).unwrap();
        path
    }

    /// Ends it: what it holds is in its file.
    pub(crate) fn close(self) -> PathBuf {
        self.db.close().unwrap();
        self.path
    }
}

/// An address on which nobody listens.
pub(crate) fn silent() -> SocketAddr {
    // Bound for a moment, so that the system gives it to nobody else soon.
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket.local_addr().unwrap()
}

impl House {
    /// Takes over what lies in the place of the store.
    pub(crate) fn take_over(&self) -> Result<Option<Report>, MigrateError> {
        self.migrate(silent(), None)
    }

    /// The same with a server that may listen at `old_server`.
    pub(crate) fn take_over_beside(
        &self,
        old_server: SocketAddr,
    ) -> Result<Option<Report>, MigrateError> {
        self.migrate(old_server, None)
    }

    /// Imports the file at `path`.
    pub(crate) fn import(&self, path: &Path) -> Result<Report, MigrateError> {
        Ok(self.migrate(silent(), Some(path))?.unwrap())
    }

    fn migrate(
        &self,
        old_server: SocketAddr,
        path: Option<&Path>,
    ) -> Result<Option<Report>, MigrateError> {
        let data_dir = self.data_dir();
        let lock = ipc_daemon::lock(&data_dir).unwrap();
        let mut migration = Migration {
            data_dir: &data_dir,
            now: self.now(),
            outside: Outside {
                zone: TimeZone::posix(ZONE).unwrap(),
                old_server: migrate::answering([old_server]),
            },
            rng: &mut StdRng::try_from_rng(&mut SysRng).unwrap(),
            progress: &mut |_, _| {},
        };
        let inside = self.inside();
        match path {
            None => migration.take_over(&lock, &inside),
            Some(path) => {
                migration.outside.refuse_while_served()?;
                let original = Original::open(path)?;
                migration.import(&original, &lock, &inside).map(Some)
            }
        }
    }

    /// The time on the house's clock.
    pub(crate) fn now(&self) -> Timestamp {
        use ipc_daemon::clock::Clock;
        self.clock.now().wall
    }
}
