//! An older kernel, made on this one: calls that it would not have are answered as it would.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use ipc_daemon::sandbox::{SandboxError, SandboxPolicy, enter};
use ipc_protocol::paths::DataDir;
use ipc_protocol::request::Sandbox;
use rustix::process::Signal;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Answers `ENOSYS` to `call` from now on.
fn forget(call: i64) {
    let rules = BTreeMap::from([(call, Vec::new())]);
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, absent, machine).unwrap();
    seccompiler::apply_filter(&BpfProgram::try_from(filter).unwrap()).unwrap();
}

fn enter_as(policy: SandboxPolicy, room: &Path) -> Result<Sandbox, SandboxError> {
    let data_dir = DataDir::new(room.join("data"), None).unwrap();
    enter(policy, &data_dir).map(|inside| inside.holds())
}

fn missing(outcome: Result<Sandbox, SandboxError>, word: &str) {
    match outcome {
        Err(SandboxError::Missing(what)) => assert!(what.contains(word), "{what}"),
        other => panic!("{other:?}"),
    }
}

pub(super) fn without_landlock_a_daemon_that_requires_it_does_not_start(room: &Path) {
    forget(libc::SYS_landlock_create_ruleset);
    missing(enter_as(SandboxPolicy::Require, room), "Landlock");
}

pub(super) fn without_landlock_the_filter_holds_and_it_is_said(room: &Path) {
    forget(libc::SYS_landlock_create_ruleset);
    let holds = enter_as(SandboxPolicy::BestEffort, room).unwrap();
    assert_eq!((holds.landlock, holds.system_calls), (0, true));
    assert!(std::net::TcpListener::bind("127.0.0.1:0").is_err());
}

pub(super) fn without_seccomp_a_daemon_that_requires_it_does_not_start(room: &Path) {
    forget(libc::SYS_seccomp);
    missing(enter_as(SandboxPolicy::Require, room), "system calls");
}

pub(super) fn without_seccomp_files_are_closed_and_it_is_said(room: &Path) {
    forget(libc::SYS_seccomp);
    let holds = enter_as(SandboxPolicy::BestEffort, room).unwrap();
    assert!(holds.landlock >= 1 && !holds.system_calls, "{holds:?}");
    assert!(std::fs::read("/etc/passwd").is_err());
}

pub(super) fn without_seccomp_nothing_in_the_data_directory_can_be_run(room: &Path) {
    forget(libc::SYS_seccomp);
    let program = room.join("data/program");
    assert!(Command::new(&program).status().unwrap().success());
    enter_as(SandboxPolicy::BestEffort, room).unwrap();
    let refused = Command::new(&program).status().unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::PermissionDenied);
}

pub(super) fn without_seccomp_no_other_process_can_be_signalled(room: &Path) {
    forget(libc::SYS_seccomp);
    let parent = i32::try_from(std::os::unix::process::parent_id()).unwrap();
    let parent = rustix::process::Pid::from_raw(parent).unwrap();
    rustix::process::kill_process(parent, Signal::CONT).unwrap();
    let holds = enter_as(SandboxPolicy::BestEffort, room).unwrap();
    let refused = rustix::process::kill_process(parent, Signal::CONT);
    // Landlock knows signals from its version 6 on.
    assert_eq!(refused.is_err(), holds.landlock >= 6, "{holds:?}");
}

pub(super) fn a_thread_that_is_there_first_is_refused(room: &Path) {
    let (_keep, wait) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::Builder::new().name("first".to_owned());
    let _first = thread.spawn(move || wait.recv()).unwrap();
    let outcome = enter_as(SandboxPolicy::BestEffort, room);
    assert!(
        matches!(outcome, Err(SandboxError::Threads(2))),
        "{outcome:?}"
    );
}

pub(super) fn turned_off_it_holds_nothing_and_says_so(room: &Path) {
    let holds = enter_as(SandboxPolicy::Off, room).unwrap();
    assert_eq!(holds, Sandbox::default());
    assert!(std::fs::read("/etc/passwd").is_ok());
}
