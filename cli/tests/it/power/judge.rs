//! What is found when the power comes back, held against what was promised before it went.

use std::path::Path;

use ipc_daemon::store::{backup, open};
use ipc_protocol::id::MessageId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::time::Timestamp;

use super::trace::Promise;
use crate::harness::{Letter, kept};

/// Opens the store in `directory` as the daemon does, and looks: it is whole, and every message
/// that was promised up to event `at` is there, once, in its sender's order, with nothing of that
/// sender missing in between.
pub(super) fn look(directory: &Path, promises: &[Promise], at: usize) -> Result<usize, String> {
    let data_dir = DataDir::new(directory.to_owned(), None).unwrap();
    let used_before = data_dir.daemon_key().exists();
    let db = open::open_writer(&data_dir, used_before, Timestamp::from_millis(0));
    let db = db.map_err(|error| format!("the store does not open: {error}"))?;
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
    let made = promises.iter().filter(|promise| promise.at <= at);
    let made: Vec<_> = by_sender(made.map(|promise| promise.letter.clone()));
    kept(&made, &stored)?;
    without_gaps(&by_sender(stored.into_iter()))?;
    Ok(made.iter().map(Vec::len).sum())
}

/// The sender's number in a text of the form `<sender/round/number>`, and the message's.
fn numbers(text: &str) -> (usize, usize) {
    let mut parts = text.trim_matches(['<', '>']).split('/');
    let mut next = || parts.next().unwrap().parse().unwrap();
    let (sender, _round, number) = (next(), next(), next());
    (sender, number)
}

fn by_sender(letters: impl Iterator<Item = Letter>) -> Vec<Vec<Letter>> {
    let mut all: Vec<Vec<Letter>> = Vec::new();
    for letter in letters {
        let (sender, _) = numbers(&letter.1);
        if all.len() <= sender {
            all.resize(sender + 1, Vec::new());
        }
        all[sender].push(letter);
    }
    all
}

/// A sender's messages are 0, 1, 2, …: each was sent when the one before had been acknowledged.
fn without_gaps(stored: &[Vec<Letter>]) -> Result<(), String> {
    for letters in stored {
        let in_turn = letters
            .iter()
            .enumerate()
            .all(|(at, (_, text))| numbers(text).1 == at);
        if !in_turn {
            return Err(format!("messages between others are missing: {letters:?}"));
        }
    }
    Ok(())
}
