//! The writer on a real file: what it acknowledges is there, whatever happens to the rest.

use std::sync::{Arc, mpsc};

use ipc_protocol::error::{ErrorCode, Refusal};
use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;
use rand::SeedableRng;

use super::*;
use crate::error::{ActionError, Fault};
use crate::limits::{UNINDEXED_BYTES, UNINDEXED_MESSAGES};
use crate::shared::Shared;
use crate::store::messages::{self, Seq};
use crate::store::open;

struct Room {
    directory: tempfile::TempDir,
    writer: Writer,
    broken: Broken,
    shared: Arc<Shared>,
    runtime: tokio::runtime::Runtime,
}

impl Room {
    fn new() -> Self {
        Self::with(|_| ())
    }

    /// A writer on a new database that `prepare` has had first.
    fn with(prepare: impl FnOnce(&Connection)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::new(directory.path().to_owned(), None).unwrap();
        let db = open::open_writer(&data_dir, false, Timestamp::from_millis(0)).unwrap();
        db.execute_batch("CREATE TABLE notes (note TEXT NOT NULL)")
            .unwrap();
        prepare(&db);
        let guard = Guard::new(&data_dir.database()).unwrap();
        let rng = StdRng::seed_from_u64(1);
        let shared = Arc::new(Shared::for_tests());
        let (writer, broken, _) = Writer::start(db, guard, rng, Arc::clone(&shared)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        Self {
            directory,
            writer,
            broken,
            shared,
            runtime,
        }
    }

    fn note(&self, text: &str) -> Done<()> {
        let text = text.to_owned();
        self.runtime
            .block_on(self.writer.run(move |context| insert(context, &text)))
    }

    /// What somebody finds who opens the file anew.
    fn on_disk(&self) -> Vec<String> {
        let db = Connection::open(self.directory.path().join("messages.db")).unwrap();
        let mut query = db.prepare("SELECT note FROM notes ORDER BY rowid").unwrap();
        query
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }
}

/// Stores a message of that many bytes, which is nothing but words.
fn store(room: &Room, bytes: usize) -> Done<()> {
    let text = "word ".repeat(bytes / 5);
    room.runtime.block_on(room.writer.run(move |context| {
        let sql = "INSERT INTO messages (id, kind, hops, sent_ms, bytes)
                   VALUES (random(), 'system', 0, 0, ?1)";
        context
            .db
            .execute(sql, [i64::try_from(text.len()).unwrap()])?;
        let seq = Seq(context.db.last_insert_rowid());
        Ok(messages::insert_body(context.db, seq, &text, None)?)
    }))
}

/// The message that the index of words goes through, and those that have the word in it.
fn indexed(room: &Room) -> (i64, i64) {
    // What the writer does after a batch is done before the next.
    let look = room.writer.run(|context| {
        let sql = "SELECT through, (SELECT count(*) FROM words WHERE words MATCH 'word')
                   FROM indexed";
        Ok(context
            .db
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?)
    });
    room.runtime.block_on(look).unwrap()
}

fn insert(context: &Context<'_>, text: &str) -> Done<()> {
    context
        .db
        .execute("INSERT INTO notes VALUES (?1)", [text])?;
    Ok(())
}

#[test]
fn a_job_that_refuses_undoes_its_own_work_and_nobody_elses() {
    let room = Room::new();
    let (go, wait) = mpsc::channel::<()>();
    let outcomes = room.runtime.block_on(async {
        // The first holds the writer until all are queued, so that they share one transaction.
        let first = room.writer.submit(move |context| {
            wait.recv().unwrap();
            insert(context, "first")
        });
        let first = first.await;
        let second = room.writer.submit(|context| {
            insert(context, "undone")?;
            Err::<(), _>(Refusal::new(ErrorCode::Forbidden, "no").into())
        });
        let second = second.await;
        let third = room.writer.submit(|context| insert(context, "third")).await;
        go.send(()).unwrap();
        [
            settle(first).await,
            settle(second).await,
            settle(third).await,
        ]
    });
    assert!(outcomes[0].is_ok() && outcomes[1].is_err() && outcomes[2].is_ok());
    assert_eq!(room.on_disk(), ["first", "third"]);
}

#[test]
fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    // SQLite answers a database that may not grow as it answers a disk without room.
    let room = Room::with(|db| {
        let pages: i64 = db
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        db.pragma_update_and_check(None, "max_page_count", pages + 8, |_| Ok(()))
            .unwrap();
    });
    let mut acknowledged = Vec::new();
    let refused = loop {
        let text = format!("{}{}", "x".repeat(3_000), acknowledged.len());
        match room.note(&text) {
            Ok(()) => acknowledged.push(text),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1_000, "the disk never filled");
    };
    let ActionError::Fault(fault) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(fault.refusal().code, ErrorCode::Unavailable);
    assert_eq!(room.on_disk(), acknowledged);
    assert_eq!(
        *room.broken.borrow(),
        None,
        "a full disk is no reason to stop"
    );
    let emptied = room.runtime.block_on(room.writer.run(|context| {
        context.db.execute("DELETE FROM notes", [])?;
        Ok(())
    }));
    assert!(emptied.is_ok(), "deletes go on");
    assert!(room.note("room again").is_ok());
}

