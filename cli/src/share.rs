//! Files that may be shared with other agents: beneath directories that a person has named.
//!
//! What always holds: nothing is shared unless `[share]` of `config.toml` names a root; a file is
//! opened component by component from the root of the file system, through no link and no `..`, and
//! is looked at again once it is open; what is on the list of [`denied`] names is refused unseen, in
//! our own data directory too; a file has one name only, and its content is text without a private
//! key. Nothing is said of what lies outside of the roots, not even whether it is there.

mod beneath;
mod denied;

use std::io;
use std::path::{Component, Path, PathBuf};

use ipc_daemon::config::{ConfigError, Sharing};
use ipc_mcp::SharedFile;
use ipc_protocol::error::ErrorCode;
use ipc_protocol::safe;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Longest path that is shared, in bytes: it goes along with the message.
const PATH_BYTES: usize = 1_024;

/// Why a file is not shared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotShared {
    /// No root is configured.
    #[error("sharing files is off")]
    Off,
    /// It lies outside of every root.
    #[error("this path is in no directory that may be shared from")]
    Outside,
    /// `..` or something else that is no plain path.
    #[error("a path to share is plain: no `..`, no hidden characters, at most {PATH_BYTES} bytes")]
    Path,
    /// Its name says that it is nobody else's business.
    #[error("`{0}` in a path says secrets, history or configuration; such files are never shared")]
    Denied(String),
    /// A link, in the place of the file or of a directory on the way.
    #[error("there is a link on the way to it, or something that is no directory")]
    Link,
    /// Not a regular file, or one that the system makes up.
    #[error("it is not a regular file on a disk")]
    Kind,
    /// It has several names.
    #[error("it has several names (hard links), and what the others say of it is not known")]
    Names,
    /// It became another one while it was opened.
    #[error("it was replaced while it was opened")]
    Replaced,
    /// It is too large.
    #[error("it is larger than {0} bytes")]
    Large(usize),
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It is not text.
    #[error("it is not text in UTF-8")]
    Text,
    /// It holds a private key.
    #[error("it holds a private key")]
    Key,
    /// A root cannot be used.
    #[error("the directory {path} cannot be shared from: {reason}")]
    Root { path: String, reason: &'static str },
    /// The system says no.
    #[error("reading it: {0}")]
    Io(#[from] io::Error),
}

impl NotShared {
    const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Off
            | Self::Outside
            | Self::Denied(_)
            | Self::Link
            | Self::Kind
            | Self::Names
            | Self::Replaced
            | Self::Key
            | Self::Root { .. } => Some(ErrorCode::Forbidden),
            Self::Path | Self::Empty | Self::Text => Some(ErrorCode::Malformed),
            Self::Large(_) => Some(ErrorCode::TooLarge),
            Self::Io(_) => None,
        }
    }

    const fn hint(&self) -> &'static str {
        match self {
            Self::Off | Self::Outside => {
                "a person names directories in `config.toml` (`[share]`, `roots`) and starts the \
                 session anew; short extracts go with ipc_send"
            }
            Self::Path => "name the file as it lies in the project's folder",
            Self::Link | Self::Kind | Self::Names => "name a file of its own; copy it if need be",
            Self::Replaced => "try again when nobody writes it",
            Self::Large(_) | Self::Empty | Self::Text => "send the part that matters with ipc_send",
            Self::Denied(_) | Self::Key => "do not get around this; ask your user",
            Self::Root { .. } => "a person corrects `[share]` in `config.toml`",
            Self::Io(_) => "see that it is there and readable",
        }
    }
}

impl From<NotShared> for Failure {
    fn from(error: NotShared) -> Self {
        Self {
            code: error.code(),
            ..Self::new(ExitStatus::Refused, error.to_string())
        }
        .hint(error.hint())
    }
}

/// What may be shared.
#[derive(Debug)]
pub(crate) struct Shares {
    sharing: Sharing,
    /// Where a path begins that is not absolute.
    project: Option<PathBuf>,
    data_dir: PathBuf,
}

impl Shares {
    /// Reads the configuration.
    pub(crate) fn load(context: &Context) -> Result<Self, Failure> {
        let sharing = Sharing::load(&context.data_dir).map_err(|error| match error {
            ConfigError::Private(error) => error.into(),
            error @ (ConfigError::Io { .. } | ConfigError::Content { .. }) => {
                Failure::local(error.to_string()).hint("docs/CONFIGURATION.md has every key")
            }
        })?;
        Ok(Self {
            sharing,
            project: context.project(),
            data_dir: context.data_dir.root().to_owned(),
        })
    }

    /// Reads the file at `path`, if it may be shared.
    pub(crate) fn read(&self, path: &Path) -> Result<SharedFile, NotShared> {
        if self.sharing.roots.is_empty() {
            return Err(NotShared::Off);
        }
        let path = self.plain(path)?;
        let root = self.root_of(&path).ok_or(NotShared::Outside)?;
        let inner = path.strip_prefix(root).map_err(|_| NotShared::Outside)?;
        if let Some(name) = denied::find(inner) {
            return Err(NotShared::Denied(safe::line(&name)));
        }
        check_root(root, &self.data_dir)?;
        let ours = beneath::identity(&self.data_dir);
        let bytes = beneath::read(root, inner, ours, self.sharing.largest)?;
        Ok(SharedFile {
            path: inner.to_str().ok_or(NotShared::Path)?.to_owned(),
            text: text(bytes)?,
        })
    }

    /// The path as absolute and plain.
    fn plain(&self, path: &Path) -> Result<PathBuf, NotShared> {
        let whole = match &self.project {
            Some(project) if path.is_relative() => project.join(path),
            Some(_) | None => path.to_owned(),
        };
        let is_plain =
            |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        // What is joined keeps its dots, but for those that mean nothing.
        let text = whole
            .to_str()
            .filter(|text| !text.contains(safe::is_hidden));
        let fits = text.is_some_and(|text| text.len() <= PATH_BYTES);
        if fits && whole.is_absolute() && whole.components().all(is_plain) {
            Ok(whole.components().collect())
        } else {
            Err(NotShared::Path)
        }
    }

    /// The innermost root that holds `path`.
    fn root_of(&self, path: &Path) -> Option<&Path> {
        let holds = |root: &&PathBuf| path.starts_with(root) && path != root.as_path();
        let all = self.sharing.roots.iter().filter(holds);
        all.map(PathBuf::as_path)
            .max_by_key(|root| root.components().count())
    }
}

/// Refuses a root that a person cannot have meant.
fn check_root(root: &Path, data_dir: &Path) -> Result<(), NotShared> {
    let refuse = |reason| {
        Err(NotShared::Root {
            path: safe::line(&root.to_string_lossy()),
            reason,
        })
    };
    let made_up = ["/proc", "/sys", "/dev", "/run"];
    if root == Path::new("/") {
        return refuse("it is everything");
    }
    if made_up.iter().any(|system| root.starts_with(system)) {
        return refuse("it is the system's");
    }
    if root.starts_with(data_dir) {
        return refuse("it is where ipc keeps its credentials");
    }
    match denied::find(root) {
        Some(_) => refuse("its name says secrets or configuration"),
        None => Ok(()),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, NotShared> {
    let text = String::from_utf8(bytes).map_err(|_| NotShared::Text)?;
    if text.is_empty() {
        return Err(NotShared::Empty);
    }
    if text.contains('\0') {
        return Err(NotShared::Text);
    }
    if text.contains("PRIVATE KEY-----") || text.contains("PRIVATE KEY BLOCK-----") {
        return Err(NotShared::Key);
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
