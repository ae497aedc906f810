//! Coming over from the Python server with the real program: by itself, by command, cut off.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::harness::{Agent, Home, Said};

/// The database of the Python server in the place of ours, with so many messages.
pub(crate) fn left_behind(home: &Home, messages: u32) -> PathBuf {
    let path = home.data_dir().database();
    write(&path, messages);
    path
}

pub(crate) fn write(path: &Path, messages: u32) {
    let written = writer(path, messages).status().unwrap();
    assert!(written.success());
}

fn writer(path: &Path, messages: u32) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/migration/writer.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(path).arg(messages.to_string());
    command
}

/// Somebody who writes to the database and does not stop.
struct Holder(Child);

impl Holder {
    fn of(path: &Path) -> Self {
        let mut command = writer(path, 0);
        command
            .arg("hold")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert_eq!(said, "held\n");
        Self(child)
    }

    fn let_go(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

fn claim<'a>(home: &'a Home, name: &str) -> Agent<'a> {
    home.register(name)
}

#[test]
fn the_first_command_takes_over_what_the_python_server_left_and_says_so() {
    let home = Home::new();
    left_behind(&home, 4);
    let said = home.run(&["register", "bob"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        said.err
            .contains("took over 4 messages (2 unread) and 2 names"),
        "{said:?}"
    );
    let bob = Agent::called(&home, "bob");
    assert_eq!(bob.texts(), ["message 0", "message 2"]);
    let again = home.run(&["status"]);
    assert!(!again.err.contains("took over"), "{again:?}");
}

#[test]
fn the_command_reports_what_came_over_for_people_and_as_json() {
    let home = Home::new();
    let path = left_behind(&home, 3);
    let said = home.ok(&["admin", "migrate"]);
    for words in ["2 unread", "1 read", "names     2 held", "copy", "report"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    let elsewhere = home.path().join("old/messages.db");
    write(&elsewhere, 2);
    let report = home.json(&["admin", "migrate", elsewhere.to_str().unwrap()]);
    assert_eq!(report["unread"], 1);
    assert_eq!(report["original"], elsewhere.to_str().unwrap());
    assert!(report["copy"].as_str().unwrap().contains("predecessor-"));
    assert!(path.exists());
}

#[test]
fn times_are_those_of_the_zone_that_they_were_written_in() {
    let home = Home::new();
    let path = home.data_dir().database();
    // POSIX counts the other way: three and a half hours east of Greenwich.
    let zone = "XST-3:30";
    let written = writer(&path, 1).env("TZ", zone).status().unwrap();
    assert!(written.success());
    let mut register = home.command(&["register", "bob"]);
    let said = Said::of(&register.env("TZ", zone).output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let bob = Agent::called(&home, "bob");
    let mail = bob.json(&["check"]);
    let sent = mail["messages"][0]["sent_ms"].as_i64().unwrap();
    let seen = bob.json(&["whoami"])["now_ms"].as_i64();
    let now = seen.unwrap_or_else(now_ms);
    let age = now.saturating_sub(sent);
    assert!((0..600_000).contains(&age), "{age} ms old");
}

fn now_ms() -> i64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
fn with_nothing_to_take_over_the_command_says_what_it_could_import() {
    let home = Home::new();
    home.run(&["admin", "migrate"])
        .refused(1, &["nothing to take over", "`ipc admin migrate FILE`"]);
    home.ok(&["daemon", "start"]);
    home.run(&["admin", "migrate", "/nowhere"])
        .refused(1, &["the daemon runs", "`ipc daemon stop`"]);
}

#[test]
fn a_database_that_somebody_writes_to_is_left_alone() {
    let home = Home::new();
    let path = left_behind(&home, 2);
    let holder = Holder::of(&path);
    home.run(&["admin", "migrate"])
        .refused(1, &["in use by another process"]);
    // The autostart comes to the same end, and the command says it.
    home.run(&["register", "bob"])
        .refused(3, &["in use by another process"]);
    holder.let_go();
    assert_eq!(claim(&home, "bob").texts(), ["message 0"]);
}

#[test]
fn what_cannot_be_taken_over_is_said_with_what_to_do_and_stays() {
    let home = Home::new();
    let path = left_behind(&home, 500);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let half = std::fs::read(&path).unwrap();
    home.run(&["register", "bob"])
        .refused(3, &["is damaged", "hint:"]);
    assert_eq!(std::fs::read(&path).unwrap(), half);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(claim(&home, "bob").texts().len(), 20);
}

#[test]
fn while_it_runs_nobody_can_write_what_would_be_lost() {
    let home = Home::new();
    let path = left_behind(&home, 3_000);
    let mut command = home.command(&["admin", "migrate"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let building = home.data_dir().root().join("messages.db.migrating");
    while !building.exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was seen"
        );
        std::thread::yield_now();
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let script = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0)
try:
    db.execute(\"INSERT INTO messages (from_id, to_id, content, timestamp) VALUES ('a', 'b', 'c', 'd')\")
    db.commit()
    sys.exit('it was written')
except sqlite3.OperationalError as error:
    assert 'locked' in str(error), error
";
    let wrote = crate::harness::python(script).arg(&path).status().unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    assert!(wrote.success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn killed_anywhere_in_it_it_comes_to_the_same_end() {
    for kill in 0..12 {
        let home = Home::new();
        let path = left_behind(&home, 3_000);
        let mut command = home.command(&["admin", "migrate"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Not by the clock: by what can be seen of its progress.
        let seen = match kill % 4 {
            0 => home.data_dir().backups(),
            1 => home.data_dir().root().join("messages.db.migrating"),
            2 => home.data_dir().root().join("messages.db.migrating-wal"),
            _ => home.data_dir().root().join("messages.db.migrated"),
        };
        while !seen.exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(path.exists(), "the original, or what took its place");
        let bob = claim(&home, "bob");
        let status = home.json(&["status"]);
        assert_eq!(status["messages"], 3_000, "kill {kill}");
        assert_eq!(bob.json(&["whoami"])["waiting"], 1_500, "kill {kill}");
    }
}

#[test]
fn a_disk_that_fills_up_in_the_middle_leaves_everything_as_it_was() {
    let home = Home::new();
    let path = left_behind(&home, 3_000);
    let before = std::fs::read(&path).unwrap();
    // Files may grow to no more than the old one: the copy fits, the new store does not.
    let blocks = before.len() / 1_024 + 8;
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("bash");
    command
        .env_clear()
        .env("HOME", home.path())
        .args(["-c", &limited, "bash"])
        .arg(crate::harness::program())
        .args(["admin", "migrate"]);
    let said = Said::of(&command.output().unwrap());
    said.refused(1, &["the original is as it was"]);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(
        !home
            .data_dir()
            .root()
            .join("messages.db.migrating")
            .exists()
    );
    assert_eq!(claim(&home, "bob").texts().len(), 20);
}

#[test]
fn while_the_old_server_runs_nothing_is_taken_over() {
    let home = Home::new();
    left_behind(&home, 2);
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    home.configure(&format!("[legacy]\ntcp = \"127.0.0.1:{port}\"\n"));
    home.run(&["admin", "migrate"])
        .refused(1, &["the Python server still runs", "end the agents"]);
    home.run(&["register", "bob"])
        .refused(3, &["the Python server still runs"]);
    drop(server);
    home.configure("");
    assert_eq!(claim(&home, "bob").texts(), ["message 0"]);
}
