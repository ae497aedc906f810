//! What the machine itself takes: an echo over a Unix socket, and one commit of such a row.

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use rusqlite::{Connection, params};

/// Bytes of a send's frame beside its text, and about those of its reply.
const ENVELOPE: usize = 180;

/// An echo in another thread, and a database like the daemon's in the same directory.
#[derive(Debug)]
pub(crate) struct Floor {
    stream: UnixStream,
    db: Connection,
}

impl Floor {
    pub(crate) fn new(room: &Path) -> Result<Self, Box<dyn Error>> {
        let (ours, theirs) = UnixStream::pair()?;
        thread::Builder::new()
            .name("echo".to_owned())
            .spawn(move || echo(theirs))?;
        let db = Connection::open(room.join("floor.db"))?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS messages (seq INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE,
             sender INTEGER, recipient INTEGER, sent_ms INTEGER, text TEXT);
             CREATE INDEX IF NOT EXISTS waiting ON messages (recipient, seq);",
        )?;
        Ok(Self { stream: ours, db })
    }

    /// One round trip of a frame of that size, and one durable commit.
    pub(crate) fn echo_and_commit(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        self.echo(text)?;
        self.commit(text)
    }

    /// One round trip of a frame of that size.
    pub(crate) fn echo(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        let mut frame = vec![b'x'; text.len().saturating_add(ENVELOPE)];
        self.stream.write_all(&frame)?;
        self.stream.read_exact(&mut frame)?;
        Ok(())
    }

    /// One durable commit.
    pub(crate) fn commit(&self, text: &str) -> Result<(), Box<dyn Error>> {
        let sql = "INSERT INTO messages (id, sender, recipient, sent_ms, text)
                   VALUES (random(), 1, 2, 3, ?1)";
        self.db.prepare_cached(sql)?.execute(params![text])?;
        Ok(())
    }
}

/// Sends back what comes, until the other side closes.
fn echo(mut stream: UnixStream) -> io::Result<()> {
    let mut chunk = [0; 4_096];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(());
        }
        stream.write_all(chunk.get(..read).unwrap_or_default())?;
    }
}
