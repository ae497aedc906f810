//! The port itself: when it is there, who gets in, and what is said of it.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;

use ipc_protocol::request::{OldPortTrouble, Status};

use super::client::{OldPort, house, proof, refused, report};
use crate::harness::{House, SECRET};
use crate::rotation::rotation;

/// The secret after a rotation.
const NEW: &str = "the secret that comes after";

#[test]
fn without_a_word_in_the_configuration_there_is_no_old_port() {
    assert_eq!(report(&House::new()), None);
}

#[test]
fn its_use_is_counted_so_that_one_sees_when_it_can_go() {
    let house = house();
    let port = OldPort::of(&house);
    let unused = report(&house).unwrap();
    assert_eq!(
        (unused.requests, unused.agents, unused.last_used_ms),
        (0, 0, None)
    );
    let alice = port.register("alice");
    port.register("bob");
    house.clock.pass(5);
    alice.check();
    port.raw(b"no request");
    let used = report(&house).unwrap();
    assert_eq!((used.requests, used.agents), (3, 2));
    let since = used.last_used_ms.unwrap().as_millis();
    assert_eq!(since, 1_800_000_005_000);
    assert_eq!(used.address, Some(port.0));
    assert_eq!(used.trouble, None);
}

#[test]
fn without_the_raw_secret_the_port_is_closed_and_the_daemon_runs() {
    let mut house = house();
    house.stop().unwrap();
    std::fs::remove_file(house.data_dir().secret()).unwrap();
    house.start_with(None).unwrap();
    let closed = report(&house).unwrap();
    assert_eq!(closed.trouble, Some(OldPortTrouble::NoSecret));
    assert_eq!(closed.address, None);
    house.register("alice");
}

/// What is said of the port once the secret has been compared.
fn settled(house: &House) -> ipc_protocol::request::OldPortReport {
    let new = house.register("settled");
    let mut client = new.client;
    loop {
        let report = client.call(&Status {}).unwrap().old_port.unwrap();
        if report.trouble != Some(OldPortTrouble::Starting) {
            return report;
        }
        std::thread::yield_now();
    }
}

#[test]
fn with_another_secret_than_the_deployments_the_port_is_closed() {
    let mut house = house();
    let before = OldPort::of(&house);
    before.register("alice");
    let alice = house.register("new");
    house.stop().unwrap();
    house.start_with(Some("another secret altogether")).unwrap();
    let mut client = house.reconnect(&alice).unwrap();
    let report = loop {
        let report = client.call(&Status {}).unwrap().old_port.unwrap();
        if report.trouble != Some(OldPortTrouble::Starting) {
            break report;
        }
        std::thread::yield_now();
    };
    assert_eq!(report.trouble, Some(OldPortTrouble::SecretChanged));
    assert_eq!(report.address, None);
}

#[test]
fn a_port_that_another_program_has_is_said_and_the_daemon_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let house = House::with_config(&format!("[legacy]\ntcp = \"{address}\"\n"));
    let closed = settled(&house);
    assert_eq!(closed.trouble, Some(OldPortTrouble::AddressInUse));
    assert_eq!(closed.address, None);
}

#[test]
fn the_port_is_let_go_when_the_daemon_stops() {
    let mut house = house();
    let address: SocketAddr = OldPort::of(&house).0;
    let _silent = TcpStream::connect(address).unwrap();
    house.stop().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn after_a_rotation_tokens_are_over_and_nobody_registers_until_a_restart() {
    let mut house = house();
    let port = OldPort::of(&house);
    let alice = port.register("alice");
    house.operator().call(&rotation(NEW)).unwrap();
    assert_eq!(
        alice.try_check(),
        refused("Invalid or missing session token")
    );
    let text = "The shared secret was changed after the daemon started: `ipc daemon restart`";
    assert_eq!(port.try_register("alice"), refused(text));
    house.stop().unwrap();
    house.start_with(Some(NEW)).unwrap();
    let secret = crate::harness::secret(NEW);
    let mut operator = house.prove(&secret).unwrap();
    let report = operator.call(&Status {}).unwrap().old_port.unwrap();
    let port = OldPort(report.address.unwrap());
    let request = serde_json::json!({
        "action": "register", "instance_id": "alice",
        "auth_token": proof("alice", NEW),
    });
    assert_eq!(port.ask(&request)["message"], "Registered alice");
}

#[test]
fn a_rotation_is_said_in_the_status() {
    let house = house();
    OldPort::of(&house).register("alice");
    let mut operator = house.operator();
    operator.call(&rotation(NEW)).unwrap();
    let report = operator.call(&Status {}).unwrap().old_port.unwrap();
    assert_eq!(report.trouble, Some(OldPortTrouble::Rotated));
}

/// Sends a right registration as user 65534, and prints what comes back.
const FOREIGN: &str = "
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
client = socket.socket()
client.connect(('127.0.0.1', int(sys.argv[1])))
try:
    client.sendall(sys.argv[2].encode())
    print(len(client.recv(65536)))
except OSError:
    print(0)
";

#[test]
fn a_connection_of_another_user_is_closed_unread() {
    let house = house();
    let port = OldPort::of(&house);
    if !rustix::process::geteuid().is_root() {
        // Only root can make a process of another user; that the owner is looked up at all is
        // shown by the connections that pass.
        port.register("alice");
        assert_eq!(report(&house).unwrap().closed_unread, 0);
        return;
    }
    port.register("before");
    let request = serde_json::json!({
        "action": "register", "instance_id": "eve", "auth_token": proof("eve", SECRET),
    });
    let output = Command::new("python3")
        .args(["-I", "-c", FOREIGN])
        .args([port.0.port().to_string(), request.to_string()])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "0\n", "{output:?}");
    let after = report(&house).unwrap();
    assert_eq!((after.closed_unread, after.requests), (1, 1));
    let ids = port.register("before").list().to_string();
    assert!(!ids.contains("eve"), "{ids}");
}
