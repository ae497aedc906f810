//! The shared secret: made, replaced, and found to be another one.

use ipc_protocol::auth::{Kdf, KdfName};
use ipc_protocol::error::ErrorCode;
use ipc_protocol::request::{
    AdminRevoke, AdminRotateSecret, ChallengeSalt, Enrolment, NewVerifier, Status, WhenLive,
};
use ipc_protocol::secret::SharedSecret;

use crate::harness::{House, SECRET, code, registration, secret};

pub(crate) fn rotation(new: &str) -> AdminRotateSecret {
    let secret = SharedSecret::new(new.as_bytes().to_vec()).unwrap();
    let salt = vec![5; 16];
    let verifier = |kdf: Kdf| {
        let verifier = kdf.derive(&secret, &salt).unwrap().verifier();
        NewVerifier {
            kdf: kdf.name(),
            params: kdf.to_string(),
            salt: ChallengeSalt::new(salt.clone()),
            stored_key: ipc_protocol::auth::Bytes(verifier.stored_key),
            server_key: ipc_protocol::auth::Bytes(verifier.server_key),
        }
    };
    AdminRotateSecret {
        verifiers: vec![verifier(Kdf::ARGON2ID), verifier(Kdf::SCRYPT)],
    }
}

const NEW_SECRET: &str = "a new and better secret";

#[test]
fn after_a_rotation_only_the_new_secret_enrols_and_mail_is_kept() {
    let house = House::new();
    let (mut alice, mut bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "kept");
    let mut operator = house.operator();
    assert_eq!(
        code(alice.call(&rotation(NEW_SECRET))),
        ErrorCode::Forbidden
    );
    let rotated = operator.call(&rotation(NEW_SECRET)).unwrap();
    assert_eq!(rotated.sessions, 2);
    assert_eq!(code(bob.whoami()), ErrorCode::Expired);
    assert_eq!(
        code(house.prove(&secret(SECRET))),
        ErrorCode::Unauthenticated
    );
    let mut newcomer = house.prove(&secret(NEW_SECRET)).unwrap();
    newcomer
        .call(&registration("carol", WhenLive::Refuse))
        .unwrap();
    let mut bob = house.resume(bob.resume(), "bob", WhenLive::Join).unwrap();
    assert_eq!(bob.check(), ["kept"]);
}

#[test]
fn whoever_proved_the_old_secret_in_time_can_do_nothing_with_it_after_a_rotation() {
    let house = House::new();
    let bob = house.register("bob");
    let mut late: Vec<_> = (0..3).map(|_| house.operator()).collect();
    house.operator().call(&rotation(NEW_SECRET)).unwrap();
    let enrolled = late[0].call(&registration("mallory", WhenLive::Refuse));
    assert_eq!(code(enrolled.map(|_| ())), ErrorCode::Unauthenticated);
    let back = late[1].call(&rotation(SECRET));
    assert_eq!(code(back), ErrorCode::Unauthenticated);
    let revoked = late[2].call(&AdminRevoke {
        name: "bob".parse().unwrap(),
    });
    assert_eq!(code(revoked), ErrorCode::Unauthenticated);
    assert!(house.resume(bob.resume(), "bob", WhenLive::Join).is_ok());
}

#[test]
fn a_rotation_in_the_first_moment_leaves_no_verifier_of_the_old_secret() {
    let rotation = rotation(NEW_SECRET);
    let mut house = House::empty();
    house.start().unwrap();
    // The daemon still derives its second verifier of the first secret.
    house.operator().call(&rotation).unwrap();
    house.stop().unwrap();
    let sql = "SELECT count(DISTINCT kid), count(*) FROM verifiers";
    let count = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let found: (u32, u32) = house.database().query_row(sql, [], count).unwrap();
    assert_eq!(found, (1, 2), "one secret, two derivations");
}

