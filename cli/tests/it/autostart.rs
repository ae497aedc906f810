//! The daemon that starts by itself: once, unharmed by whoever started it, and open about why not.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use ipc_protocol::private;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Home, Running, Said, ServiceManager, Window, after, program, python};

const CANARY: &str = "canary-of-the-shared-secret-9f2c";

#[test]
fn fifty_first_commands_at_once_make_one_daemon_and_all_succeed() {
    let home = Home::new();
    let names: Vec<_> = (0..50).map(|n| format!("agent-{n}")).collect();
    let all: Vec<Running> = names.iter().map(|n| home.start(&["register", n])).collect();
    for run in all {
        let said = run.end();
        assert_eq!(said.status, 0, "{said:?}");
    }
    assert_eq!(home.json(&["list"])["agents"].as_array().unwrap().len(), 50);
    let log = std::fs::read_to_string(home.data_dir().log()).unwrap();
    assert_eq!(log.matches("\"ready\"").count(), 1, "{log}");
}

/// A library that writes the command line of every process it is loaded into to `trace`.
fn tracing_library(home: &Home, trace: &Path) -> PathBuf {
    let (source, library) = (home.path().join("trace.c"), home.path().join("trace.so"));
    let code = r#"
        #include <fcntl.h>
        #include <unistd.h>
        __attribute__((constructor)) static void loaded(void) {
            char line[4096];
            int from = open("/proc/self/cmdline", O_RDONLY);
            int to = open(TRACE, O_WRONLY | O_APPEND | O_CREAT, 0600);
            long n = read(from, line, sizeof line - 1);
            if (n > 0) { line[n] = '\n'; n = write(to, line, n + 1); }
            close(from);
            close(to);
        }"#;
    std::fs::write(&source, code).unwrap();
    let mut compiler = Command::new("cc");
    compiler
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(&source);
    compiler.arg(format!("-DTRACE=\"{}\"", trace.display()));
    let said = Said::of(&compiler.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    library
}

#[test]
fn what_is_in_the_environment_of_the_first_command_does_not_become_the_daemon() {
    let home = Home::new();
    let trace = home.path().join("trace");
    let library = tracing_library(&home, &trace);
    let hostile = home.path().join("bin");
    std::fs::create_dir(&hostile).unwrap();
    let script = format!("#!/bin/sh\necho PATH >> {}\n", trace.display());
    for name in ["ipc", "sh", "env", "systemctl"] {
        std::fs::write(hostile.join(name), &script).unwrap();
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(hostile.join(name), runs).unwrap();
    }
    let mut command = home.command(&["register", "alice"]);
    command
        .env("PATH", &hostile)
        .env("LD_PRELOAD", &library)
        .env("LD_LIBRARY_PATH", &hostile)
        .env("IPC_SHARED_SECRET", CANARY)
        .env("IPC_INSTANCE", "eve")
        .env("TZ", "UTC");
    let said = Said::of(&command.output().unwrap());
    assert_eq!(said.status, 0, "{said:?}");
    let loaded = std::fs::read_to_string(&trace).unwrap();
    assert!(loaded.contains("register"), "the trap is one: {loaded:?}");
    assert!(
        !loaded.contains("autostarted") && !loaded.contains("PATH"),
        "{loaded:?}"
    );
    assert_clean_environment(home.daemon_pid());
}

fn assert_clean_environment(daemon: u32) {
    let environment = match std::fs::read(format!("/proc/{daemon}/environ")) {
        Ok(bytes) => String::from_utf8(bytes).unwrap(),
        // A process that lets nobody look is as good.
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
            return;
        }
    };
    let names = environment.split('\0').filter(|line| !line.is_empty());
    let names: BTreeSet<_> = names.map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(
        names,
        BTreeSet::from([
            "HOME",
            "MALLOC_ARENA_MAX",
            "MALLOC_MMAP_THRESHOLD_",
            "MALLOC_TRIM_THRESHOLD_",
            "TZ",
        ])
    );
}

#[test]
fn the_secret_of_the_variable_is_also_kept_in_a_private_file() {
    let home = Home::new();
    let mut command = home.command(&["register", "alice"]);
    command.env("IPC_SHARED_SECRET", CANARY);
    assert_eq!(Said::of(&command.output().unwrap()).status, 0);
    let secret = home.data_dir().secret();
    assert_eq!(std::fs::read_to_string(&secret).unwrap(), CANARY);
    assert_eq!(std::fs::metadata(&secret).unwrap().mode() & 0o7777, 0o600);
    home.ok(&["register", "bob"]);
}

