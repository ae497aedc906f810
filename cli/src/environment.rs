//! The environment, read once: nothing else in this crate looks at it.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use zeroize::Zeroizing;

/// What the environment says to us. A variable that is set but empty counts as not set.
pub(crate) struct Environment {
    /// `IPC_SHARED_SECRET`, raw; only `front::secret` looks at it.
    pub(crate) shared_secret: Option<Zeroizing<Vec<u8>>>,
    /// `IPC_DATA_DIR`.
    pub(crate) data_dir: Option<PathBuf>,
    /// `IPC_SOCKET`.
    pub(crate) socket: Option<PathBuf>,
    /// `IPC_INSTANCE`: whose mailbox, where `--as` does not say.
    pub(crate) instance: Option<OsString>,
    /// `IPC_LOG`: what the daemon logs.
    pub(crate) log: Option<OsString>,
    /// `IPC_ALLOW_NS=1`: process ids may differ between the two ends (containers).
    pub(crate) any_pid: bool,
    /// `CLAUDE_PROJECT_DIR`: the project's folder, where a host says it; a hint.
    pub(crate) project: Option<PathBuf>,
    /// `CLAUDE_CODE_ENTRYPOINT`: `cli` in a window, something else where nobody sits before it.
    pub(crate) claude_entrypoint: Option<OsString>,
    /// `HOME`.
    pub(crate) home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`: where the units of a user are.
    pub(crate) config_home: Option<PathBuf>,
    /// `CREDENTIALS_DIRECTORY`: what a service manager hands over (`systemd.exec(5)`).
    pub(crate) credentials: Option<PathBuf>,
    /// `NOTIFY_SOCKET`: a service manager wants to hear how the daemon is (`sd_notify(3)`).
    pub(crate) notify_socket: Option<OsString>,
    /// `LISTEN_PID`, `LISTEN_FDS`, `LISTEN_FDS_FIRST_FD`: sockets that a service manager hands over.
    pub(crate) listen: [Option<OsString>; 3],
    /// `NO_COLOR`, whatever its value (<https://no-color.org>).
    pub(crate) no_color: bool,
    /// `TZ`, handed on to the daemon.
    pub(crate) time_zone: Option<OsString>,
    /// `LANG`, handed on to the daemon.
    pub(crate) language: Option<OsString>,
    /// `PATH`: where `setup` and `doctor` look this program up.
    pub(crate) search_path: Option<OsString>,
    /// `CLAUDE_CONFIG_DIR`: where Claude Code keeps its files, if not in the home directory.
    pub(crate) claude_directory: Option<PathBuf>,
    /// `GEMINI_CLI_HOME`: what Gemini CLI takes for the home directory.
    pub(crate) gemini_home: Option<PathBuf>,
    /// `CODEX_HOME`: where Codex keeps its files, if not in the home directory.
    pub(crate) codex_directory: Option<PathBuf>,
    /// `CODEX_SANDBOX_NETWORK_DISABLED=1`: this shell is in a sandbox without sockets.
    pub(crate) is_sandboxed: bool,
}

impl Environment {
    /// Reads it.
    pub(crate) fn read() -> Self {
        let secret = variable("IPC_SHARED_SECRET");
        Self {
            shared_secret: secret.map(|text| Zeroizing::new(text.into_vec())),
            data_dir: variable("IPC_DATA_DIR").map(PathBuf::from),
            socket: variable("IPC_SOCKET").map(PathBuf::from),
            instance: variable("IPC_INSTANCE"),
            log: variable("IPC_LOG"),
            any_pid: variable("IPC_ALLOW_NS").is_some_and(|value| value == "1"),
            project: variable("CLAUDE_PROJECT_DIR").map(PathBuf::from),
            claude_entrypoint: variable("CLAUDE_CODE_ENTRYPOINT"),
            home: variable("HOME").map(PathBuf::from),
            config_home: variable("XDG_CONFIG_HOME").map(PathBuf::from),
            credentials: variable("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            notify_socket: variable("NOTIFY_SOCKET"),
            listen: ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDS_FIRST_FD"].map(variable),
            no_color: variable("NO_COLOR").is_some(),
            time_zone: variable("TZ"),
            language: variable("LANG"),
            search_path: variable("PATH"),
            claude_directory: variable("CLAUDE_CONFIG_DIR").map(PathBuf::from),
            gemini_home: variable("GEMINI_CLI_HOME").map(PathBuf::from),
            codex_directory: variable("CODEX_HOME").map(PathBuf::from),
            is_sandboxed: variable("CODEX_SANDBOX_NETWORK_DISABLED").is_some_and(|v| v == "1"),
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment(…)")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}
