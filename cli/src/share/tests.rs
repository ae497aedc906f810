//! Every way around the roots that is known, tried.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, Mode, mkfifoat};

use super::*;

/// In every file that must not get out.
const CANARY: &str = "CANARY";

/// A directory that may be shared from, beside one that may not.
struct Room {
    room: tempfile::TempDir,
}

impl Room {
    fn new() -> Self {
        let room = tempfile::Builder::new().prefix("ipc-").tempdir().unwrap();
        for directory in ["root/sub", "outside", "data"] {
            fs::create_dir_all(room.path().join(directory)).unwrap();
        }
        let room = Self { room };
        room.write("root/plain.txt", "text");
        room.write("root/sub/deep.txt", "deep");
        room.write("outside/other.txt", CANARY);
        room.write("data/other.txt", CANARY);
        room
    }

    fn at(&self, path: &str) -> PathBuf {
        self.room.path().join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        fs::write(self.at(path), text).unwrap();
    }

    fn shares(&self, roots: &[&str]) -> Shares {
        let roots = roots.iter().map(|root| self.at(root)).collect();
        Shares {
            sharing: Sharing {
                roots,
                largest: 100,
            },
            project: Some(self.at("root")),
            data_dir: self.at("data"),
        }
    }

    fn read(&self, path: &str) -> Result<SharedFile, NotShared> {
        self.shares(&["root"]).read(Path::new(path))
    }
}

#[test]
fn a_file_beneath_a_root_is_read_by_either_path() {
    let room = Room::new();
    let file = room.read("plain.txt").unwrap();
    assert_eq!(
        (file.path.as_str(), file.text.as_str()),
        ("plain.txt", "text")
    );
    let whole = room.at("root/./sub//deep.txt");
    let file = room.read(whole.to_str().unwrap()).unwrap();
    assert_eq!(
        (file.path.as_str(), file.text.as_str()),
        ("sub/deep.txt", "deep")
    );
}

#[test]
fn nothing_is_shared_until_somebody_names_a_root() {
    let room = Room::new();
    let error = room.shares(&[]).read(Path::new("plain.txt")).unwrap_err();
    assert!(matches!(error, NotShared::Off), "{error}");
    assert_eq!(Failure::from(error).code, Some(ErrorCode::Forbidden));
}

#[test]
fn what_lies_outside_is_refused_whether_it_is_there_or_not() {
    let room = Room::new();
    let outside = [
        room.at("outside/other.txt"),
        room.at("outside/none"),
        room.at("rootless"),
    ];
    let system = ["/proc/self/environ", "/etc/passwd", "/dev/zero", "/"].map(PathBuf::from);
    for path in outside.iter().chain(&system).chain([&room.at("root")]) {
        let error = room.read(path.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, NotShared::Outside), "{path:?}: {error}");
    }
}

#[test]
fn two_dots_and_hidden_characters_are_no_path() {
    let room = Room::new();
    let whole = room.at("root/../outside/other.txt");
    for path in [
        "../outside/other.txt",
        "sub/../plain.txt",
        "..",
        whole.to_str().unwrap(),
        "a\u{202e}b",
        "a\nb",
        &"x/".repeat(600),
    ] {
        let error = room.read(path).unwrap_err();
        assert!(matches!(error, NotShared::Path), "{path:?}: {error}");
    }
}

#[test]
fn no_link_is_followed_anywhere_on_the_way() {
    let room = Room::new();
    symlink(room.at("outside/other.txt"), room.at("root/file")).unwrap();
    symlink(room.at("outside"), room.at("root/directory")).unwrap();
    symlink("plain.txt", room.at("root/inside")).unwrap();
    symlink("/proc/self", room.at("root/self")).unwrap();
    for path in [
        "file",
        "directory/other.txt",
        "inside",
        "self/environ",
        "plain.txt/x",
    ] {
        let error = room.read(path).unwrap_err();
        assert!(matches!(error, NotShared::Link), "{path}: {error}");
    }
}

#[test]
fn a_root_that_is_a_link_or_behind_one_is_none() {
    let room = Room::new();
    symlink(room.at("root"), room.at("linked")).unwrap();
    for root in ["linked", "linked/sub"] {
        let file = room.at(root).join("deep.txt");
        let error = room.shares(&[root]).read(&file).unwrap_err();
        assert!(matches!(error, NotShared::Link), "{root}: {error}");
    }
}

#[test]
fn only_a_regular_file_is_read_and_a_pipe_holds_nobody_up() {
    let room = Room::new();
    mkfifoat(CWD, room.at("root/pipe"), Mode::RUSR | Mode::WUSR).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(room.at("root/socket")).unwrap();
    for path in ["pipe", "socket", "sub"] {
        let error = room.read(path).unwrap_err();
        assert!(matches!(error, NotShared::Kind), "{path}: {error}");
    }
    assert!(matches!(room.read("none").unwrap_err(), NotShared::Io(_)));
}