#[test]
fn under_any_umask_everything_is_for_the_owner_alone() {
    let home = Home::new();
    let big = "x".repeat(20_000);
    let text = home.path().join("big");
    std::fs::write(&text, &big).unwrap();
    for line in [
        &["register", "alice"][..],
        &[
            "--as",
            "alice",
            "send",
            "alice",
            "--file",
            text.to_str().unwrap(),
        ],
        &["--as", "alice", "check"],
        &["--as", "alice", "rename", "alicia"],
        &["admin", "backup"],
        &["admin", "rotate-secret"],
    ] {
        let said = Said::of(&after("os.umask(0)", &home, line).output().unwrap());
        assert_eq!(said.status, 0, "{said:?}");
    }
    let files = home.files();
    assert!(files.len() > 10, "{files:?}");
    for file in files
        .iter()
        .map(PathBuf::as_path)
        .chain([home.data_dir().socket()])
    {
        let mode = std::fs::metadata(file).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{}", file.display());
        let directory = file.parent().unwrap();
        let mode = std::fs::metadata(directory).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o700, "{}", directory.display());
    }
}

#[test]
fn closing_the_terminal_does_not_stop_the_daemon_that_was_started_in_it() {
    let home = Home::new();
    let mut window = Window::open(&home, &[]);
    window.ok(&["register", "alice"]);
    let daemon = home.daemon_pid();
    window.kill();
    let facts = ipc_protocol::process::facts(daemon).unwrap();
    assert_eq!(facts.session, daemon, "it is in a session of its own");
    let pid = Pid::from_raw(i32::try_from(daemon).unwrap()).unwrap();
    kill_process(pid, Signal::HUP).unwrap();
    assert_eq!(home.json(&["status"])["pid"], daemon);
}

#[test]
fn only_a_daemon_that_started_by_itself_leaves_when_idle_and_there_is_only_one() {
    let home = Home::new();
    home.ok(&["daemon", "start"]);
    assert_eq!(home.json(&["status"])["leaves_when_idle"], true);
    home.ok(&["daemon", "stop"]);
    let mut foreground = home.command(&["daemon", "run"]);
    let manager = ServiceManager::at(&home);
    foreground.env("NOTIFY_SOCKET", manager.path());
    let running = Running::start(&mut foreground);
    assert_eq!(manager.told(), "READY=1");
    assert_eq!(home.json(&["status"])["leaves_when_idle"], false);
    let second = home.run(&["daemon", "run"]);
    second.refused(1, &["another daemon already serves", "ipc status"]);
    assert_eq!(home.json(&["status"])["pid"], running.pid());
    home.ok(&["daemon", "stop"]);
    assert_eq!(running.end().status, 0);
}

#[test]
fn a_wrong_configuration_is_said_by_the_first_command_with_key_and_line() {
    let home = Home::new();
    home.configure("names = \"credential\"\n[limits]\nhoops = 4\n");
    let first = home.run(&["register", "alice"]);
    first.refused(
        3,
        &[
            "config.toml",
            "line 3",
            "hoops",
            "hint: docs/CONFIGURATION.md",
        ],
    );
    home.run(&["daemon", "run"])
        .refused(2, &["line 3", "hoops"]);
    home.configure("[limits]\nwait_s = 4000\n");
    home.run(&["register", "alice"])
        .refused(3, &["limits.wait_s", "0 to 3600"]);
    let loose = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(home.data_dir().config(), loose).unwrap();
    home.run(&["register", "alice"])
        .refused(3, &["mode 0644", "chmod 600"]);
    std::fs::remove_file(home.data_dir().config()).unwrap();
    home.ok(&["register", "alice"]);
}

#[test]
fn a_directory_or_secret_that_others_can_reach_is_refused_and_not_mended() {
    let home = Home::new();
    home.ok(&["register", "alice"]);
    home.ok(&["daemon", "stop"]);
    let root = home.data_dir().root().to_owned();
    for (path, mode, wanted) in [
        (root, 0o755, "700"),
        (home.data_dir().secret(), 0o640, "600"),
    ] {
        let set = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let before = std::fs::metadata(&path).unwrap().mode() & 0o777;
        set(mode);
        let mend = format!("hint: `chmod {wanted} {}`", path.display());
        home.run(&["register", "bob"])
            .refused(1, &["others can reach it", &mend]);
        home.run(&["daemon", "run"])
            .refused(1, &["others can reach it", &mend]);
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, mode);
        set(before);
    }
    home.ok(&["register", "bob"]);
}

