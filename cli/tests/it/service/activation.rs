//! The socket that a service manager hands over, and what it is told.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};
use rustix::io::Errno;

use crate::harness::{Agent, Home, Running, ServiceManager, after};

/// A home with a data directory in which nothing is.
fn prepared() -> Home {
    let home = Home::new();
    std::fs::create_dir(home.data_dir().root()).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(home.data_dir().root(), private).unwrap();
    home
}

/// Binds the socket and hands it over as descriptor 3, as service managers do, with this process
/// id, a Python expression.
fn activated(home: &Home, listen_pid: &str) -> Running {
    let said = format!("LISTEN_FDS='1', LISTEN_PID=str({listen_pid})");
    Running::start(&mut handed_over(home, "listener.listen()", &said))
}

/// The daemon with a socket at its path as descriptor 3, and with what the environment says of it.
/// Somebody else has the socket as well, as a service manager does, until nobody waits for the daemon.
fn handed_over(home: &Home, made: &str, said: &str) -> Command {
    let socket = home.data_dir().socket().display().to_string();
    let preamble = format!(
        "import socket
os.umask(0o077)
listener = socket.socket(socket.AF_UNIX)
listener.bind('{socket}')
{made}
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
if os.fork() == 0:
    os.closerange(1, 3)
    os.closerange(4, 256)
    os.read(0, 1)
    os._exit(0)
os.environ.update({said})"
    );
    let mut command = after(&preamble, home, &["daemon", "run"]);
    command.env("NOTIFY_SOCKET", home.path().join("notify"));
    command.stdin(Stdio::piped());
    command
}

#[test]
fn a_socket_that_the_service_manager_bound_is_served_and_left_in_its_place() {
    let home = prepared();
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
fn beside_a_socket_that_was_handed_over_nothing_of_the_starter_is_kept() {
    let home = prepared();
    let manager = ServiceManager::at(&home);
    let pipe = home.path().join("pipe");
    mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
    let made = format!(
        "listener.listen()
os.dup2(os.open('{}', os.O_RDWR), 99)",
        pipe.display()
    );
    let said = "LISTEN_FDS='1', LISTEN_PID=str(os.getpid())";
    let daemon = Running::start(&mut handed_over(&home, &made, said));
    assert_eq!(manager.told(), "READY=1");
    home.register("alice");
    assert_eq!(home.json(&["status"])["pid"], daemon.pid());
    // It cannot be opened for writing alone where nobody has it for reading.
    let write = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let refused = rustix::fs::open(&pipe, write, Mode::empty());
    assert_eq!(refused.unwrap_err(), Errno::NXIO);
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
}

#[test]
fn a_descriptor_that_was_meant_for_another_process_is_not_taken() {
    let home = prepared();
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

/// Attack 51.
#[test]
fn a_descriptor_is_never_adopted_on_a_wrong_or_garbled_word() {
    let own = "str(os.getpid())";
    let foreign = [
        "'1'",
        "''",
        "'x'",
        "str(os.getppid())",
        "'0' + str(os.getpid())",
    ];
    let garbled = ["'0'", "'2'", "''", "'-1'", "'one'", "'9999999999'", "'1 '"];
    let not_meant = foreign.map(|pid| format!("LISTEN_FDS='1', LISTEN_PID={pid}"));
    let not_meant = not_meant.into_iter().chain(["LISTEN_FDS='1'".to_owned()]);
    let wrong = garbled.map(|count| format!("LISTEN_FDS={count}, LISTEN_PID={own}"));
    let elsewhere = format!("LISTEN_FDS='1', LISTEN_PID={own}, LISTEN_FDS_FIRST_FD='3'");
    let all = not_meant.map(|said| (said, "another process listens at"));
    let garbled = wrong.into_iter().chain([elsewhere]);
    let all = all.chain(garbled.map(|said| (said, "something else than one socket")));
    for (said, why) in all {
        let home = prepared();
        let manager = ServiceManager::at(&home);
        // An empty variable is none.
        let why = if said.contains("LISTEN_FDS=''") {
            "another process listens at"
        } else {
            why
        };
        let mut command = handed_over(&home, "listener.listen()", &said);
        let refused = Running::start(&mut command).end();
        assert_eq!(refused.status, 1, "{said}: {refused:?}");
        assert!(refused.err.contains(why), "{said}: {refused:?}");
        assert_eq!(manager.told_so_far(), "", "{said}");
    }
}

#[test]
fn what_is_handed_over_and_does_not_listen_is_refused() {
    let said = "LISTEN_FDS='1', LISTEN_PID=str(os.getpid())";
    let file = "listener = open(os.devnull)";
    let datagram = "listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)";
    for (made, why) in [
        ("pass", "does not listen"),
        (file, "not a socket"),
        (datagram, "not a valid unix stream socket"),
    ] {
        let home = prepared();
        let refused = Running::start(&mut handed_over(&home, made, said)).end();
        refused.refused(1, &[why]);
    }
}

#[test]
fn the_service_manager_hears_that_the_daemon_is_at_work_as_often_as_it_asks() {
    let home = prepared();
    let manager = ServiceManager::at(&home);
    let mut command = home.command(&["daemon", "run"]);
    command.env("NOTIFY_SOCKET", manager.path());
    command.env("WATCHDOG_USEC", "200000");
    let daemon = Running::start(&mut command);
    assert_eq!(manager.told(), "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.told(), "WATCHDOG=1");
    }
    home.ok(&["daemon", "stop"]);
    assert_eq!(daemon.end().status, 0);
    let rest = manager.told_so_far();
    assert!(rest.ends_with("STOPPING=1"), "{rest}");
}

#[test]
fn who_does_not_ask_hears_no_heartbeat() {
    let foreign = [("WATCHDOG_USEC", "100000"), ("WATCHDOG_PID", "1")];
    let garbled = [("WATCHDOG_USEC", "soon"), ("WATCHDOG_PID", "")];
    let zero = [("WATCHDOG_USEC", "0"), ("WATCHDOG_PID", "")];
    for variables in [foreign, garbled, zero] {
        let home = prepared();
        let manager = ServiceManager::at(&home);
        let mut command = home.command(&["daemon", "run"]);
        command.env("NOTIFY_SOCKET", manager.path()).envs(variables);
        let daemon = Running::start(&mut command);
        assert_eq!(manager.told(), "READY=1");
        home.register("alice");
        home.ok(&["daemon", "stop"]);
        assert_eq!(daemon.end().status, 0);
        assert_eq!(manager.told_so_far(), "STOPPING=1", "{variables:?}");
    }
}
