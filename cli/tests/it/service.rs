//! Under a service manager: the units, the socket that it hands over, and what it is told.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Agent, Home, Running, Said, ServiceManager, after, program};

/// A `systemctl` in a directory of its own that notes how it was called.
fn systemctl(home: &Home) -> (PathBuf, PathBuf) {
    let (directory, calls) = (home.path().join("bin"), home.path().join("calls"));
    std::fs::create_dir(&directory).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {}\ncase \"$2\" in is-active) echo inactive; exit 3;; esac\n",
        calls.display()
    );
    let path = directory.join("systemctl");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    (directory, calls)
}

fn service(home: &Home, path: &str, line: &[&str]) -> Said {
    let mut command = home.command(&[&["service"], line].concat());
    Said::of(&command.env("PATH", path).output().unwrap())
}

fn units(home: &Home) -> PathBuf {
    home.path().join(".config/systemd/user")
}

/// The calls that were noted, those that only look left out.
fn changes(calls: &Path) -> Vec<String> {
    let called = std::fs::read_to_string(calls).unwrap();
    let lines = called.lines().filter(|line| !line.contains("is-active"));
    lines.map(str::to_owned).collect()
}

#[test]
fn the_service_is_installed_with_two_units_for_this_program_and_this_directory() {
    let home = Home::new();
    let (bin, calls) = systemctl(&home);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let said = service(&home, &path, &["install"]);
    assert_eq!(said.status, 0, "{said:?}");
    let expected = [
        "--user show-environment",
        "--user daemon-reload",
        "--user enable --now ipc.socket",
    ];
    assert_eq!(changes(&calls), expected);
    let unit = |name: &str| std::fs::read_to_string(units(&home).join(name)).unwrap();
    let (root, program) = (home.data_dir().root().display().to_string(), program());
    let start = format!(
        "ExecStart=\"{}\" --data-dir \"{root}\" daemon run",
        program.display()
    );
    let (service_unit, socket_unit) = (unit("ipc.service"), unit("ipc.socket"));
    let has = |unit: &str, wanted: &str| unit.lines().any(|line| line == wanted);
    assert!(has(&service_unit, &start), "{service_unit}");
    assert!(has(&service_unit, "Type=notify"));
    assert!(has(&socket_unit, &format!("ListenStream={root}/ipc.sock")));
    assert!(has(&socket_unit, "SocketMode=0600"));
    let status = service(&home, &path, &["status", "--json"]).out;
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["installed"], true);
    assert_eq!(status["socket"], "inactive");
}

#[test]
fn uninstalling_takes_away_exactly_what_installing_put_there() {
    let home = Home::new();
    let (bin, calls) = systemctl(&home);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    assert_eq!(service(&home, &path, &["install"]).status, 0);
    let own = units(&home).join("own.service");
    std::fs::write(&own, "[Unit]\n").unwrap();
    std::fs::write(&calls, "").unwrap();
    let said = service(&home, &path, &["uninstall"]);
    assert!(said.out.contains("the data is still in"), "{said:?}");
    let left = std::fs::read_dir(units(&home)).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [own]);
    let expected = [
        "--user disable --now ipc.socket ipc.service",
        "--user daemon-reload",
    ];
    assert_eq!(changes(&calls), expected);
    assert_eq!(
        service(&home, &path, &["uninstall"]).status,
        0,
        "twice is harmless"
    );
    assert!(home.data_dir().root().exists());
}

#[test]
fn without_systemctl_or_with_one_that_fails_nothing_is_written() {
    let home = Home::new();
    let nothing = home.path().join("empty");
    std::fs::create_dir(&nothing).unwrap();
    let said = service(&home, nothing.to_str().unwrap(), &["install"]);
    said.refused(
        1,
        &[
            "systemctl cannot be run",
            "without systemd nothing is needed",
        ],
    );
    let failing = nothing.join("systemctl");
    std::fs::write(&failing, "#!/bin/sh\necho 'no bus' >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(&failing, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", nothing.display());
    let said = service(&home, &path, &["install"]);
    said.refused(1, &["no bus", "without systemd nothing is needed"]);
    assert!(!units(&home).exists() && !home.data_dir().root().exists());
    let said = service(&home, &path, &["status"]);
    assert!(said.out.contains("not installed"), "{said:?}");
    assert_eq!(service(&home, &path, &["uninstall"]).status, 0);
}