#[test]
fn a_linked_or_foreign_directory_is_refused_and_nothing_is_put_there() {
    let home = Home::new();
    let real = home.path().join("real");
    drop(private::ensure_directory(&real).unwrap());
    let link = home.path().join("link");
    symlink(&real, &link).unwrap();
    let at = |path: &Path| home.run(&["--data-dir", path.to_str().unwrap(), "register", "alice"]);
    at(&link).refused(1, &["symbolic link", "hint: set IPC_DATA_DIR"]);
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    at(&file).refused(1, &["is not a directory", "hint: "]);
    assert_eq!(std::fs::read_dir(&real).unwrap().count(), 0);
    let foreign = rustix::process::geteuid().as_raw() + 1;
    if std::os::unix::fs::chown(&real, Some(foreign), None).is_ok() {
        let whose = format!("belongs to user {foreign}, not to you");
        at(&real).refused(1, &[&whose, "hint: set IPC_DATA_DIR"]);
        assert_eq!(std::fs::read_dir(&real).unwrap().count(), 0);
    } else {
        // Who may give nothing away is not root, and root's own directory is another's.
        at(Path::new("/")).refused(
            1,
            &["belongs to user 0, not to you", "hint: set IPC_DATA_DIR"],
        );
    }
}

#[test]
fn a_database_of_another_program_is_said_and_left_untouched() {
    let make = "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute('CREATE TABLE precious (x)')
db.commit()";
    let home = Home::new();
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    let path = home.data_dir().database();
    assert!(python(make).arg(&path).status().unwrap().success());
    for (bytes, what) in [
        (std::fs::read(&path).unwrap(), "without an owner's mark"),
        (b"Dear diary, today".to_vec(), "not a SQLite database"),
    ] {
        std::fs::write(&path, &bytes).unwrap();
        let first = home.run(&["register", "alice"]);
        first.refused(3, &[what, "has not been touched", "hint: move it away"]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        assert!(
            !home.data_dir().secret().exists(),
            "a refused start makes nothing"
        );
    }
}

#[test]
fn a_file_in_the_place_of_the_socket_is_said_and_left_untouched() {
    let home = Home::new();
    drop(private::ensure_directory(home.data_dir().root()).unwrap());
    std::fs::write(home.data_dir().socket(), "mine").unwrap();
    let first = home.run(&["register", "alice"]);
    first.refused(
        3,
        &[
            "is not a socket",
            "has not been touched",
            "hint: move it away",
        ],
    );
    assert_eq!(std::fs::read(home.data_dir().socket()).unwrap(), b"mine");
}

#[test]
fn a_directory_named_from_here_is_the_same_for_the_daemon_which_runs_elsewhere() {
    let home = Home::new();
    let here = |line: &[&str]| {
        let mut command = home.command(&[&["--data-dir", ".claude-ipc-data"], line].concat());
        Said::of(&command.current_dir(home.path()).output().unwrap())
    };
    assert_eq!(here(&["register", "alice"]).status, 0);
    assert_eq!(here(&["--as", "alice", "whoami"]).status, 0);
    assert!(home.ok(&["--as", "alice", "whoami"]).contains("alice"));
}

#[test]
fn a_stale_socket_is_no_obstacle() {
    let home = Home::new();
    home.ok(&["register", "alice"]);
    let pid = Pid::from_raw(i32::try_from(home.daemon_pid()).unwrap()).unwrap();
    let handle = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    let mut ended = [rustix::event::PollFd::new(
        &handle,
        rustix::event::PollFlags::IN,
    )];
    rustix::event::poll(&mut ended, None).unwrap();
    assert!(home.data_dir().socket().exists());
    assert!(home.ok(&["--as", "alice", "check"]).contains("no new mail"));
    assert_ne!(
        home.daemon_pid(),
        u32::try_from(pid.as_raw_nonzero().get()).unwrap()
    );
}

#[test]
fn a_path_too_long_for_a_socket_names_the_variable_that_helps() {
    let home = Home::new();
    let deep = home.path().join("d".repeat(120));
    let line = ["--data-dir", deep.to_str().unwrap(), "register", "alice"];
    home.run(&line)
        .refused(2, &["107 fit", "hint: set IPC_SOCKET"]);
    assert!(!deep.exists());
    let short = home.path().join("s");
    let with_socket = |line: &[&str]| {
        let line = [&["--data-dir", deep.to_str().unwrap()], line].concat();
        Said::of(
            &home
                .command(&line)
                .env("IPC_SOCKET", &short)
                .output()
                .unwrap(),
        )
    };
    assert_eq!(with_socket(&["register", "alice"]).status, 0);
    assert_eq!(std::fs::metadata(&short).unwrap().mode() & 0o777, 0o600);
    assert_eq!(with_socket(&["--as", "alice", "whoami"]).status, 0);
    assert_eq!(with_socket(&["daemon", "stop"]).status, 0);
    assert!(
        program().exists() && !short.exists(),
        "the socket went with its daemon"
    );
}
