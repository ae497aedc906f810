//! The probes, and what becomes of each.

use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use ipc_daemon::sandbox::{SandboxPolicy, enter};
use ipc_protocol::paths::DataDir;
use rustix::process::Signal;

use crate::{foreign, older};

/// How a process is told that it is a probe.
pub(crate) const MARK: &str = "--probe";

thread_local! {
    /// A pair of sockets from before the sandbox.
    static INHERITED: RefCell<Option<(UnixDatagram, UnixDatagram)>> = const { RefCell::new(None) };
}

/// What is tried, and what becomes of who tries it.
enum Act {
    /// Refused or working: the probe itself looks, from inside.
    Looks(fn(&Path)),
    /// The process is ended by the kernel.
    Dies(fn(&Path)),
    /// It makes its own sandbox.
    Enters(fn(&Path)),
}

use Act::{Dies, Enters, Looks};

macro_rules! probes {
    ($($kind:ident($in:ident::$name:ident)),* $(,)?) => {
        [$((stringify!($name), $kind($in::$name))),*]
    };
}

fn probes() -> Vec<(&'static str, Act)> {
    use self as inside;
    probes![
        Looks(inside::what_the_daemon_does_works),
        Looks(inside::no_file_outside_can_be_opened_or_made),
        Looks(inside::no_link_leads_or_is_led_outside),
        Looks(inside::no_network_can_be_reached),
        Looks(inside::no_unix_socket_can_be_connected_to),
        Looks(inside::no_other_process_can_be_looked_into_or_signalled),
        Looks(inside::no_process_can_be_made),
        Looks(inside::no_memory_can_be_made_executable),
        Looks(inside::no_limit_can_be_changed),
        Dies(inside::starting_a_program_ends_the_process),
        Dies(inside::changing_the_root_ends_the_process),
        Dies(inside::mounting_ends_the_process),
        Dies(inside::taking_a_descriptor_of_another_process_ends_the_process),
        Enters(older::without_landlock_a_daemon_that_requires_it_does_not_start),
        Enters(older::without_landlock_the_filter_holds_and_it_is_said),
        Enters(older::without_seccomp_a_daemon_that_requires_it_does_not_start),
        Enters(older::without_seccomp_files_are_closed_and_it_is_said),
        Enters(older::without_seccomp_nothing_in_the_data_directory_can_be_run),
        Enters(older::without_seccomp_no_other_process_can_be_signalled),
        Enters(older::a_thread_that_is_there_first_is_refused),
        Enters(older::turned_off_it_holds_nothing_and_says_so),
        Enters(foreign::a_file_from_elsewhere_is_imported_with_its_large_messages),
        Enters(foreign::a_hostile_file_from_elsewhere_is_refused),
        Enters(foreign::a_damaged_file_from_elsewhere_is_refused),
        Enters(foreign::a_backup_from_elsewhere_is_restored),
        Enters(foreign::a_hostile_backup_from_elsewhere_is_refused),
    ]
    .into()
}

/// Options of the standard harness that have a value, which is no filter.
const VALUED: [&str; 6] = [
    "--test-threads",
    "--skip",
    "--format",
    "--color",
    "--logfile",
    "-Z",
];

/// The words that names are to hold: those that are neither options nor their values.
fn filters(words: &[String]) -> Vec<&String> {
    let mut filters = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if VALUED.contains(&word.as_str()) {
            words.next();
        } else if !word.starts_with('-') {
            filters.push(word);
        }
    }
    filters
}

