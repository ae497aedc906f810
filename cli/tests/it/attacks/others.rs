//! Connections of somebody else: another user, and a process that is no more.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use ipc_protocol::request::HostProcess;
use rustix::net::{AddressFamily, SocketType};
use serde_json::json;

use super::Resident;
use crate::harness::stranger::{Stranger, secret};
use crate::harness::{Home, Measured, Running, python};

/// Says hello to the socket at its first argument as user 65534 and prints how that ends. A stream
/// that is closed with something unread in it ends with a reset (`unix(7)`).
const FOREIGN: &str = "
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1])
client.sendall(bytes.fromhex(sys.argv[2]))
print('sent', flush=True)
try:
    print(len(client.recv(4096)), flush=True)
except ConnectionResetError:
    print('closed unread', flush=True)
";

fn hello() -> Vec<u8> {
    let hello = json!({"v": 1, "cred": "secret", "cn": "A".repeat(43), "kdfs": ["argon2id"]});
    crate::harness::stranger::call(1, "hello", &hello)
}

/// What becomes of a hello that another user says to a socket that everybody can reach. Whoever is
/// not root cannot make a process of another user: for them the same look at a connection is shown
/// by `a_connection_of_another_user_is_closed_with_its_bytes_unread` of the daemon, as root and not.
#[test]
fn another_user_past_opened_modes_is_closed_before_a_byte_is_read() {
    let home = Home::new();
    let open = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
    let everybodys = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(open.path(), everybodys(0o777)).unwrap();
    let socket = open.path().join("s");
    let mut command = home.command(&["daemon", "run", "--autostarted"]);
    let daemon = Measured::run(&home, command.env("IPC_SOCKET", &socket));
    std::fs::set_permissions(&socket, everybodys(0o777)).unwrap();
    let own = FOREIGN.replace("65534", &rustix::process::geteuid().as_raw().to_string());
    let own = own.replace("os.setgroups([])\nos.setgid", "os.getgid() or str");
    for (script, ends) in [(own.as_str(), None), (FOREIGN, Some("closed unread\n"))] {
        if ends.is_some() && !rustix::process::geteuid().is_root() {
            continue;
        }
        // The hello is in the socket before the daemon looks.
        daemon.freeze();
        let mut command = python(script);
        command
            .arg(&socket)
            .arg(data_encoding::HEXLOWER.encode(&hello()));
        let mut client = Running::start(command.stdin(Stdio::null()));
        assert_eq!(client.line(), "sent\n");
        daemon.resume();
        let end = client.line();
        match ends {
            Some(words) => assert_eq!(end, words),
            None => assert!(
                end.trim().parse::<u32>().unwrap() > 0,
                "the daemon's own user is answered"
            ),
        }
    }
    let foreign = usize::from(rustix::process::geteuid().is_root());
    assert_eq!(
        daemon.logged("another user's connection was closed"),
        foreign
    );
}

/// Connects its standard input, a socket, to the path that is its argument.
const CONNECT: &str = "
import socket, sys
socket.socket(fileno=0).connect(sys.argv[1])
";

#[test]
fn a_peer_that_was_reaped_before_the_daemon_looked_speaks_for_no_process() {
    let home = Home::new();
    let daemon = Measured::start(&home);
    let mut resident = Resident::move_in(&home);
    let socket: OwnedFd =
        rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    daemon.freeze();
    let mut command = python(CONNECT);
    command.arg(home.data_dir().socket());
    command.stdin(Stdio::from(socket.try_clone().unwrap()));
    let mut child = command.spawn().unwrap();
    assert!(child.wait().unwrap().success());
    // With it goes its copy of the socket.
    drop(command);
    daemon.resume();
    let mut orphan = Stranger::on(socket.into(), child.id());
    let proved = orphan.prove(&secret(&home));
    assert!(proved["error"].is_null(), "the user is right: {proved}");
    // We were the parent of the process that connected, and nobody can tell any more.
    let host = HostProcess {
        pid: std::process::id(),
        program: None,
    };
    let registered = orphan
        .ask("register", &json!({"name": "orphan", "host": host}))
        .unwrap();
    assert!(registered["error"].is_null(), "{registered}");
    let sent = orphan
        .ask("send", &json!({"to": "orphan", "text": "who am I?"}))
        .unwrap();
    assert!(sent["error"].is_null(), "{sent}");
    let mut mail = orphan.ask("fetch", &json!({})).unwrap();
    let provenance = mail["result"]["messages"][0]["provenance"].take();
    assert_eq!(provenance["pid"], child.id());
    assert!(provenance["start_ticks"].is_null(), "{provenance}");
    assert_eq!(resident.status()["live"], 2);
    drop(orphan);
    // An agent with a host is live as long as that runs, and we do.
    while resident.status()["live"] != 1 {
        resident.waits_a_tenth_of_a_second();
    }
    resident.is_well();
}
