//! Credentials in outgoing mail, through the real socket and the old port, and what is on disk.

use ipc_protocol::error::ErrorCode;
use ipc_protocol::leak::Rule;

use crate::harness::{House, code};
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

#[test]
fn a_credential_is_refused_over_the_old_port_too() {
    let house = with_old_port();
    let alice = OldPort::of(&house).register("alice");
    let said = alice.send("bob", &format!("it is {}", key()));
    assert_eq!(said["status"], "error", "{said}");
    let message = said["message"].as_str().unwrap();
    assert!(message.contains("aws_access_key, at byte 6"), "{message}");
    assert!(!is_on_disk(&house));
}