#[test]
fn a_malformed_rotation_changes_nothing() {
    let house = House::new();
    let mut operator = house.operator();
    let mut one = rotation(NEW_SECRET);
    one.verifiers.pop();
    assert_eq!(code(operator.call(&one)), ErrorCode::Malformed);
    let mut cheap = rotation(NEW_SECRET);
    cheap.verifiers[0].params = "m=8,t=1,p=1".to_owned();
    assert_eq!(code(operator.call(&cheap)), ErrorCode::Malformed);
    let mut unsalted = rotation(NEW_SECRET);
    unsalted.verifiers[1].salt = ChallengeSalt::new(vec![1; 15]);
    assert_eq!(code(operator.call(&unsalted)), ErrorCode::Malformed);
    let mut swapped = rotation(NEW_SECRET);
    swapped.verifiers.swap(0, 1);
    assert_eq!(swapped.verifiers[0].kdf, KdfName::Scrypt);
    assert_eq!(code(operator.call(&swapped)), ErrorCode::Malformed);
    assert!(house.prove(&secret(SECRET)).is_ok());
}

#[test]
fn a_start_with_another_secret_stops_enrolling_and_nothing_else() {
    let mut house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "still here");
    house.stop().unwrap();
    house.start_with(Some(NEW_SECRET)).unwrap();
    let mut bob = house.resume(bob.resume(), "bob", WhenLive::Refuse).unwrap();
    while bob.call(&Status {}).unwrap().enrolment == Enrolment::Unchecked {}
    assert_eq!(
        code(house.prove(&secret(NEW_SECRET))),
        ErrorCode::SecretChanged
    );
    let mut operator = house.operator();
    let enrolled = operator.call(&registration("carol", WhenLive::Refuse));
    assert_eq!(code(enrolled.map(|_| ())), ErrorCode::SecretChanged);
    assert_eq!(bob.check(), ["still here"]);
    operator.call(&rotation(NEW_SECRET)).unwrap();
    let mut newcomer = house.prove(&secret(NEW_SECRET)).unwrap();
    newcomer
        .call(&registration("carol", WhenLive::Refuse))
        .unwrap();
}

#[test]
fn a_first_start_without_any_secret_makes_one_and_is_still_closed() {
    use std::os::unix::fs::PermissionsExt;
    let mut house = House::empty();
    house.start_with(None).unwrap();
    let path = house.data_dir().secret();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let made = std::fs::read_to_string(&path).unwrap();
    assert_eq!(made.len(), 43, "256 bits");
    assert!(house.prove(&secret(SECRET)).is_err());
    assert!(house.prove(&secret(&made)).is_ok());
    house.stop().unwrap();
    house.start_with(None).unwrap();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        made,
        "never a second one"
    );
    assert!(house.prove(&secret(&made)).is_ok());
}

#[test]
fn a_store_with_verifiers_needs_no_secret_to_start_and_makes_none() {
    let mut house = House::new();
    house.stop().unwrap();
    let path = house.data_dir().secret();
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        SECRET,
        "for hosts that scrub it"
    );
    std::fs::remove_file(&path).unwrap();
    house.start_with(None).unwrap();
    assert!(!path.exists());
    house.register("alice");
    let status = house.operator().call(&Status {}).unwrap();
    assert_eq!(status.enrolment, Enrolment::Unchecked);
}

#[test]
fn losing_the_deployment_key_ends_every_credential_and_keeps_the_mail() {
    let mut house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", "kept");
    house.stop().unwrap();
    std::fs::remove_file(house.data_dir().daemon_key()).unwrap();
    house.start().unwrap();
    for credential in [&bob.registered.session, bob.resume()] {
        let credential = ipc_protocol::auth::Credential::Token(crate::harness::copy(credential));
        assert_eq!(code(house.prove(&credential)), ErrorCode::Unauthenticated);
    }
    let status = house.operator().call(&Status {}).unwrap();
    assert_eq!((status.messages, status.waiting), (1, 1));
}
