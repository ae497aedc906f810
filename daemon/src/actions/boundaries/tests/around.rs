//! Ways around a boundary: groups, broadcasts, names that were nobody's.

use ipc_protocol::request::Conversation;

use super::*;

#[test]
fn whoever_is_blocked_or_a_stranger_brings_nobody_into_a_group() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    say(&mut desk, &alice, "bob", BoundaryRule::Block).unwrap();
    let create = Conversation::Create {
        title: "look at me".parse().unwrap(),
        members: vec!["alice".parse().unwrap()],
        idempotency_key: None,
    };
    assert_eq!(desk.converse(&bob, &create).err(), Some(ErrorCode::Blocked));
    assert!(desk.converse(&carol, &create).is_ok());
    hold_strangers(&mut desk, &alice, true);
    assert_eq!(
        desk.converse(&carol, &create).err(),
        Some(ErrorCode::Blocked)
    );
    say(&mut desk, &alice, "carol", BoundaryRule::Allow).unwrap();
    assert!(desk.converse(&carol, &create).is_ok());
    let groups = "SELECT count(*) FROM members WHERE agent = (SELECT agent FROM names
                  WHERE folded = 'alice')";
    assert_eq!(desk.number(groups), 2, "what was refused left nothing");
}

#[test]
fn a_broadcast_that_one_held_stays_part_of_no_conversation() {
    let mut desk = Desk::new();
    let [alice, bob, carol] = trio(&mut desk);
    hold_strangers(&mut desk, &bob, true);
    desk.send(&alice, "all", "to everybody").unwrap();
    say(&mut desk, &bob, "alice", BoundaryRule::Allow).unwrap();
    for reader in [&bob, &carol] {
        let mail = desk.fetch(reader).remove(0);
        assert_eq!(
            (mail.text.as_str(), mail.conversation),
            ("to everybody", None)
        );
    }
}

#[test]
fn who_was_allowed_is_not_who_enrols_first_under_a_name_that_was_nobodys() {
    let mut desk = Desk::new();
    let owner = desk.register("owner", false).unwrap();
    desk.register("friend", false).unwrap();
    // As one that came over the old port, or from an old database.
    let unowned = "UPDATE agents SET incarnation = 0 WHERE agent =
                   (SELECT agent FROM names WHERE folded = 'friend')";
    desk.db.execute(unowned, []).unwrap();
    say(&mut desk, &owner, "friend", BoundaryRule::Allow).unwrap();
    hold_strangers(&mut desk, &owner, true);
    let other = desk.register("friend", false).unwrap();
    desk.send(&other, "owner", "trust me").unwrap();
    assert!(texts(&mut desk, &owner).is_empty());
}
