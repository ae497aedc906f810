//! The service manager: the units, the socket that it hands over, and telling it how things are.

use std::ffi::OsStr;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipc_protocol::paths::DataDir;
use rustix::net::sockopt::socket_acceptconn;
use sd_notify::NotifyState;

/// The service's unit; [`units`] fills it in.
const SERVICE: &str = include_str!("../systemd/ipc.service");

/// The socket's unit; [`units`] fills it in.
const SOCKET: &str = include_str!("../systemd/ipc.socket");

/// What confines the service further; [`units`] fills it in.
const STRICT: &str = include_str!("../systemd/strict.conf");

/// What lets the service listen on loopback.
const OLD_PORT: &str = include_str!("../systemd/old-port.conf");

/// What has the daemon's allocator keep little of what is freed, where it is glibc's (`mallopt(3)`):
/// the first large reply would otherwise have each thread keep megabytes for good. In the unit, and
/// in the environment that a command starts the daemon with.
pub const ALLOCATOR: [(&str, &str); 3] = [
    ("MALLOC_ARENA_MAX", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "65536"),
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
];

/// How the service is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// By what a user's service may set everywhere.
    Portable,
    /// The same, with the old port's address families.
    WithOldPort,
    /// By all that there is.
    Strict,
}

impl Confinement {
    /// Every drop-in that any confinement has, relative to the directory of the units.
    pub const DROP_INS: [&str; 2] = ["ipc.service.d/strict.conf", "ipc.service.d/old-port.conf"];
}

/// File names and contents of the user units for the program at `program` and this data
/// directory. `None` when a path holds what a unit cannot: a line break, a quote, a backslash, or
/// what is not UTF-8.
pub fn units(
    program: &Path,
    data_dir: &DataDir,
    confinement: Confinement,
) -> Option<Vec<(&'static str, String)>> {
    let program = unit_path(program)?;
    let root = unit_path(data_dir.root())?;
    let socket = unit_path(data_dir.socket())?;
    let allocator = ALLOCATOR.map(|(name, value)| format!("{name}={value}"));
    let allocator = allocator.join(" ");
    let fill = |unit: &str| {
        unit.replace("@PROGRAM@", &program)
            .replace("@DATA_DIR@", &root)
            .replace("@SOCKET@", &socket)
            .replace("@ALLOCATOR@", &allocator)
    };
    let [strict, old_port] = Confinement::DROP_INS;
    let drop_in = match confinement {
        Confinement::Portable => None,
        Confinement::WithOldPort => Some((old_port, OLD_PORT)),
        Confinement::Strict => Some((strict, STRICT)),
    };
    let units = [("ipc.service", SERVICE), ("ipc.socket", SOCKET)];
    let units = units.into_iter().chain(drop_in);
    Some(units.map(|(name, text)| (name, fill(text))).collect())
}

/// A path as it may stand in a unit (`systemd.unit(5)`: `%` begins a specifier; `systemd.exec(5)`:
/// `$` begins a variable).
fn unit_path(path: &Path) -> Option<String> {
    let text = path.to_str()?;
    let unsafe_in_units = |c: char| c.is_control() || matches!(c, '"' | '\'' | '\\' | '$');
    (!text.contains(unsafe_in_units)).then(|| text.replace('%', "%%"))
}

/// What the environment says of descriptors that were handed over (`sd_listen_fds(3)`).
#[derive(Debug, Clone, Copy, Default)]
pub struct HandedOver<'a> {
    /// `LISTEN_PID`: the process that they are meant for.
    pub pid: Option<&'a OsStr>,
    /// `LISTEN_FDS`: how many there are.
    pub count: Option<&'a OsStr>,
    /// `LISTEN_FDS_FIRST_FD`: where they begin, which no service manager says.
    pub first: Option<&'a OsStr>,
}

