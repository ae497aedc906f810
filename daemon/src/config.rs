//! The configuration: `config.toml`, and what the starter of the daemon says.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::{Component, PathBuf};

use ipc_protocol::limits::BODY_BYTES;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};
use serde::Deserialize;

use crate::limits::Limits;
use crate::locked::KeptSecret;
use crate::sandbox::SandboxPolicy;
pub use crate::secrets::Secrets;
use crate::systemd::Watchdog;

/// Largest configuration file, in bytes.
const LARGEST: u64 = 64 * 1_024;

/// Directories that may be shared from, at most: more are a mistake.
const SHARED_ROOTS: usize = 64;

/// What the shared secret alone may do to a name held for an agent that is offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamePolicy {
    /// Nothing: a name is owned by the credential that its agent was given.
    #[default]
    Credential,
    /// Claim it; the former credentials are void, and the other agents are told.
    Secret,
}

/// What front-ends may share of the file system, `[share]`. The daemon looks at none of it, only
/// that it is right: one file has one definition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sharing {
    /// Absolute paths of directories beneath which files may be shared; none: nothing may.
    pub roots: Vec<PathBuf>,
    /// Largest file, in bytes.
    pub largest: usize,
}

impl Default for Sharing {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            largest: 256 * 1_024,
        }
    }
}

impl Sharing {
    /// Reads what `config.toml` says of it.
    ///
    /// # Errors
    /// As [`Config::load`]: nothing is shared under a configuration that is wrong elsewhere.
    pub fn load(data_dir: &DataDir) -> Result<Self, ConfigError> {
        read(data_dir).map(|file| file.share)
    }

    /// The key whose value cannot be, and what it must be.
    fn fault(&self) -> Option<(&'static str, String)> {
        let is_plain = |part: Component<'_>| !matches!(part, Component::ParentDir);
        let is_root = |root: &PathBuf| root.is_absolute() && root.components().all(is_plain);
        if self.roots.len() > SHARED_ROOTS {
            return Some(("roots", format!("at most {SHARED_ROOTS} directories")));
        }
        if !self.roots.iter().all(is_root) {
            return Some(("roots", "absolute paths without `..`".to_owned()));
        }
        if !(1..=BODY_BYTES).contains(&self.largest) {
            return Some(("largest", format!("1 to {BODY_BYTES}")));
        }
        None
    }
}

/// How the daemon is reached.
#[derive(Debug)]
pub enum Listening {
    /// It binds the socket in the data directory.
    Bind,
    /// The service manager has bound it.
    Inherited(UnixListener),
}

