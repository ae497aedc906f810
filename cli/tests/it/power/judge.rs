//! What is found when the power comes back, held against what was promised before it went.

use std::collections::BTreeMap;
use std::path::Path;

use ipc_daemon::store::{backup, open};
use ipc_protocol::id::MessageId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;

use crate::harness::{Letter, kept};

/// Opens the store in `directory` as the daemon does, and looks: it is whole, and every message
/// that was promised is there, once, in its sender's order, with nothing of that sender missing in
/// between. Returns how many were promised.
pub(super) fn look(directory: &Path, promised: &[Vec<Letter>]) -> Result<usize, String> {
    let data_dir = DataDir::new(directory.to_owned(), None).unwrap();
    let used_before = data_dir.daemon_key().exists();
    let db = open::open_writer(&data_dir, used_before, Timestamp::from_millis(0));
    let db = db.map_err(|error| format!("the store does not open: {error}"))?;
    let mapped: i64 = db
        .query_row("PRAGMA mmap_size", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mapped, 0, "a write through a mapping is in no trace");
    let damage = backup::quick_check(&db).map_err(|error| error.to_string())?;
    if let Some(damage) = damage {
        return Err(format!("the store is damaged: {damage}"));
    }
    let sql = "SELECT m.id, b.text FROM messages m JOIN bodies b ON b.message = m.seq
               WHERE b.text GLOB '<*>' ORDER BY m.seq";
    let mut query = db.prepare(sql).unwrap();
    let row = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let row = row.unwrap().map(|row| {
        let (id, text): (i64, String) = row.unwrap();
        (MessageId::from_row(id), text)
    });
    let stored: Vec<Letter> = row.collect();
    kept(promised, &stored)?;
    without_gaps(&by_sender(stored.into_iter()))?;
    Ok(promised.iter().map(Vec::len).sum())
}

/// The numbers in a text of the form `<sender/round/message>`.
fn numbers(text: &str) -> [usize; 3] {
    let parts = text.trim_matches(['<', '>']).split('/');
    let numbers: Vec<_> = parts.map(|part| part.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// Puts the messages of each sender together, in the order in which they come.
pub(super) fn by_sender(letters: impl Iterator<Item = Letter>) -> Vec<Vec<Letter>> {
    let mut all: Vec<Vec<Letter>> = Vec::new();
    for letter in letters {
        let [sender, _, _] = numbers(&letter.1);
        if all.len() <= sender {
            all.resize(sender + 1, Vec::new());
        }
        all[sender].push(letter);
    }
    all
}

/// A sender's messages of a round are 0, 1, 2, …: each was sent when the one before had been
/// acknowledged.
fn without_gaps(stored: &[Vec<Letter>]) -> Result<(), String> {
    for letters in stored {
        let mut next = BTreeMap::new();
        for letter in letters {
            let [_, round, number] = numbers(&letter.1);
            let expected = next.entry(round).or_insert(0);
            if number != *expected {
                return Err(format!("messages before {letter:?} are missing"));
            }
            *expected += 1;
        }
    }
    Ok(())
}
