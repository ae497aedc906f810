//! Damage, backups, and the way back: nothing is replaced in silence, and never by nothing.

use std::os::unix::fs::MetadataExt;

use ipc_daemon::DaemonError;
use ipc_daemon::deployment::DeploymentError;
use ipc_daemon::store::backup;
use ipc_daemon::store::open::OpenError;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::private::write_file;
use ipc_protocol::request::{AdminBackup, AdminRevoke, Status, WhenLive};
use ipc_protocol::time::Timestamp;

use crate::harness::{Agent, House};

/// Overwrites the database from byte `from` on, in the place of what lies there.
pub(crate) fn damage(house: &House, from: u64) {
    use std::io::{Seek, SeekFrom, Write};
    let db = house.database();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(db);
    let mut file = std::fs::File::options()
        .write(true)
        .open(house.data_dir().database())
        .unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(from)).unwrap();
    let bytes = usize::try_from(length.checked_sub(from).unwrap()).unwrap();
    file.write_all(&vec![0xa5; bytes]).unwrap();
}

/// The daemon finds the damage, at the start or soon after it, and ends.
pub(crate) fn ends_damaged(house: &mut House) {
    let ended = house.start().and_then(|()| house.wait_for_end());
    assert!(
        matches!(ended, Err(DaemonError::StoreDamaged(_))),
        "{ended:?}"
    );
}

/// A house with mail for bob, a backup of it, and more mail since; the daemon has stopped.
fn with_a_backup() -> (House, Agent) {
    let mut house = House::new();
    let (mut alice, bob) = (house.register("alice"), house.register("bob"));
    alice.send("bob", &"in the backup ".repeat(500));
    house.operator().call(&AdminBackup {}).unwrap();
    alice.send("bob", "since then");
    house.stop().unwrap();
    (house, bob)
}

#[test]
fn a_damaged_store_stops_the_daemon_and_the_next_start_puts_the_newest_backup_in_place() {
    // Behind the schema, at the schema, and right behind the header.
    for from in [8 * 4_096, 4_096, 100] {
        let (mut house, _) = with_a_backup();
        damage(&house, from);
        ends_damaged(&mut house);
        house.start().unwrap();
        let mut bob = house.register("bob");
        let texts = bob.check();
        assert_eq!(texts.len(), 1, "from byte {from}");
        assert!(texts[0].starts_with("in the backup"));
        let names = std::fs::read_dir(house.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let aside = names
            .filter(|name| name.starts_with("messages.db.replaced-"))
            .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
            .count();
        assert_eq!(aside, 1, "the damaged one is kept");
        assert!(!house.data_dir().damage_marker().exists());
        house.restart();
    }
}

#[test]
fn a_damaged_store_without_a_backup_is_refused_and_kept() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    alice.send("bob", &"x".repeat(100_000));
    house.stop().unwrap();
    damage(&house, 8 * 4_096);
    let bytes = std::fs::read(house.data_dir().database()).unwrap();
    ends_damaged(&mut house);
    for _ in 0..2 {
        assert!(matches!(
            house.start(),
            Err(DaemonError::Deployment(DeploymentError::Store(
                OpenError::Damaged(_)
            )))
        ));
    }
    assert_eq!(
        std::fs::read(house.data_dir().database()).unwrap().len(),
        bytes.len()
    );
}

#[test]
fn a_damaged_backup_is_passed_over_for_an_older_good_one() {
    let (mut house, _) = with_a_backup();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    let bad = house
        .data_dir()
        .backups()
        .join("messages-9999999999999999.db");
    let mut bytes = std::fs::read(&newest).unwrap();
    bytes[4_096..].fill(0xa5);
    write_file(&bad, &bytes).unwrap();
    assert!(backup::verify(&bad).is_err());
    damage(&house, 4_096);
    ends_damaged(&mut house);
    house.start().unwrap();
    let bob = house.register("bob");
    assert_eq!(bob.registered.waiting, 1);
}

#[test]
fn backups_are_verified_private_and_the_newest_seven_are_kept() {
    let house = House::new();
    let mut alice = house.register("alice");
    let mut operator = house.operator();
    let mut newest = String::new();
    for number in 0..9 {
        alice.send("nobody-yet", &format!("{number}"));
        house.clock.pass(1);
        newest = operator.call(&AdminBackup {}).unwrap().file;
    }
    let backups = backup::list(&house.data_dir()).unwrap();
    assert_eq!(backups.len(), 7);
    assert!(backups[0].ends_with(&newest));
    for path in &backups {
        backup::verify(path).unwrap();
        assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    }
    let others = std::fs::read_dir(house.data_dir().backups())
        .unwrap()
        .count();
    assert_eq!(others, 7, "nothing half made is left");
    assert!(operator.call(&Status {}).unwrap().last_backup_ms.is_some());
}

#[test]
fn a_restore_drops_the_sessions_and_keeps_the_mail_and_the_credential_to_come_back() {
    let (mut house, bob) = with_a_backup();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    let aside = house.restore(&newest, Timestamp::from_millis(7)).unwrap();
    assert!(aside.unwrap().exists());
    let mode = std::fs::metadata(house.data_dir().database())
        .unwrap()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    house.start().unwrap();
    assert!(house.reconnect(&bob).is_err());
    let bob = house.resume(bob.resume(), "bob", WhenLive::Refuse).unwrap();
    assert_eq!(bob.registered.waiting, 1);
}

