//! Databases that somebody else may have made: the command that looks into one has shut itself in
//! before, takes no more of it than bytes until then, and does all that it did outside.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Home, Said, program, python};
use crate::migration::{left_behind, write};
use crate::sandbox::facts;

/// Somebody who has the database open until this is let go, in the way that `how` says.
struct Holder(Child);

impl Holder {
    fn of(path: &Path, how: &str) -> Self {
        let script = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
db.execute(sys.argv[2]).fetchall()
print('held', flush=True)
sys.stdin.read()
";
        let mut command = python(script);
        command.arg(path).arg(how);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        assert_eq!(said, "held\n");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// Whether a filter of system calls holds for the process `pid`, as the kernel says.
fn is_shut_in(pid: u32) -> bool {
    let path = format!("/proc/{pid}/status");
    facts(&path, "Seccomp") == ["2"] && facts(&path, "NoNewPrivs") == ["1"]
}

/// Runs the command, which cannot come further than to the database that `holder` has; says whether
/// it was seen shut in until then. SQLite waits for five seconds.
fn shut_in_before(home: &Home, arguments: &[&str], holder: Holder) -> bool {
    let mut command = home.command(arguments);
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut seen = false;
    while !seen && child.try_wait().unwrap().is_none() {
        seen = is_shut_in(child.id());
        std::thread::yield_now();
    }
    drop(holder);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.success(), seen, "{arguments:?}: {ended:?}");
    seen
}

/// A home with a message in a backup, and no daemon.
fn with_a_backup() -> (Home, PathBuf) {
    let home = Home::new();
    home.register("alice").send("alice", "kept");
    let made = home.json(&["admin", "backup"]);
    home.ok(&["daemon", "stop"]);
    let file = made["file"].as_str().unwrap();
    let path = home.data_dir().backups().join(file);
    (home, path)
}

/// How many messages a daemon that starts now finds.
fn messages(home: &Home) -> u64 {
    home.ok(&["daemon", "start"]);
    home.json(&["status"])["messages"].as_u64().unwrap()
}

/// What lies in the data directory and should not.
fn leavings(home: &Home) -> Vec<PathBuf> {
    let is_left = |path: &PathBuf| {
        let path = path.display().to_string();
        path.contains(".restoring") || path.contains("predecessor")
    };
    home.files().into_iter().filter(is_left).collect()
}

#[test]
fn a_restore_has_shut_itself_in_before_it_looks_into_a_backup() {
    let (home, path) = with_a_backup();
    let holder = Holder::of(&path, "BEGIN EXCLUSIVE");
    assert!(shut_in_before(&home, &["admin", "restore"], holder));
    let holder = Holder::of(&path, "BEGIN EXCLUSIVE");
    let named = path.to_str().unwrap();
    assert!(shut_in_before(&home, &["admin", "restore", named], holder));
}

#[test]
fn an_import_has_shut_itself_in_before_it_is_done_with_its_file() {
    let (home, _) = with_a_backup();
    let path = home.path().join("old/messages.db");
    write(&path, 3);
    // It comes to our own store last.
    let store = home.data_dir().database();
    let holder = Holder::of(&store, "BEGIN IMMEDIATE");
    let arguments = ["admin", "migrate", path.to_str().unwrap()];
    assert!(shut_in_before(&home, &arguments, holder));
    assert_eq!(messages(&home), 4);
}

#[test]
fn what_lies_in_the_place_of_the_store_is_taken_over_in_the_sandbox() {
    let home = Home::new();
    left_behind(&home, 3_000);
    let mut command = home.command(&["admin", "migrate"]);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let begun = home.data_dir().backups().join("predecessor.partial.db");
    while !begun.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it was not seen");
        std::thread::yield_now();
    }
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::STOP).unwrap();
    let is_shut_in = is_shut_in(child.id());
    kill_process(pid, Signal::CONT).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(is_shut_in);
}

#[test]
fn what_parses_the_audit_log_is_shut_in() {
    let home = Home::new();
    home.register("alice");
    for arguments in [
        &["admin", "audit", "show"][..],
        &["admin", "audit", "verify"],
    ] {
        let mut command = home.command(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // What it says is of what it has parsed. It is there until it is waited for.
        let mut said = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut said).unwrap();
        assert!(is_shut_in(child.id()), "{arguments:?}: {said}");
        drop(out);
        child.wait().unwrap();
    }
}

#[test]
fn a_file_with_the_name_of_an_unfinished_copy_stays_when_something_is_taken_over_before_it() {
    let home = Home::new();
    left_behind(&home, 2);
    let backups = home.data_dir().backups();
    std::fs::create_dir(&backups).unwrap();
    std::fs::set_permissions(
        &backups,
        std::os::unix::fs::PermissionsExt::from_mode(0o700),
    )
    .unwrap();
    let path = backups.join("predecessor.partial.db");
    write(&path, 3);
    let before = std::fs::read(&path).unwrap();
    let said = home.run(&["admin", "migrate", path.to_str().unwrap()]);
    assert!(
        said.status != 0 && said.err.contains("not finished"),
        "{said:?}"
    );
    assert!(std::fs::read(&path).unwrap() == before);
    assert!(
        said.err.contains("hint: look at it, then copy it"),
        "{said:?}"
    );
    // As it says.
    let copy = home.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    home.ok(&["admin", "migrate", copy.to_str().unwrap()]);
    assert!(!path.exists(), "something was taken over, by its name");
}

