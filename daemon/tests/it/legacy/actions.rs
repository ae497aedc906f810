//! Every action, its fields and its words.

use std::process::Command;

use ipc_protocol::message::{DeliveryState, Handover};
use ipc_protocol::request::Receipts;
use serde_json::{Value, json};

use super::client::{OldPort, done, house};
use crate::harness::{Agent, SECRET};

/// Whether `text` is a time as Python writes a naive one.
fn is_local_iso(text: &Value) -> bool {
    let text = text.as_str().unwrap();
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00" || shape == "0000-00-00T00:00:00.000000"
}

#[test]
fn every_action_is_answered_in_the_predecessors_words() {
    let house = house();
    let port = OldPort::of(&house);
    let reply = port.try_register("alice");
    assert_eq!(reply["message"], "Registered alice");
    assert_eq!(reply["session_token"].as_str().unwrap().len(), 43);
    assert_eq!(reply.as_object().unwrap().len(), 3, "{reply}");
    let alice = port.register("alice");
    assert_eq!(
        alice.send("bob", "first"),
        done("Message queued for bob (not yet registered)")
    );
    let reply = port.try_register("bob");
    assert_eq!(reply["message"], "Registered bob with 1 queued messages");
    let bob = port.register("bob");
    let message = json!({"content": "second", "data": {"n": [1, null]}});
    let request = json!({"action": "send", "from_id": "alice", "to_id": "bob", "message": message});
    assert_eq!(alice.ask(request), done("Message sent"));
    assert_eq!(alice.broadcast("to all"), done("Broadcast to 1 instances"));
    let mail = bob.check();
    let told: Vec<_> = mail.iter().map(|entry| entry["message"].clone()).collect();
    let expected = [
        json!({"content": "first"}),
        message,
        json!({"content": "to all"}),
    ];
    assert_eq!(told, expected);
    for entry in &mail {
        assert_eq!(
            (&entry["from"], &entry["to"]),
            (&json!("alice"), &json!("bob"))
        );
        assert!(is_local_iso(&entry["timestamp"]), "{entry}");
        assert_eq!(entry.as_object().unwrap().len(), 4, "{entry}");
    }
    assert_eq!(bob.try_check(), json!({"status": "ok", "messages": []}));
    let listed = bob.list();
    let instances = listed["instances"].as_array().unwrap();
    let ids: Vec<_> = instances
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["alice", "bob"]);
    assert!(instances.iter().all(|row| is_local_iso(&row["last_seen"])));
    assert_eq!(bob.rename("robert"), done("Renamed bob to robert"));
    assert_eq!(alice.texts(), ["📝 bob renamed to robert"]);
    let reply = alice.send("bob", "third");
    assert_eq!(reply, done("Message forwarded from bob to robert"));
    assert_eq!(alice.broadcast("again"), done("Broadcast to 1 instances"));
}

#[test]
fn a_notice_of_the_daemon_is_from_system() {
    let house = house();
    let port = OldPort::of(&house);
    let (alice, bob) = (port.register("alice"), port.register("bob"));
    bob.rename("robert");
    let entry = alice.check().remove(0);
    assert_eq!(
        (&entry["from"], &entry["to"]),
        (&json!("system"), &json!("alice"))
    );
    let mut carol = house.register("carol");
    alice.send("carol", "hello");
    carol.call(&ipc_protocol::request::Unregister {}).unwrap();
    let text = alice.texts().remove(0);
    assert!(text.contains("to carol will not be delivered"), "{text}");
}

#[test]
fn a_broadcast_that_reaches_nobody_is_no_error() {
    let house = house();
    let alone = OldPort::of(&house).register("alice");
    assert_eq!(
        alone.broadcast("anybody?"),
        done("Broadcast to 0 instances")
    );
}

/// Waits until the first message that `sender` sent has come as far as `state`.
fn wait_for(sender: &mut Agent, state: DeliveryState) -> Option<Handover> {
    loop {
        let page = sender.call(&Receipts::default()).unwrap();
        let delivery = page.receipts.last().unwrap().deliveries.first().unwrap();
        if delivery.state == state {
            return delivery.handover;
        }
        std::thread::yield_now();
    }
}

#[test]
fn mail_goes_both_ways_between_the_old_port_and_native_agents() {
    let house = house();
    let old = OldPort::of(&house).register("old");
    let mut new = house.register("new");
    new.send("old", "from the new one");
    assert_eq!(old.texts(), ["from the new one"]);
    let how = wait_for(&mut new, DeliveryState::Delivered);
    assert_eq!(how, Some(Handover::OldPort));
    assert_eq!(old.send("new", "from the old one"), done("Message sent"));
    let mail = new.fetch().remove(0);
    assert_eq!(mail.text, "from the old one");
    let from = mail.from.unwrap();
    assert_eq!((from.name.as_str(), from.incarnation), ("old", 0));
    assert_eq!(mail.provenance, None, "nothing names the process");
}

#[test]
fn what_was_sent_natively_keeps_its_provenance_beside_the_old_port() {
    let house = house();
    let mut new = house.register("new");
    let mut other = house.register("other");
    other.send("new", "hello");
    assert_eq!(
        new.fetch().remove(0).provenance.unwrap().pid,
        std::process::id()
    );
}

/// A script in the manner of the predecessor's: one socket for each request, one read.
const SCRIPT: &str = r#"
import hashlib, json, os, socket, sys

def ask(request):
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    client.settimeout(5.0)
    client.connect(("127.0.0.1", int(sys.argv[1])))
    client.send(json.dumps(request).encode("utf-8"))
    reply = json.loads(client.recv(65536).decode("utf-8"))
    client.close()
    return reply

secret = os.environ["IPC_SHARED_SECRET"]

def register(name):
    token = hashlib.sha256(f"{name}:{secret}".encode()).hexdigest()
    reply = ask({"action": "register", "instance_id": name, "auth_token": token})
    print(reply["message"])
    return reply["session_token"]

fred, barney = register("fred"), register("barney")
sent = ask({"action": "send", "from_id": "fred", "to_id": "barney", "session_token": fred,
            "message": {"content": "yabba dabba dö 📝", "data": {}}})
print(sent["message"])
for message in ask({"action": "check", "instance_id": "barney", "session_token": barney})["messages"]:
    print(message["from"], message["message"]["content"], message["message"].get("data"))
print([row["id"] for row in ask({"action": "list", "session_token": fred})["instances"]])
print(ask({"action": "rename", "old_id": "fred", "new_id": "fred-2", "session_token": fred})["message"])
print(ask({"action": "broadcast", "from_id": "fred", "session_token": fred,
           "message": {"content": "bye"}})["message"])
print(len(ask({"action": "check", "instance_id": "barney", "session_token": barney})["messages"]))
"#;

#[test]
fn a_script_that_was_written_for_the_predecessor_works_unchanged() {
    let house = house();
    let port = OldPort::of(&house).0.port().to_string();
    let output = Command::new("python3")
        .args(["-I", "-c", SCRIPT, &port])
        .env("IPC_SHARED_SECRET", SECRET)
        .env("PYTHONIOENCODING", "utf-8")
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected = "Registered fred\n\
                    Registered barney\n\
                    Message sent\n\
                    fred yabba dabba dö 📝 None\n\
                    ['barney', 'fred']\n\
                    Renamed fred to fred-2\n\
                    Broadcast to 1 instances\n\
                    2\n";
    assert_eq!(said, expected, "{errors}");
}
