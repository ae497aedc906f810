//! The control: the daemon's own store under another setting, acknowledging as the daemon does.
//!
//! That the checks find nothing in the daemon's trace means little unless they find what
//! `synchronous=NORMAL` loses. The daemon has no such setting, and a back door for a test is one for
//! others. A library that leaves flushes out would show that the checks can see a missing flush, not
//! that they see what SQLite does under NORMAL. So this process, with the same library preloaded,
//! opens the same store by the same function, sets the one pragma, commits message by message, and
//! says each id on a Unix socket after its commit. Under FULL the same program must pass: then the
//! pragma, and nothing else about it, is what the checks see.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use ipc_daemon::store::open;
use ipc_protocol::id::MessageId;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;

use super::Recorded;
use super::disk::Disk;
use super::library::Library;
use crate::harness::{Home, Letter, Said};

/// What it is told: the directory and the pragma, in one variable.
const TOLD: &str = "IPC_TEST_STAND_IN";

/// Messages that it commits: enough for several checkpoints.
const MESSAGES: usize = 300;

/// The id and the text of message `number`.
fn letter(number: usize) -> Letter {
    let id = MessageId::from_row(i64::try_from(number).unwrap() + 1);
    (id, format!("<0/0/{number}>"))
}

/// Runs it under `synchronous`, recorded.
pub(super) fn run(home: &Home, synchronous: &str) -> Recorded {
    let directory = home.data_dir().root().to_owned();
    drop(private::ensure_directory(&directory).unwrap());
    let library = Library::new(home);
    let before = Disk::of(&directory);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "power::stand_in::what_is_committed_is_said_afterwards",
    ]);
    command.env(TOLD, format!("{}\n{synchronous}", directory.display()));
    library.load_into(&mut command, &directory);
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let trace = library.trace();
    let promises = trace.acknowledged((0..MESSAGES).map(letter));
    Recorded {
        before,
        trace,
        promises,
    }
}

/// Commits message after message, and says the id of each on `socket`.
fn serve(directory: &Path, synchronous: &str, mut socket: UnixStream) {
    let data_dir = DataDir::new(directory.to_owned(), None).unwrap();
    let db = open::open_writer(&data_dir, false, Timestamp::from_millis(0)).unwrap();
    db.pragma_update(None, "synchronous", synchronous).unwrap();
    db.execute_batch("INSERT INTO agents VALUES (1, 1, 0, 0, 0, NULL, NULL, NULL)")
        .unwrap();
    for number in 0..MESSAGES {
        let (id, text) = letter(number);
        db.execute_batch("BEGIN IMMEDIATE").unwrap();
        let message = "INSERT INTO messages (id, sender, kind, hops, sent_ms, bytes)
                       VALUES (?1, 1, 'message', 0, 0, length(?2))";
        db.execute(message, (id.to_row(), &text)).unwrap();
        let body = "INSERT INTO bodies (message, text) VALUES (last_insert_rowid(), ?1)";
        db.execute(body, [&text]).unwrap();
        db.execute_batch("COMMIT").unwrap();
        let reply = format!("{{\"result\":{{\"message_id\":\"{id}\"}}}}\n");
        socket.write_all(reply.as_bytes()).unwrap();
    }
}

/// As a test, on a store of its own; as the stand-in, on the one that it is told of.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a process that stands in for the daemon is told so by its environment"
)]
fn what_is_committed_is_said_afterwards() {
    let home = Home::new();
    let own = || {
        drop(private::ensure_directory(home.data_dir().root()).unwrap());
        format!("{}\nFULL", home.data_dir().root().display())
    };
    let told = std::env::var(TOLD).unwrap_or_else(|_| own());
    let (directory, synchronous) = told.split_once('\n').unwrap();
    let (socket, mut peer) = UnixStream::pair().unwrap();
    let heard = std::thread::scope(|scope| {
        let heard = scope.spawn(move || {
            let mut heard = String::new();
            peer.read_to_string(&mut heard).unwrap();
            heard
        });
        serve(Path::new(directory), synchronous, socket);
        heard.join().unwrap()
    });
    assert_eq!(heard.lines().count(), MESSAGES);
}