/// Runs a command on a terminal, and prints all that the terminal was told.
const ON_A_TERMINAL: &str = "
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
told = b''
while True:
    try:
        told += os.read(terminal, 65536)
    except OSError:
        break
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(told)
sys.exit(status != 0)
";

#[test]
fn on_a_terminal_it_is_shown_from_inside_how_far_an_import_has_come() {
    let home = Home::new();
    let path = home.path().join("old/messages.db");
    write(&path, 2_000);
    let mut command = python(ON_A_TERMINAL);
    command
        .env("HOME", home.path())
        .env("TERM", "xterm")
        .arg(program());
    command.args(["admin", "migrate"]).arg(&path);
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains(" 2000/2000 messages, "), "{said:?}");
    assert!(said.out.contains("1000 unread"), "{said:?}");
}

#[test]
fn a_configuration_without_a_sandbox_is_followed_here_too() {
    let (home, path) = with_a_backup();
    home.configure("sandbox = \"off\"\n");
    let holder = Holder::of(&path, "BEGIN EXCLUSIVE");
    assert!(!shut_in_before(&home, &["admin", "restore"], holder));
    home.configure("sandbox = \"required\"\n");
    home.run(&["admin", "restore"])
        .refused(2, &["unknown variant `required`", "`require`"]);
}

#[test]
fn a_backup_from_elsewhere_is_restored_and_its_copy_is_gone() {
    let (home, path) = with_a_backup();
    let elsewhere = home.path().join("elsewhere.db");
    std::fs::copy(&path, &elsewhere).unwrap();
    let restored = home.json(&["admin", "restore", elsewhere.to_str().unwrap()]);
    assert_eq!(restored["from"], elsewhere.to_str().unwrap());
    assert_eq!(leavings(&home), Vec::<PathBuf>::new());
    assert_eq!(messages(&home), 1);
}

#[test]
fn a_store_from_elsewhere_that_was_never_closed_comes_with_its_log() {
    let there = Home::new();
    there.register("alice").send("alice", "only in the log");
    let pid = i32::try_from(there.daemon_pid()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    // Whoever gets the lock knows that it has ended.
    there.ok(&["daemon", "stop"]);
    let store = there.data_dir().database();
    let log = store.with_extension("db-wal");
    assert!(std::fs::metadata(log).unwrap().len() > 0);
    let home = Home::new();
    home.ok(&["admin", "restore", store.to_str().unwrap()]);
    assert_eq!(messages(&home), 1);
}

#[test]
fn a_store_from_elsewhere_that_somebody_uses_is_left_alone() {
    let there = Home::new();
    there.register("alice").send("alice", "and another");
    let store = there.data_dir().database();
    let home = Home::new();
    home.run(&["admin", "restore", store.to_str().unwrap()])
        .refused(1, &["messages.db", "in use by another process"]);
    assert!(!home.data_dir().database().exists());
}

#[test]
fn what_only_looks_like_a_file_elsewhere_is_not_opened() {
    let (home, path) = with_a_backup();
    let (link, pipe) = (home.path().join("link.db"), home.path().join("pipe.db"));
    symlink(&path, &link).unwrap();
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    for (path, why) in [(link, "symbolic link"), (pipe, "no regular file")] {
        let path = path.to_str().unwrap();
        home.run(&["admin", "restore", path]).refused(1, &[why]);
        home.run(&["admin", "migrate", path]).refused(1, &[why]);
    }
}

#[test]
fn a_hostile_database_from_elsewhere_is_refused_and_nothing_of_it_stays() {
    let (home, path) = with_a_backup();
    let before = std::fs::read(home.data_dir().database()).unwrap();
    let hostile = home.path().join("hostile.db");
    let spoil = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript(sys.argv[2])
";
    std::fs::copy(&path, &hostile).unwrap();
    let trigger =
        "CREATE TRIGGER keep BEFORE DELETE ON credentials BEGIN SELECT raise(IGNORE); END";
    let mut command = python(spoil);
    assert!(
        command
            .arg(&hostile)
            .arg(trigger)
            .status()
            .unwrap()
            .success()
    );
    let named = hostile.to_str().unwrap();
    home.run(&["admin", "restore", named])
        .refused(1, &["hostile.db", "not as this program makes them"]);
    std::fs::remove_file(&hostile).unwrap();
    write(&hostile, 2);
    let view = "ALTER TABLE messages RENAME TO rows; CREATE VIEW messages AS SELECT * FROM rows";
    let mut command = python(spoil);
    assert!(command.arg(&hostile).arg(view).status().unwrap().success());
    home.run(&["admin", "migrate", named])
        .refused(1, &["hostile.db", "it has no table of messages"]);
    // A file with a hole claims more than the disk has.
    let file = std::fs::File::options().write(true).open(&hostile).unwrap();
    let disk = rustix::fs::fstatvfs(&file).unwrap();
    let free = disk.f_bavail.checked_mul(disk.f_frsize).unwrap();
    file.set_len(free.checked_add(1 << 30).unwrap()).unwrap();
    home.run(&["admin", "migrate", named])
        .refused(1, &["no room", "free some space"]);
    home.run(&["admin", "restore", named])
        .refused(1, &["no room"]);
    assert_eq!(leavings(&home), Vec::<PathBuf>::new());
    assert!(std::fs::read(home.data_dir().database()).unwrap() == before);
}