#[test]
fn what_the_system_makes_up_is_no_file_under_any_root() {
    let room = Room::new();
    let read = |root: &str, path: &str| {
        let mut shares = room.shares(&[]);
        shares.sharing.roots = vec![root.into()];
        shares.read(Path::new(path)).unwrap_err()
    };
    for (root, path) in [
        ("/", "/proc/self/environ"),
        ("/proc", "/proc/self/environ"),
        ("/sys", "/sys/kernel/x"),
        ("/dev", "/dev/zero"),
    ] {
        assert!(matches!(read(root, path), NotShared::Root { .. }), "{root}");
    }
    // The same file system somewhere else: what is opened says what it is.
    if cfg!(target_os = "linux") {
        let environ = beneath::read(Path::new("/proc"), Path::new("version"), None, 1_000);
        assert!(matches!(environ, Err(NotShared::Kind)), "{environ:?}");
    }
}

#[test]
fn what_is_called_like_a_secret_is_refused_unseen() {
    let room = Room::new();
    for path in [
        ".ssh/config",
        ".env",
        "id_rsa",
        "a/.git/config",
        "server.key",
        "none/.aws/credentials",
    ] {
        let error = room.read(path).unwrap_err();
        assert!(matches!(error, NotShared::Denied(_)), "{path}: {error}");
    }
    fs::create_dir_all(room.at(".ssh/sub")).unwrap();
    room.write(".ssh/sub/notes.txt", CANARY);
    let error = room
        .shares(&[".ssh/sub"])
        .read(&room.at(".ssh/sub/notes.txt"))
        .unwrap_err();
    assert!(matches!(error, NotShared::Root { .. }), "{error}");
}

#[test]
fn our_own_directory_is_closed_under_any_name_and_any_root() {
    let room = Room::new();
    let whole = room.shares(&["."]);
    let mut above = whole;
    above.sharing.roots = vec![room.room.path().to_owned()];
    let error = above.read(&room.at("data/other.txt")).unwrap_err();
    assert!(matches!(error, NotShared::Denied(_)), "{error}");
    let error = room
        .shares(&["data"])
        .read(&room.at("data/other.txt"))
        .unwrap_err();
    assert!(matches!(error, NotShared::Root { .. }), "{error}");
    assert!(above.read(&room.at("root/plain.txt")).is_ok());
}

#[test]
fn a_file_of_several_names_is_refused() {
    let room = Room::new();
    fs::hard_link(room.at("outside/other.txt"), room.at("root/innocent.txt")).unwrap();
    let error = room.read("innocent.txt").unwrap_err();
    assert!(matches!(error, NotShared::Names), "{error}");
}

#[test]
fn only_text_of_a_size_and_without_a_key_is_shared() {
    let room = Room::new();
    room.write("root/most", "x".repeat(100));
    assert_eq!(room.read("most").unwrap().text.len(), 100);
    room.write("root/more", "x".repeat(101));
    assert!(matches!(
        room.read("more").unwrap_err(),
        NotShared::Large(100)
    ));
    room.write("root/empty", "");
    assert!(matches!(room.read("empty").unwrap_err(), NotShared::Empty));
    for bytes in [&b"\xff\xfe"[..], b"a\0b"] {
        room.write("root/binary", bytes);
        assert!(matches!(room.read("binary").unwrap_err(), NotShared::Text));
    }
    // Put together, so that no scanner takes this file for one.
    room.write(
        "root/notes",
        ["-----BEGIN OPENSSH PRIVATE", " KEY-----\n"].concat(),
    );
    assert!(matches!(room.read("notes").unwrap_err(), NotShared::Key));
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    let room = Room::new();
    fs::set_permissions(room.at("root/plain.txt"), PermissionsExt::from_mode(0o000)).unwrap();
    // Root reads it all the same.
    match room.read("plain.txt") {
        Ok(file) => assert_eq!(file.text, "text"),
        Err(error) => assert!(matches!(error, NotShared::Io(_)), "{error}"),
    }
}

#[test]
fn a_path_that_changes_while_it_is_opened_never_leads_outside() {
    let room = Room::new();
    let is_over = AtomicBool::new(false);
    let swap = |link: &str, real: &str, target: &str| {
        let (at, aside) = (room.at(link), room.at("aside"));
        while !is_over.load(Ordering::Relaxed) {
            fs::rename(&at, &aside).unwrap();
            symlink(room.at(target), &at).unwrap();
            fs::remove_file(&at).unwrap();
            fs::rename(&aside, &at).unwrap();
        }
        assert!(room.at(real).exists());
    };
    for (link, path, target) in [
        ("root/plain.txt", "plain.txt", "outside/other.txt"),
        ("root/sub", "sub/deep.txt", "outside"),
    ] {
        fs::write(room.at("outside/deep.txt"), CANARY).unwrap();
        is_over.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| swap(link, &format!("root/{path}"), target));
            for _ in 0..2_000 {
                if let Ok(file) = room.read(path) {
                    assert!(!file.text.contains(CANARY));
                }
            }
            is_over.store(true, Ordering::Relaxed);
        });
    }
}