/// Runs every probe whose name holds one of `words`, or all; the way the standard harness speaks.
pub(crate) fn run_all(words: &[String]) -> ExitCode {
    let filters = filters(words);
    let mut failed = Vec::new();
    let mut out = std::io::stdout();
    for (name, act) in probes() {
        if !filters.is_empty() && !filters.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let status = run(name);
        let is_right = match act {
            Dies(_) => status.signal() == Some(Signal::SYS.as_raw()),
            Looks(_) | Enters(_) => status.success(),
        };
        let outcome = if is_right { "ok" } else { "FAILED" };
        writeln!(out, "test {name} ... {outcome} ({status})").unwrap();
        if !is_right {
            failed.push(name);
        }
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one probe in a process and a room of its own.
fn run(name: &str) -> ExitStatus {
    let private = std::fs::Permissions::from_mode(0o700);
    let mut builder = tempfile::Builder::new();
    let room = builder.prefix("ipc-").permissions(private).tempdir();
    let room = room.unwrap();
    let data = room.path().join("data");
    drop(ipc_protocol::private::ensure_directory(&data).unwrap());
    std::fs::write(room.path().join("outside"), "secret").unwrap();
    symlink("../outside", data.join("link")).unwrap();
    let program = data.join("program");
    std::fs::copy("/bin/true", &program).unwrap();
    let _listening = UnixListener::bind(room.path().join("stream.sock")).unwrap();
    let _receiving = UnixDatagram::bind(room.path().join("datagram.sock")).unwrap();
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.args([MARK, name]).arg(room.path());
    probe.status().unwrap()
}

/// What the process of a probe does.
pub(crate) fn act(name: &str, room: &Path) -> ExitCode {
    let (_, act) = probes()
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    match act {
        Enters(act) => act(room),
        Looks(act) | Dies(act) => {
            INHERITED.set(Some(UnixDatagram::pair().unwrap()));
            let data_dir = DataDir::new(room.join("data"), None).unwrap();
            ipc_daemon::sandbox::harden().unwrap();
            let holds = enter(SandboxPolicy::Require, &data_dir);
            let inside = holds.expect("these probes need Linux 6.2 or later with Landlock");
            let holds = inside.holds();
            assert!(holds.system_calls && holds.landlock >= 3, "{holds:?}");
            act(room);
        }
    }
    ExitCode::SUCCESS
}

fn what_the_daemon_does_works(room: &Path) {
    let data = room.join("data");
    let mut file = File::create(data.join(".new")).unwrap();
    file.write_all(b"kept").unwrap();
    file.set_len(2).unwrap();
    file.sync_all().unwrap();
    std::fs::create_dir(data.join("backups")).unwrap();
    std::fs::rename(data.join(".new"), data.join("backups/file")).unwrap();
    std::fs::remove_file(data.join("backups/file")).unwrap();
    std::fs::remove_dir(data.join("backups")).unwrap();
    File::open(&data).unwrap().sync_all().unwrap();
    let listener = UnixListener::bind(data.join("ipc.sock")).unwrap();
    drop(listener);
    std::fs::remove_file(data.join("ipc.sock")).unwrap();
    let thread = std::thread::Builder::new().name("another".to_owned());
    thread.spawn(|| {}).unwrap().join().unwrap();
    let parent = std::os::unix::process::parent_id();
    assert!(ipc_protocol::process::facts(parent).is_some());
    assert!(File::open("/dev/urandom").is_ok());
}

fn no_file_outside_can_be_opened_or_made(room: &Path) {
    for path in [Path::new("/etc/passwd"), &room.join("outside")] {
        assert!(File::open(path).is_err(), "{}", path.display());
        assert!(File::options().append(true).open(path).is_err());
    }
    assert!(std::fs::read_dir("/").is_err());
    assert!(std::fs::read_dir(room).is_err());
    assert!(File::create(room.join("new")).is_err());
    assert!(std::fs::create_dir(room.join("new")).is_err());
    assert!(std::fs::remove_file(room.join("outside")).is_err());
    assert!(std::fs::rename(room.join("outside"), room.join("data/taken")).is_err());
    assert!(UnixListener::bind(room.join("other.sock")).is_err());
    let open = std::fs::Permissions::from_mode(0o777);
    assert!(std::fs::set_permissions(room.join("outside"), open).is_err());
}

fn no_link_leads_or_is_led_outside(room: &Path) {
    let data = room.join("data");
    assert!(File::open(data.join("link")).is_err());
    assert!(symlink("../outside", data.join("another")).is_err());
    assert!(std::fs::hard_link(room.join("outside"), data.join("hard")).is_err());
}

fn no_network_can_be_reached(_room: &Path) {
    assert!(TcpListener::bind("127.0.0.1:0").is_err());
    assert!(
        TcpStream::connect("127.0.0.1:1")
            .is_err_and(|error| { error.kind() != std::io::ErrorKind::ConnectionRefused })
    );
    assert!(UdpSocket::bind("127.0.0.1:0").is_err());
}

fn no_unix_socket_can_be_connected_to(room: &Path) {
    assert!(UnixStream::connect(room.join("stream.sock")).is_err());
    assert!(UnixDatagram::unbound().is_err());
    // Nor over one that is there: a service manager's, say.
    let (ours, _theirs) = INHERITED.take().unwrap();
    ours.send(b"to whom it is connected").unwrap();
    assert!(
        ours.send_to(b"to another", room.join("datagram.sock"))
            .is_err()
    );
}

fn no_other_process_can_be_looked_into_or_signalled(_room: &Path) {
    let parent = std::os::unix::process::parent_id();
    for file in ["environ", "mem", "maps"] {
        let path = format!("/proc/{parent}/{file}");
        let opened = std::fs::read(&path);
        assert!(opened.is_err(), "{path}");
    }
    for link in ["exe", "cwd", "root"] {
        let path = format!("/proc/{parent}/{link}");
        assert!(std::fs::read_link(&path).is_err(), "{path}");
    }
    let parent = i32::try_from(parent).unwrap();
    let parent = rustix::process::Pid::from_raw(parent).unwrap();
    assert!(rustix::process::kill_process(parent, Signal::CONT).is_err());
}

fn no_process_can_be_made(_room: &Path) {
    assert!(Command::new("/bin/true").spawn().is_err());
}

fn no_memory_can_be_made_executable(_room: &Path) {
    assert!(region::alloc(4_096, region::Protection::READ_WRITE).is_ok());
    assert!(region::alloc(4_096, region::Protection::READ_WRITE_EXECUTE).is_err());
    assert!(region::alloc(4_096, region::Protection::READ_EXECUTE).is_err());
}

fn no_limit_can_be_changed(_room: &Path) {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Core);
    assert!(setrlimit(Resource::Core, limit).is_err());
}

fn starting_a_program_ends_the_process(_room: &Path) {
    let error = Command::new("/bin/true").exec();
    panic!("still here: {error}");
}

fn changing_the_root_ends_the_process(room: &Path) {
    let outcome = rustix::process::chroot(room);
    panic!("still here: {outcome:?}");
}

fn mounting_ends_the_process(room: &Path) {
    let none = rustix::mount::MountFlags::empty();
    let outcome = rustix::mount::mount("none", room, "tmpfs", none, None);
    panic!("still here: {outcome:?}");
}

fn taking_a_descriptor_of_another_process_ends_the_process(_room: &Path) {
    use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
    let parent = i32::try_from(std::os::unix::process::parent_id()).unwrap();
    let parent = rustix::process::Pid::from_raw(parent).unwrap();
    let process = pidfd_open(parent, PidfdFlags::empty()).unwrap();
    let outcome = pidfd_getfd(process, 0, PidfdGetfdFlags::empty());
    panic!("still here: {outcome:?}");
}