#[test]
fn what_is_no_good_backup_is_not_restored() {
    let (mut house, _bob) = with_a_backup();
    let no_backup = house.path().join("no.db");
    write_file(&no_backup, b"SQLite format 3\0 and nothing more").unwrap();
    let before = std::fs::read(house.data_dir().database()).unwrap();
    let now = Timestamp::from_millis(7);
    house.restore(&no_backup, now).unwrap_err();
    house
        .restore(&house.path().join("none.db"), now)
        .unwrap_err();
    assert!(std::fs::read(house.data_dir().database()).unwrap() == before);
    house.start().unwrap();
}

#[test]
fn a_restore_does_not_bring_back_what_was_revoked_since() {
    let (mut house, bob) = with_a_backup();
    house.start().unwrap();
    let name = crate::harness::name("bob");
    house
        .operator()
        .call(&AdminRevoke {
            name: name.as_str().parse().unwrap(),
        })
        .unwrap();
    house.stop().unwrap();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    house.restore(&newest, Timestamp::from_millis(7)).unwrap();
    house.start().unwrap();
    let stolen = house.resume(bob.resume(), "bob", WhenLive::TakeOver);
    assert_eq!(crate::harness::code(stolen), ErrorCode::Unauthenticated);
    assert_eq!(
        house.register("bob").registered.waiting,
        1,
        "the mail is there for the secret"
    );
}

#[test]
fn a_backup_whose_index_goes_beyond_its_messages_is_no_backup() {
    let (mut house, _bob) = with_a_backup();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    // As somebody does it who puts the guards back afterwards.
    let beyond = |path: &std::path::Path| {
        let db = rusqlite::Connection::open(path).unwrap();
        let guards =
            "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'indexed'";
        let mut guards = db.prepare(guards).unwrap();
        let guards = guards.query_map([], |row| row.get(0)).unwrap();
        let guards: Vec<String> = guards.map(Result::unwrap).collect();
        let names = ["words_of_new_bodies", "indexed_goes_on", "indexed_stays"];
        assert_eq!(guards.len(), names.len());
        for name in names {
            db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        db.execute_batch("UPDATE indexed SET through = 9000000000000000000")
            .unwrap();
        db.execute_batch(&guards.join(";")).unwrap();
    };
    beyond(&newest);
    house
        .restore(&newest, Timestamp::from_millis(7))
        .unwrap_err();
    beyond(&house.data_dir().database());
    let refused = house.start().unwrap_err().to_string();
    assert!(refused.contains("not as this program makes"), "{refused}");
}

#[test]
fn a_backup_with_a_trigger_in_it_is_no_backup() {
    let (mut house, _bob) = with_a_backup();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    let hostile = "CREATE TRIGGER keep BEFORE DELETE ON credentials
                   BEGIN SELECT raise(IGNORE); END";
    rusqlite::Connection::open(&newest)
        .unwrap()
        .execute_batch(hostile)
        .unwrap();
    house
        .restore(&newest, Timestamp::from_millis(7))
        .unwrap_err();
    let database = house.data_dir().database();
    rusqlite::Connection::open(database)
        .unwrap()
        .execute_batch(hostile)
        .unwrap();
    let refused = house.start().unwrap_err();
    let altered = DaemonError::Deployment(DeploymentError::Store(OpenError::Altered(
        house.data_dir().database(),
    )));
    assert_eq!(refused.to_string(), altered.to_string());
}

/// What is there of restores that were cut off.
fn left_of_restores(house: &House) -> Vec<String> {
    let entries = std::fs::read_dir(house.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names
        .filter(|name| name.starts_with(".restoring"))
        .collect()
}

#[test]
fn what_a_restore_that_was_cut_off_left_can_be_restored_and_is_not_removed_for_it() {
    for name in [
        ".restoring.db",
        ".restoring-from.db",
        ".restoring-2.db",
        ".restoring.db-wal",
    ] {
        let (mut house, bob) = with_a_backup();
        let newest = backup::list(&house.data_dir()).unwrap().remove(0);
        let left = house.path().join(name);
        std::fs::rename(&newest, &left).unwrap();
        let before = std::fs::read(&left).unwrap();
        house.restore(&left, Timestamp::from_millis(7)).unwrap();
        assert!(std::fs::read(&left).unwrap() == before, "{name}");
        assert_eq!(left_of_restores(&house), [name]);
        house.start().unwrap();
        let bob = house.resume(bob.resume(), "bob", WhenLive::Refuse).unwrap();
        assert_eq!(bob.registered.waiting, 1, "{name}");
    }
}

#[test]
fn what_a_restore_that_was_cut_off_left_is_gone_when_the_daemon_has_its_store() {
    let (mut house, _bob) = with_a_backup();
    let newest = backup::list(&house.data_dir()).unwrap().remove(0);
    let names = [
        ".restoring.db",
        ".restoring.db-journal",
        ".restoring-2.db",
        ".restoring-from.db",
        ".restoring-from.db-wal",
        ".restoring-from-2.db-shm",
    ];
    for name in names {
        std::fs::copy(&newest, house.path().join(name)).unwrap();
    }
    // Without a store they may be all that there is.
    let store = house.data_dir().database();
    std::fs::rename(&store, house.path().join("away")).unwrap();
    assert!(matches!(
        house.start(),
        Err(DaemonError::Deployment(DeploymentError::Store(
            OpenError::Gone(_)
        )))
    ));
    assert_eq!(left_of_restores(&house).len(), names.len());
    std::fs::rename(house.path().join("away"), &store).unwrap();
    house.start().unwrap();
    assert_eq!(left_of_restores(&house), Vec::<String>::new());
}
