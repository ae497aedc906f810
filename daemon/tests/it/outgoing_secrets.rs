//! Credentials in outgoing mail, through the real socket and the old port, and what is on disk.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::leak::Rule;

use ipc_protocol::request::{Conversation, Describe, Forward, HostProcess, Rename, WhenLive};

use crate::harness::{Agent, House, SECRET, code, name, registration, secret};
use crate::legacy::client::{OldPort, house as with_old_port};

/// Put together here, so that no scanner takes this file for a leak.
fn key() -> String {
    ["AK", "IA", "Q3EGRTZ7WXN5PLK2"].concat()
}

/// Whether any file of the deployment holds the key.
fn is_on_disk(house: &House) -> bool {
    let files = std::fs::read_dir(house.path()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    let mut files = files.filter(|path| path.is_file()).peekable();
    assert!(files.peek().is_some());
    files.any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes
            .windows(key().len())
            .any(|part| part == key().as_bytes())
    })
}

#[test]
fn a_credential_is_refused_and_nowhere_on_disk() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let text = format!("AWS_ACCESS_KEY_ID={}", key());
    assert_eq!(code(alice.try_send("bob", &text)), ErrorCode::Forbidden);
    assert!(!is_on_disk(&house));
    alice.send("bob", "the documented AKIAIOSFODNN7EXAMPLE");
    assert_eq!(bob.check(), ["the documented AKIAIOSFODNN7EXAMPLE"]);
}

#[test]
fn a_credential_is_masked_before_it_is_on_disk_where_the_configuration_says_so() {
    let house = House::with_config("[secrets]\noutgoing = \"mask\"\n");
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    let sent = alice.send("bob", &format!("it is {}.", key()));
    assert_eq!(sent.masked, [Rule::AwsAccessKey]);
    assert_eq!(bob.check(), ["it is [masked: aws_access_key]."]);
    assert!(!is_on_disk(&house));
}

/// A credential that fits where a capability does.
fn small() -> String {
    ["hv", "s.", "q7zw3rk9tb5xn1lc8vm2hs6j"].concat()
}

fn describe(status: &str, summary: &str) -> Describe {
    Describe {
        status: Some(status.parse().unwrap()),
        summary: Some(summary.parse().unwrap()),
        ..Describe::default()
    }
}

fn group(title: &str) -> Conversation {
    Conversation::Create {
        title: title.parse().unwrap(),
        members: Vec::new(),
        idempotency_key: None,
    }
}

/// Registrations, a rename and mail to what is a credential, and a capability and a program that are one.
fn refuses_names(house: &House, agent: &mut Agent) {
    let refused = house.try_register(&key());
    assert_eq!(code(refused), ErrorCode::Forbidden);
    let mut request = registration("zoe", WhenLive::Refuse);
    request.host = Some(HostProcess {
        pid: std::process::id(),
        program: Some(key().parse().unwrap()),
    });
    let mut newcomer = house.prove(&secret(SECRET)).unwrap();
    assert_eq!(code(newcomer.call(&request)), ErrorCode::Forbidden);
    let rename = Rename {
        new_name: name(&key()),
    };
    assert_eq!(code(agent.call(&rename)), ErrorCode::Forbidden);
    // Mail would be kept under it for whoever claims it.
    let sent = agent.try_send(&key(), "hello");
    assert_eq!(code(sent), ErrorCode::Forbidden);
    let passed_on = Forward {
        message_id: None,
        to: key().parse().unwrap(),
        idempotency_key: None,
    };
    assert_eq!(code(agent.call(&passed_on)), ErrorCode::Forbidden);
    let capable = Describe {
        capabilities: Some(vec![small().parse().unwrap()].try_into().unwrap()),
        ..Describe::default()
    };
    assert_eq!(code(agent.call(&capable)), ErrorCode::Forbidden);
}

#[test]
fn a_credential_in_what_an_agent_says_of_itself_or_of_a_group_is_refused_and_nowhere_on_disk() {
    let house = House::new();
    let mut alice = house.register("alice");
    let said = format!("it is {}", key());
    let refused = alice.call(&describe(&said, "")).unwrap_err().to_string();
    assert!(refused.contains("the status holds") && refused.contains("aws_access_key"));
    assert!(!refused.contains(&key()));
    assert_eq!(code(alice.call(&describe("", &said))), ErrorCode::Forbidden);
    assert_eq!(code(alice.call(&group(&said))), ErrorCode::Forbidden);
    refuses_names(&house, &mut alice);
    assert!(!is_on_disk(&house));
    alice.call(&describe("AKIAIOSFODNN7EXAMPLE", "")).unwrap();
}

#[test]
fn it_is_masked_there_where_the_configuration_says_so_and_names_are_refused() {
    let house = House::with_config("[secrets]\noutgoing = \"mask\"\n");
    let mut alice = house.register("alice");
    let said = format!("it is {}", key());
    let told = alice.call(&describe(&said, &said)).unwrap();
    let masked = "it is [masked: aws_access_key]";
    assert_eq!(told.status.unwrap().as_str(), masked);
    assert_eq!(told.summary.unwrap().as_str(), masked);
    let made = alice.call(&group(&said)).unwrap().conversations.remove(0);
    assert_eq!(made.title.unwrap().as_str(), masked);
    refuses_names(&house, &mut alice);
    assert!(!is_on_disk(&house));
}

#[test]
fn a_credential_is_refused_over_the_old_port_too() {
    let house = with_old_port();
    let alice = OldPort::of(&house).register("alice");
    let said = alice.send("bob", &format!("it is {}", key()));
    assert_eq!(said["status"], "error", "{said}");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("aws_access_key, at byte 6"), "{message}");
    let said = OldPort::of(&house).try_register(&key());
    assert_eq!(said["status"], "error", "{said}");
    assert!(!is_on_disk(&house));
}