#[test]
fn a_database_that_was_taken_away_is_not_written_to_any_more() {
    let mut room = Room::new();
    room.note("kept").unwrap();
    let (from, to) = (
        room.directory.path().join("messages.db"),
        room.directory.path().join("elsewhere"),
    );
    std::fs::rename(&from, &to).unwrap();
    let ActionError::Fault(fault) = room.note("lost?").unwrap_err() else {
        panic!("a refusal")
    };
    assert_eq!(fault.refusal().code, ErrorCode::Unavailable);
    let why = room
        .runtime
        .block_on(async { room.broken.wait_for(Option::is_some).await.unwrap().clone() });
    assert!(why.unwrap().contains("taken away"));
    let late = room.note("too late").unwrap_err();
    assert!(
        matches!(late, ActionError::Fault(Fault::Stopping)),
        "{late:?}"
    );
}

#[test]
fn effects_of_a_job_that_refused_never_happen() {
    let room = Room::new();
    let agent = ipc_protocol::id::AgentId::from_row(1);
    room.shared.mailboxes.drained(agent, None);
    let refused = room.runtime.block_on(room.writer.run(move |context| {
        context.effects.push(Effect::MailAvailable(agent));
        Err::<(), _>(Refusal::new(ErrorCode::Forbidden, "no").into())
    }));
    assert!(refused.is_err());
    assert_eq!(
        room.shared.mailboxes.known(agent),
        crate::mailboxes::Known::Empty { until: None }
    );
}

#[test]
fn words_are_indexed_when_there_are_so_many_messages_or_so_much_text() {
    let room = Room::new();
    for number in 1..UNINDEXED_MESSAGES {
        store(&room, 10).unwrap();
        assert_eq!(indexed(&room), (0, 0), "{number}");
    }
    store(&room, 10).unwrap();
    assert_eq!(indexed(&room), (UNINDEXED_MESSAGES, UNINDEXED_MESSAGES));
    store(&room, 1_000).unwrap();
    assert_eq!(indexed(&room).0, UNINDEXED_MESSAGES, "one more");
    let large = usize::try_from(UNINDEXED_BYTES).unwrap();
    store(&room, large).unwrap();
    let all = UNINDEXED_MESSAGES + 2;
    assert_eq!(indexed(&room), (all, all));
}

#[test]
fn an_index_that_fails_costs_nobody_an_answer_and_is_made_good_later() {
    let room = Room::new();
    let say = |sql: &'static str| {
        let run = room
            .writer
            .run(move |context| Ok(context.db.execute_batch(sql)?));
        room.runtime.block_on(run).unwrap();
    };
    say("CREATE TRIGGER fails AFTER UPDATE ON indexed BEGIN SELECT RAISE(ABORT, 'no'); END");
    for _ in 0..=UNINDEXED_MESSAGES {
        store(&room, 10).unwrap();
    }
    assert_eq!(indexed(&room), (0, 0), "not the half of it");
    assert_eq!(*room.broken.borrow(), None);
    say("DROP TRIGGER fails");
    let all = UNINDEXED_MESSAGES + 1;
    assert_eq!(indexed(&room), (all, all));
}

#[test]
fn the_index_goes_neither_back_nor_further_than_there_are_messages() {
    let room = Room::new();
    store(&room, 10).unwrap();
    for sql in [
        "UPDATE indexed SET through = -1",
        "UPDATE indexed SET through = 2",
        "DELETE FROM indexed",
    ] {
        let run = room
            .writer
            .run(move |context| Ok(context.db.execute(sql, [])?));
        assert!(room.runtime.block_on(run).is_err(), "{sql}");
    }
}
