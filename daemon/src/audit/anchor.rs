//! Anchors and the key: what is kept elsewhere so that a log that was changed is found out.
//!
//! An anchor is a line's number and seal. It is no secret, and it fixes every line up to its own. The
//! key is that of the first line: with it every line can be checked, and whoever has it and can write
//! the log can write a new one, up to the last anchor. It lies in `audit/start` until it is taken away.

use std::fmt;
use std::fs::File;
use std::path::Path;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use ipc_protocol::private;
use ipc_protocol::time::Timestamp;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::chain::{Chain, LineKey, Seal, Sequence};
use super::files::{self, LogError};
use super::state::{self, Found};

/// What an anchor begins with.
const ANCHOR: &str = "ipc-audit-anchor:";

/// What a key begins with.
const KEY: &str = "ipc-audit-key:";

/// A longer file of anchors is none, in bytes.
pub const ANCHORS_BYTES: u64 = 65_536;

/// The last line of the log at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    pub(crate) sequence: Sequence,
    pub(crate) seal: Seal,
    pub(crate) at: Timestamp,
}

impl Anchor {
    /// The number of the line.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it was taken.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The last line that is sealed in `directory`.
    ///
    /// # Errors
    /// [`LogError`]; `None` when there is no log whose state is whole.
    pub fn of(directory: &Path, at: Timestamp) -> Result<Option<Self>, LogError> {
        Ok(match state::read(&files::state(directory))? {
            Found::State(state, _) => Some(Self {
                sequence: state.chain.next.saturating_sub(1),
                seal: state.chain.previous,
                at,
            }),
            Found::Nothing | Found::Damaged => None,
        })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, at, seal) = (self.sequence, self.at.as_millis(), self.seal.text());
        write!(f, "{ANCHOR}{n}:{at}:{seal}")
    }
}

impl Serialize for Anchor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The key of one line and what it is chained to: with it that line and all later ones are checked.
/// Never shown but where somebody takes it away.
pub struct AuditKey {
    chain: Chain,
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditKey(…)")
    }
}

impl AuditKey {
    pub(crate) const fn of(chain: &Chain) -> Self {
        let chain = chain.again();
        Self { chain }
    }

    pub(crate) const fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The text that [`Anchors`] read.
    pub fn text(&self) -> Zeroizing<String> {
        let Chain {
            next,
            previous,
            key,
        } = &self.chain;
        let key = Zeroizing::new(BASE64URL_NOPAD.encode(key.expose()));
        Zeroizing::new(format!("{KEY}{next}:{}:{}\n", previous.text(), *key))
    }

    /// The key that lies in `directory`; nothing when it was taken away.
    ///
    /// # Errors
    /// [`LogError`] when it cannot be read.
    pub fn of_start(directory: &Path) -> Result<Option<Self>, LogError> {
        match private::read_file(&files::start(directory), 1_024) {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(parse_key)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the key out of `directory`: overwritten, then removed.
    ///
    /// # Errors
    /// [`LogError`]; it may still be there.
    pub fn forget(directory: &Path) -> Result<(), LogError> {
        let path = files::start(directory);
        let wipe = || {
            let file = File::options().write(true).open(&path)?;
            let length = usize::try_from(file.metadata()?.len().min(1_024)).unwrap_or(0);
            std::os::unix::fs::FileExt::write_all_at(&file, &vec![0; length], 0)?;
            file.sync_all()?;
            std::fs::remove_file(&path)
        };
        wipe().map_err(|e| LogError::io(&path, e))?;
        files::sync(directory)
    }
}

fn parse_key(text: &str) -> Option<AuditKey> {
    let rest = text.trim().strip_prefix(KEY)?;
    let (next, rest) = rest.split_once(':')?;
    let (previous, key) = rest.split_once(':')?;
    let key = Zeroizing::new(BASE64URL_NOPAD.decode(key.as_bytes()).ok()?);
    let next = next.parse().ok().filter(|next| *next > 0)?;
    let chain = Chain {
        next,
        previous: Seal::parse(previous)?,
        key: LineKey::new(key.as_slice().try_into().ok()?),
    };
    Some(AuditKey { chain })
}

fn parse_anchor(text: &str) -> Option<Anchor> {
    let rest = text.trim().strip_prefix(ANCHOR)?;
    let (sequence, rest) = rest.split_once(':')?;
    let (at, seal) = rest.split_once(':')?;
    Some(Anchor {
        sequence: sequence.parse().ok()?,
        seal: Seal::parse(seal)?,
        at: Timestamp::from_millis(at.parse().ok()?),
    })
}

/// Anchors, and perhaps a key, as they were kept elsewhere: one on each line; lines that are empty or
/// begin with `#` say nothing.
#[derive(Debug, Default)]
pub struct Anchors {
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) key: Option<AuditKey>,
}

/// A line is neither an anchor nor a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is neither an anchor nor an audit key")]
pub struct InvalidAnchor {
    line: usize,
}

impl Anchors {
    /// Whether `text` is one of these rather than the path of a file with them.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(ANCHOR) || text.starts_with(KEY)
    }
}

impl FromStr for Anchors {
    type Err = InvalidAnchor;

    fn from_str(text: &str) -> Result<Self, InvalidAnchor> {
        let mut all = Self::default();
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some(anchor) = parse_anchor(line) {
                all.anchors.push(anchor);
            } else if let Some(key) = parse_key(line) {
                // The earliest: it leads to all later ones.
                let earlier = |kept: &AuditKey| kept.chain.next <= key.chain.next;
                if !all.key.as_ref().is_some_and(earlier) {
                    all.key = Some(key);
                }
            } else {
                let line = at.saturating_add(1);
                return Err(InvalidAnchor { line });
            }
        }
        Ok(all)
    }
}
