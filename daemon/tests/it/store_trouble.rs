//! Directories, files and databases that cannot be trusted: refused, said why, left as they were.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use ipc_daemon::config::{Config, ConfigError};
use ipc_daemon::deployment::DeploymentError;
use ipc_daemon::store::APPLICATION_ID;
use ipc_daemon::store::open::OpenError;
use ipc_daemon::{BindError, DaemonError};
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{PrivateError, write_file};

use crate::harness::House;

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Gives `path` to another user, where this one may do so: the owner's check is then tested too.
fn give_away(path: &Path) -> bool {
    std::os::unix::fs::chown(path, Some(12_345), None).is_ok()
}

/// Why the daemon does not start.
fn why(house: &mut House) -> PrivateError {
    match house.start() {
        Err(DaemonError::Deployment(DeploymentError::Private(why))) => why,
        other => panic!("expected a path that cannot be trusted, not {other:?}"),
    }
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let mut house = House::new();
    let mut alice = house.register("alice");
    for _ in 0..3 {
        let second = house.start_another();
        assert!(matches!(
            second,
            Err(DaemonError::Deployment(DeploymentError::AlreadyRunning(_)))
        ));
    }
    alice.send("alice", "still served");
    assert_eq!(alice.check(), ["still served"]);
    house.restart();
}

#[test]
fn a_directory_that_others_can_reach_is_refused_and_not_mended() {
    let mut house = House::empty();
    for mode in [0o755, 0o750, 0o701, 0o777] {
        set_mode(house.path(), mode);
        let mode_error = why(&mut house);
        assert!(
            matches!(mode_error, PrivateError::Mode { .. }),
            "{mode_error}"
        );
        let now = std::fs::metadata(house.path()).unwrap().mode();
        assert_eq!(now & 0o777, mode);
    }
    assert_eq!(
        std::fs::read_dir(house.path()).unwrap().count(),
        0,
        "nothing left behind"
    );
    set_mode(house.path(), 0o700);
    house.start().unwrap();
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let mut house = House::empty();
    if give_away(house.path()) {
        let owner = why(&mut house);
        assert!(
            matches!(owner, PrivateError::Owner { uid: 12_345, .. }),
            "{owner}"
        );
    } else {
        // An ordinary user can give nothing away, but other users' directories are at hand.
        let foreign = DataDir::new(PathBuf::from("/"), None).unwrap();
        assert!(matches!(
            ipc_daemon::lock(&foreign),
            Err(DeploymentError::Private(PrivateError::Owner { uid: 0, .. }))
        ));
    }
}

#[test]
fn the_log_beside_another_programs_database_is_not_written_to() {
    let mut house = House::empty();
    let foreign = rusqlite::Connection::open(house.data_dir().database()).unwrap();
    foreign
        .execute_batch(
            "PRAGMA application_id = 42; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE theirs (text); INSERT INTO theirs VALUES ('theirs');",
        )
        .unwrap();
    let log = house.path().join("messages.db-wal");
    let written = |path: &Path| {
        let facts = std::fs::metadata(path).unwrap();
        (facts.mtime(), facts.mtime_nsec(), facts.len())
    };
    let before = written(&log);
    assert!(before.2 > 0);
    let refused = house.start().unwrap_err().to_string();
    assert!(refused.contains("has not been touched"), "{refused}");
    assert_eq!(written(&log), before);
}

/// Often, because what could go wrong is a matter of which thread is first.
#[test]
fn a_stop_in_good_order_leaves_one_file_and_no_log() {
    let mut house = House::new();
    for _ in 0..40 {
        drop(house.operator());
        house.stop().unwrap();
        for beside in ["messages.db-wal", "messages.db-shm"] {
            assert!(!house.path().join(beside).exists(), "{beside} is left");
        }
        house.start().unwrap();
    }
}

#[test]
fn a_linked_directory_is_refused() {
    let house = House::new();
    let link = house.path().join("link");
    symlink(house.path(), &link).unwrap();
    let linked = DataDir::new(link, None).unwrap();
    assert!(matches!(
        ipc_daemon::lock(&linked),
        Err(DeploymentError::Private(PrivateError::Kind { .. }))
    ));
}

#[test]
fn a_secret_that_others_can_read_or_that_is_linked_is_refused() {
    let mut house = House::new();
    house.stop().unwrap();
    let path = house.data_dir().secret();
    for mode in [0o644, 0o640, 0o604] {
        set_mode(&path, mode);
        assert!(matches!(why(&mut house), PrivateError::Mode { .. }));
    }
    let elsewhere = house.path().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    set_mode(&elsewhere, 0o600);
    symlink(&elsewhere, &path).unwrap();
    assert!(matches!(why(&mut house), PrivateError::Kind { .. }));
    std::fs::remove_file(&path).unwrap();
    std::fs::rename(&elsewhere, &path).unwrap();
    if give_away(&path) {
        assert!(matches!(why(&mut house), PrivateError::Owner { .. }));
        std::os::unix::fs::chown(&path, Some(rustix::process::geteuid().as_raw()), None).unwrap();
    }
    house.start().unwrap();
}