impl HandedOver<'_> {
    /// The descriptors that were handed over to the process `own`: the first that is free, or none.
    ///
    /// # Errors
    /// Something else than one socket was.
    pub fn descriptors(&self, own: u32) -> io::Result<&'static [RawFd]> {
        // SD_LISTEN_FDS_START of sd-daemon.h.
        Ok(if self.is_one_socket(own)? { &[3] } else { &[] })
    }

    /// Whether one socket was handed over to the process `own`. What was meant for another process
    /// is none of ours: variables are inherited, descriptors usually too.
    fn is_one_socket(&self, own: u32) -> io::Result<bool> {
        let (Some(pid), Some(count)) = (self.pid, self.count) else {
            return Ok(false);
        };
        if pid != own.to_string().as_str() {
            return Ok(false);
        }
        if self.first.is_some() || count != "1" {
            return Err(io::Error::other(
                "the service manager handed over something else than one socket",
            ));
        }
        Ok(true)
    }
}

/// The socket that the service manager bound for this very process, if it did.
///
/// # Errors
/// What was handed over is no listening Unix socket, or more than one.
pub fn inherited_socket(handed_over: HandedOver<'_>) -> io::Result<Option<UnixListener>> {
    // `listenfd` would take descriptors without LISTEN_PID, any number of them, from anywhere.
    if !handed_over.is_one_socket(std::process::id())? {
        return Ok(None);
    }
    let Some(socket) = listenfd::ListenFd::from_env().take_unix_listener(0)? else {
        return Ok(None);
    };
    if !socket_acceptconn(&socket)? {
        return Err(io::Error::other(
            "the socket that the service manager handed over does not listen",
        ));
    }
    Ok(Some(socket))
}

/// The service manager that started this process, if one did (`sd_notify(3)`): connected before the
/// daemon shuts itself in, since from inside nobody can be connected to.
#[derive(Debug, Default)]
pub struct ServiceManager(Option<UnixDatagram>);

impl ServiceManager {
    /// Connects to the socket at `path`, which is `NOTIFY_SOCKET`; `@` begins an abstract name.
    ///
    /// # Errors
    /// It cannot be connected to.
    pub fn connect(path: &OsStr) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        match path.as_encoded_bytes().strip_prefix(b"@") {
            Some(name) => connect_abstract(&socket, name)?,
            None => socket.connect(path)?,
        }
        Ok(Self(Some(socket)))
    }

    /// Tells it that requests are served.
    ///
    /// # Errors
    /// Its socket could not be written to.
    pub fn ready(&self) -> io::Result<()> {
        self.tell(&NotifyState::Ready)
    }

    /// Tells it that the daemon is stopping.
    ///
    /// # Errors
    /// Its socket could not be written to.
    pub fn stopping(&self) -> io::Result<()> {
        self.tell(&NotifyState::Stopping)
    }

    fn tell(&self, state: &NotifyState<'_>) -> io::Result<()> {
        match &self.0 {
            Some(socket) => socket.send(state.to_string().as_bytes()).map(|_| ()),
            None => Ok(()),
        }
    }
}

#[cfg(target_os = "linux")]
fn connect_abstract(socket: &UnixDatagram, name: &[u8]) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    socket.connect_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_socket: &UnixDatagram, _name: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A service manager that ends a daemon which it has not heard of for some time.
#[derive(Debug)]
pub struct Watchdog {
    patience: Duration,
    manager: Arc<ServiceManager>,
}

impl Watchdog {
    /// That of `manager`, if it is one (`sd_watchdog_enabled(3)`).
    pub fn of(manager: &Arc<ServiceManager>) -> Option<Self> {
        let patience = sd_notify::watchdog_enabled()?;
        (!patience.is_zero()).then(|| Self {
            patience,
            manager: Arc::clone(manager),
        })
    }