/// Binds the socket and hands it over as descriptor 3, as service managers do.
fn activated(home: &Home, listen_pid: &str) -> Running {
    let socket = home.data_dir().socket().display().to_string();
    let preamble = format!(
        "import socket
os.umask(0o077)
listener = socket.socket(socket.AF_UNIX)
listener.bind('{socket}')
listener.listen()
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS='1', LISTEN_PID=str({listen_pid}))"
    );
    let mut command = after(&preamble, home, &["daemon", "run"]);
    command.env("NOTIFY_SOCKET", home.path().join("notify"));
    Running::start(&mut command)
}

#[test]
fn a_socket_that_the_service_manager_bound_is_served_and_left_in_its_place() {
    let home = Home::new();
    std::fs::create_dir(home.data_dir().root()).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(home.data_dir().root(), private).unwrap();
    let manager = ServiceManager::at(&home);
    let daemon = activated(&home, "os.getpid()");
    assert_eq!(manager.told(), "READY=1");
    let (alice, bob) = (home.register("alice"), home.register("bob"));
    alice.send("bob", "through an inherited socket");
    assert_eq!(bob.texts(), ["through an inherited socket"]);
    let status = home.json(&["status"]);
    assert_eq!(status["pid"], daemon.pid());
    assert_eq!(status["leaves_when_idle"], false);
    home.ok(&["daemon", "stop"]);
    assert_eq!(manager.told(), "STOPPING=1");
    let said = daemon.end();
    assert_eq!(said.status, 0, "{said:?}");
    assert!(
        home.data_dir().socket().exists(),
        "the socket is the service manager's"
    );
}

#[test]
fn a_descriptor_that_was_meant_for_another_process_is_not_taken() {
    let home = Home::new();
    std::fs::create_dir(home.data_dir().root()).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(home.data_dir().root(), private).unwrap();
    let manager = ServiceManager::at(&home);
    // With the listener alive in descriptor 3, the path is somebody else's.
    let refused = activated(&home, "os.getppid()").end();
    refused.refused(1, &["another process listens at"]);
    std::fs::remove_file(home.data_dir().socket()).unwrap();
    let mut command = home.command(&["daemon", "run"]);
    command.env("NOTIFY_SOCKET", manager.path());
    command.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    let daemon = Running::start(&mut command);
    assert_eq!(manager.told(), "READY=1");
    assert!(Agent::called(&home, "nobody").run(&["check"]).status == 2);
    home.register("alice");
    assert_eq!(
        home.json(&["status"])["pid"],
        daemon.pid(),
        "it has bound the socket itself"
    );
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
}

#[test]
fn the_secret_of_the_service_managers_credential_opens_the_door() {
    let home = Home::new();
    let credentials = home.path().join("credentials");
    std::fs::create_dir(&credentials).unwrap();
    let secret = "the secret of the service manager";
    std::fs::write(credentials.join("ipc_shared_secret"), secret).unwrap();
    let manager = ServiceManager::at(&home);
    let mut command = home.command(&["daemon", "run"]);
    command.env("NOTIFY_SOCKET", manager.path());
    command.env("CREDENTIALS_DIRECTORY", &credentials);
    command.env("IPC_SHARED_SECRET", "another one, which comes second");
    let daemon = Running::start(&mut command);
    assert_eq!(manager.told(), "READY=1");
    assert_eq!(
        std::fs::read_to_string(home.data_dir().secret()).unwrap(),
        secret
    );
    home.register("alice");
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
}