#[test]
fn a_secret_that_cannot_be_one_is_refused_before_anything_is_made() {
    for wrong in ["", "short", "has\0a NUL byte in it", &"x".repeat(1_025)] {
        let mut house = House::empty();
        let path = house.data_dir().secret();
        write_file(&path, wrong.as_bytes()).unwrap();
        let refused = house.start_with(None).unwrap_err().to_string();
        assert!(refused.contains("secret"), "{refused}");
        assert!(!house.data_dir().database().exists());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), wrong);
    }
}

#[test]
fn a_database_that_is_not_ours_is_refused_untouched() {
    let foreign = |application_id: i32, version: i32| {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("other.db");
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch("CREATE TABLE messages (id, from_id, to_id)")
            .unwrap();
        db.pragma_update(None, "application_id", application_id)
            .unwrap();
        db.pragma_update(None, "user_version", version).unwrap();
        drop(db);
        std::fs::read(path).unwrap()
    };
    let cases = [
        (b"not a database at all".to_vec(), "not a SQLite database"),
        (vec![0; 4_096], "not a SQLite database"),
        (foreign(0, 0), "without an owner's mark"),
        (foreign(0x1234_5678, 1), "another program's"),
        (foreign(APPLICATION_ID, 99), "schema 99"),
    ];
    for (bytes, expected) in cases {
        let mut house = House::empty();
        let path = house.data_dir().database();
        write_file(&path, &bytes).unwrap();
        let refused = house.start().unwrap_err().to_string();
        assert!(
            refused.contains(expected) && refused.contains("not been touched"),
            "{refused}"
        );
        assert!(std::fs::read(&path).unwrap() == bytes, "byte for byte");
        assert!(!house.data_dir().daemon_key().exists());
    }
}

#[test]
fn a_linked_database_is_refused() {
    let mut house = House::new();
    house.stop().unwrap();
    let (path, elsewhere) = (
        house.data_dir().database(),
        house.path().join("elsewhere.db"),
    );
    std::fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    house.start().unwrap_err();
}

#[test]
fn a_missing_database_is_never_replaced_by_an_empty_one() {
    let mut house = House::new();
    house.stop().unwrap();
    let path = house.data_dir().database();
    for empty in [false, true] {
        std::fs::remove_file(&path).unwrap();
        if empty {
            write_file(&path, b"").unwrap();
        }
        assert!(matches!(
            house.start(),
            Err(DaemonError::Deployment(DeploymentError::Store(
                OpenError::Gone(_)
            )))
        ));
        assert_eq!(path.exists(), empty);
        write_file(&path, b"").unwrap();
    }
}

#[test]
fn an_unknown_key_of_the_configuration_is_named_with_its_line() {
    let house = House::empty();
    let path = house.data_dir().config();
    for (content, expected) in [
        ("names = \"secret\"\n[limits]\nhoops = 1\n", "line 3"),
        ("[limits]\nsend_burst = 0\n", "line 2"),
        ("[limits]\nwait_s = 9999\n", "limits.wait_s"),
        ("names = \"anarchy\"\n", "line 1"),
        ("\u{feff}[limits", "line 1"),
    ] {
        write_file(&path, content.as_bytes()).unwrap();
        let error = Config::load(house.data_dir()).unwrap_err();
        assert!(matches!(error, ConfigError::Content { .. }));
        assert!(error.to_string().contains(expected), "{error}");
    }
    set_mode(&path, 0o644);
    assert!(matches!(
        Config::load(house.data_dir()),
        Err(ConfigError::Private(_))
    ));
}

#[test]
fn what_is_no_socket_at_the_sockets_path_is_left_alone() {
    let mut house = House::empty();
    let path = house.data_dir().socket().to_owned();
    write_file(&path, b"precious").unwrap();
    let refused = house.start();
    assert!(
        matches!(refused, Err(DaemonError::Bind(BindError::NotASocket(_)))),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    std::fs::remove_file(&path).unwrap();
    let target = house.path().join("target");
    symlink(&target, &path).unwrap();
    assert!(matches!(
        house.start(),
        Err(DaemonError::Bind(BindError::NotASocket(_)))
    ));
    assert!(!target.exists());
}

#[test]
fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
    let mut house = House::empty();
    let path = house.data_dir().socket().to_owned();
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert!(matches!(
        house.start(),
        Err(DaemonError::Bind(BindError::InUse(_)))
    ));
    drop(listener);
    house.start().unwrap();
    house.register("alice");
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}