    /// How long it waits.
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Tells it that the daemon is at work.
    ///
    /// # Errors
    /// Its socket could not be written to.
    pub fn tell(&self) -> io::Result<()> {
        self.manager.tell(&NotifyState::Watchdog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_manager_is_told_at_a_path_and_under_an_abstract_name() {
        use std::os::linux::net::SocketAddrExt;
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("notify");
        let name = format!("ipc-{}", room.path().display());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let named = format!("@{name}");
        let sockets = [
            (UnixDatagram::bind(&path), path.as_os_str()),
            (UnixDatagram::bind_addr(&address), OsStr::new(&named)),
        ];
        for (listening, path) in sockets {
            let listening = listening.unwrap();
            let manager = ServiceManager::connect(path).unwrap();
            manager.ready().unwrap();
            let mut said = [0; 64];
            let length = listening.recv(&mut said).unwrap();
            assert_eq!(said[..length].trim_ascii(), b"READY=1");
        }
        ServiceManager::default().ready().unwrap();
    }

    fn of(confinement: Confinement, root: &str) -> Vec<(&'static str, String)> {
        let data_dir = DataDir::new(root.into(), None).unwrap();
        units(Path::new("/opt/ipc"), &data_dir, confinement).unwrap()
    }

    #[test]
    fn the_units_name_this_program_and_this_directory() {
        let all = of(Confinement::Strict, "/home/a b/50%");
        let [(_, service), (_, socket), (_, strict)] = all.as_slice() else {
            panic!("{all:?}");
        };
        assert!(
            service.contains("ExecStart=\"/opt/ipc\" --data-dir \"/home/a b/50%%\" daemon run")
        );
        assert!(socket.contains("ListenStream=/home/a b/50%%/ipc.sock"));
        assert!(strict.contains("ReadWritePaths=\"/home/a b/50%%\"\n"));
        for (name, text) in &all {
            for word in ["@PROGRAM@", "@DATA_DIR@", "@SOCKET@", "@ALLOCATOR@"] {
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
    }

    #[test]
    fn a_confinement_has_its_own_drop_in_and_no_other() {
        let names = |confinement| {
            let units = of(confinement, "/a");
            units.iter().map(|(name, _)| *name).collect::<Vec<_>>()
        };
        let two = ["ipc.service", "ipc.socket"];
        let [strict, old_port] = Confinement::DROP_INS;
        assert_eq!(names(Confinement::Portable), two);
        assert_eq!(
            names(Confinement::Strict),
            [&two[..], &[strict][..]].concat()
        );
        assert_eq!(
            names(Confinement::WithOldPort),
            [&two[..], &[old_port][..]].concat()
        );
    }

    #[test]
    fn in_the_strict_unit_users_come_first_and_processes_stay_visible() {
        let settings = STRICT.lines().filter(|line| !line.starts_with('#'));
        let settings: Vec<_> = settings.filter(|line| line.contains('=')).collect();
        assert_eq!(settings[0], "PrivateUsers=yes");
        let hides =
            |line: &&&str| line.starts_with("ProtectProc") || line.starts_with("ProcSubset");
        assert_eq!(settings.iter().find(hides), None);
    }

    #[test]
    fn a_path_cannot_add_lines_to_a_unit() {
        for root in ["/a\nExecStart=/bin/sh", "/a\"b", "/a\\b", "/$HOME"] {
            let data_dir = DataDir::new(root.into(), None).unwrap();
            for confinement in [Confinement::Portable, Confinement::Strict] {
                assert!(
                    units(Path::new("/opt/ipc"), &data_dir, confinement).is_none(),
                    "{root:?}"
                );
            }
        }
    }

    #[test]
    fn only_one_socket_for_this_very_process_is_one() {
        let handed = |pid: &'static str, count: &'static str| HandedOver {
            pid: Some(pid.as_ref()),
            count: Some(count.as_ref()),
            first: None,
        };
        assert!(handed("7", "1").is_one_socket(7).unwrap());
        for pid in [
            "8",
            "",
            "07",
            "+7",
            " 7",
            "7 ",
            "7\n",
            "-7",
            "4294967303",
            "x",
        ] {
            assert!(!handed(pid, "1").is_one_socket(7).unwrap(), "{pid:?}");
        }
        for count in ["0", "2", "", "x", "-1", "01", "9999999999", "1 "] {
            assert!(handed("7", count).is_one_socket(7).is_err(), "{count:?}");
        }
        let first = Some(OsStr::new("4"));
        let elsewhere = HandedOver {
            first,
            ..handed("7", "1")
        };
        assert!(elsewhere.is_one_socket(7).is_err());
        let nobodys = HandedOver {
            pid: None,
            ..handed("7", "1")
        };
        assert!(!nobodys.is_one_socket(7).unwrap());
        assert!(!HandedOver::default().is_one_socket(7).unwrap());
    }
}