/// Everything that a start is told.
#[derive(Debug)]
pub struct Config {
    /// Where everything lives.
    pub data_dir: DataDir,
    /// The limits.
    pub limits: Limits,
    /// The policy for held names.
    pub names: NamePolicy,
    /// What becomes of credentials in outgoing mail.
    pub secrets: Secrets,
    /// Where the predecessor's wire is spoken, if it is.
    pub legacy: Option<LoopbackAddress>,
    /// How much of the sandbox there must be.
    pub sandbox: SandboxPolicy,
    /// How the daemon is reached.
    pub listening: Listening,
    /// Whether it leaves when nobody has been connected for a while.
    pub leaves_when_idle: bool,
    /// Who wants to hear that the daemon is at work, if somebody does.
    pub watchdog: Option<Watchdog>,
    /// The secret that the starter handed over; else the `secret` file is looked at.
    pub secret: Option<KeptSecret>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    limits: Limits,
    names: NamePolicy,
    sandbox: SandboxPolicy,
    legacy: Legacy,
    secrets: Secrets,
    share: Sharing,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Legacy {
    tcp: Option<LoopbackAddress>,
}

/// An address that only programs of this machine reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LoopbackAddress(SocketAddr);

/// The address is not one of this machine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`legacy.tcp` must be a loopback address and a port, such as \"127.0.0.1:9876\"")]
pub struct NotLoopback;

impl LoopbackAddress {
    /// The address.
    pub const fn get(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<String> for LoopbackAddress {
    type Error = NotLoopback;

    fn try_from(text: String) -> Result<Self, NotLoopback> {
        let address: SocketAddr = text.parse().map_err(|_| NotLoopback)?;
        let is_own = address.ip().is_loopback();
        is_own.then_some(Self(address)).ok_or(NotLoopback)
    }
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be trusted or read.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// It is not text.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// It is not as documented; the message names the key and its line.
    #[error("{path}: {message}")]
    Content {
        /// Where.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
}

impl Config {
    /// Reads `config.toml`; without one, everything is at its default.
    ///
    /// # Errors
    /// [`ConfigError`] for an unknown key, a wrong type, or a value outside its range.
    pub fn load(data_dir: DataDir) -> Result<Self, ConfigError> {
        let file = read(&data_dir)?;
        Ok(Self {
            data_dir,
            limits: file.limits,
            names: file.names,
            secrets: file.secrets,
            legacy: file.legacy.tcp,
            sandbox: file.sandbox,
            listening: Listening::Bind,
            leaves_when_idle: false,
            watchdog: None,
            secret: None,
        })
    }
}

fn read(data_dir: &DataDir) -> Result<File, ConfigError> {
    let path = data_dir.config();
    match private::read_file(&path, LARGEST) {
        Ok(bytes) => parse(&bytes).map_err(|message| ConfigError::Content { path, message }),
        Err(error) if error.is_missing() => Ok(File::default()),
        Err(error) => Err(error.into()),
    }
}

fn parse(bytes: &[u8]) -> Result<File, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    if let Some((key, range)) = file.limits.out_of_range() {
        return Err(format!("`limits.{key}` must be {range}"));
    }
    match file.share.fault() {
        Some((key, range)) => Err(format!("`share.{key}` must be {range}")),
        None => Ok(file),
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing {
    //! Any bytes as `config.toml`.

    use super::{Component, PathBuf, parse};

    /// A configuration is refused, or everything in it is within its bounds.
    pub fn config(bytes: &[u8]) {
        let Ok(file) = parse(bytes) else { return };
        assert_eq!(file.limits.out_of_range(), None);
        assert!(
            file.legacy
                .tcp
                .is_none_or(|tcp| tcp.get().ip().is_loopback())
        );
        let climbs = |root: &PathBuf| root.components().any(|part| part == Component::ParentDir);
        let roots = &file.share.roots;
        assert!(roots.iter().all(|root| root.is_absolute() && !climbs(root)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = parse(b"names = \"secret\"\n[limits]\nhops = 3\nhoops = 4\n").unwrap_err();
        assert!(
            error.contains("line 4") && error.contains("hoops"),
            "{error}"
        );
    }

    #[test]
    fn the_old_port_is_off_and_only_on_loopback() {
        assert_eq!(parse(b"").unwrap().legacy.tcp, None);
        for good in ["127.0.0.1:9876", "127.0.0.1:0", "[::1]:9876"] {
            let file = parse(format!("[legacy]\ntcp = \"{good}\"\n").as_bytes()).unwrap();
            assert_eq!(file.legacy.tcp.unwrap().get().to_string(), good);
        }
        for bad in [
            "\"0.0.0.0:9876\"",
            "\"192.168.1.2:9876\"",
            "\"[::]:9876\"",
            "\"[::ffff:127.0.0.1]:9876\"",
            "\"localhost:9876\"",
            "\"127.0.0.1\"",
            "\"\"",
            "9876",
        ] {
            let error = parse(format!("[legacy]\ntcp = {bad}\n").as_bytes()).unwrap_err();
            assert!(error.contains("tcp") && error.contains("line 2"), "{error}");
        }
        let error = parse(b"[legacy]\nudp = \"127.0.0.1:1\"\n").unwrap_err();
        assert!(error.contains("udp"), "{error}");
    }

    #[test]
    fn a_rule_that_is_none_or_a_treatment_that_is_none_is_an_error() {
        let text = b"[secrets]\noutgoing = \"mask\"\n[secrets.rules]\njwt = \"allow\"\n";
        assert_ne!(parse(text).unwrap().secrets, Secrets::default());
        for wrong in [
            "[secrets]\noutgoing = \"hide\"\n",
            "[secrets]\nincoming = \"mask\"\n",
            "[secrets.rules]\njwts = \"allow\"\n",
            "[secrets.rules]\nunknown = \"allow\"\n",
            "[secrets.rules]\njwt = true\n",
        ] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_limit_can_be_set_and_is_checked() {
        let file = parse(b"[limits]\nsend_per_minute = 7\nread_days = 1\n").unwrap();
        assert_eq!(file.limits.send_per_minute.get(), 7);
        assert_eq!(file.limits.hops, Limits::default().hops);
        for wrong in [
            "send_per_minute = 0",
            "wait_s = 3601",
            "body_bytes = 2000000",
            "hops = -1",
        ] {
            assert!(
                parse(format!("[limits]\n{wrong}\n").as_bytes()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn nothing_is_shared_unless_roots_are_named_and_they_are_plain() {
        assert!(parse(b"").unwrap().share.roots.is_empty());
        let file = parse(b"[share]\nroots = [\"/srv/a\"]\nlargest = 10\n").unwrap();
        assert_eq!(file.share.roots, [PathBuf::from("/srv/a")]);
        let many = format!("roots = [{}]", "\"/a\",".repeat(SHARED_ROOTS + 1));
        for wrong in [
            "roots = [\"a\"]",
            "roots = [\"/srv/../etc\"]",
            "roots = [\"~/a\"]",
            "roots = \"/srv\"",
            "largest = 0",
            "largest = 1048577",
            "root = [\"/srv\"]",
            &many,
        ] {
            let text = format!("[share]\n{wrong}\n");
            assert!(parse(text.as_bytes()).is_err(), "{wrong}");
        }
    }
}
