//! `audit/state`: where the chain stands, with the one key that is left of it.
//!
//! Two places in one file take turns. A new state is written into the other one and flushed before
//! the old one is overwritten with zeros and flushed too: after a crash at least one of them is whole,
//! and no key stays that a later one was made from. (In place, because a file that is replaced leaves
//! its old blocks behind; what a file system that copies, or a disk that moves blocks, keeps of them is
//! out of reach.)

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ipc_protocol::private::{self, PrivateError};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::chain::{Chain, LineKey, Seal, Sequence};

/// The two places are this far apart, in bytes: no write of one touches a sector of the other.
const APART: usize = 4_096;

/// The same, as an offset in the file.
const APART_OFFSET: u64 = 4_096;

const _: () = assert!(APART_OFFSET.trailing_zeros() == APART.trailing_zeros());

/// What a state begins with.
const MAGIC: &[u8; 8] = b"ipcaud01";

/// A state without its checksum, in bytes.
const PLAIN: usize = 96;

/// A state, in bytes.
const WHOLE: usize = 128;

/// Where the chain stands, and how much of its last file that covers.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) chain: Chain,
    /// The first line of the file.
    pub(crate) file: Sequence,
    /// Bytes of it that are sealed.
    pub(crate) length: u64,
}

impl State {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(WHOLE));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.chain.next.to_be_bytes());
        bytes.extend_from_slice(&self.chain.previous.0);
        bytes.extend_from_slice(self.chain.key.expose());
        bytes.extend_from_slice(&self.file.to_be_bytes());
        bytes.extend_from_slice(&self.length.to_be_bytes());
        let sum = Sha256::digest(bytes.as_slice());
        bytes.extend_from_slice(&sum);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (plain, sum) = bytes.get(..WHOLE)?.split_at_checked(PLAIN)?;
        if Sha256::digest(plain).as_slice() != sum {
            return None;
        }
        let rest = plain.strip_prefix(MAGIC)?;
        let (next, rest) = rest.split_first_chunk::<8>()?;
        let (previous, rest) = rest.split_first_chunk::<32>()?;
        let (key, rest) = rest.split_first_chunk::<32>()?;
        let (file, rest) = rest.split_first_chunk::<8>()?;
        let (length, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            chain: Chain {
                next: u64::from_be_bytes(*next),
                previous: Seal(*previous),
                key: LineKey::new(*key),
            },
            file: u64::from_be_bytes(*file),
            length: u64::from_be_bytes(*length),
        })
    }
}

/// What the file holds.
#[derive(Debug)]
pub(crate) enum Found {
    /// There is none.
    Nothing,
    /// No state that is whole.
    Damaged,
    /// This one, in the first place or in the second.
    State(State, Place),
}

/// One of the two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    Second,
}

impl Place {
    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    const fn offset(self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second => APART_OFFSET,
        }
    }
}

/// Reads the state at `path`: the later of two, after a crash between writing one and wiping the
/// other.
pub(crate) fn read(path: &Path) -> Result<Found, PrivateError> {
    let most = u64::try_from(APART.saturating_mul(2)).unwrap_or(u64::MAX);
    let bytes = match private::read_file(path, most) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(Found::Nothing),
        Err(PrivateError::TooLarge { .. }) => return Ok(Found::Damaged),
        Err(error) => return Err(error),
    };
    let first = State::decode(&bytes);
    let second = bytes.get(APART..).and_then(State::decode);
    Ok(match (first, second) {
        (Some(first), Some(second)) if first.chain.next >= second.chain.next => {
            Found::State(first, Place::First)
        }
        (_, Some(second)) => Found::State(second, Place::Second),
        (Some(first), None) => Found::State(first, Place::First),
        (None, None) => Found::Damaged,
    })
}

/// The file, open to be written.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: File,
    place: Place,
}

impl StateFile {
    /// Makes the file at `path`, with `state` in it.
    pub(crate) fn create(path: &Path, state: &State) -> Result<Self, PrivateError> {
        let mut bytes = state.encode();
        bytes.resize(APART.saturating_mul(2), 0);
        private::write_file(path, &bytes)?;
        Ok(Self {
            file: private::open_lock(path)?,
            place: Place::First,
        })
    }

    /// Opens the file at `path`, whose state was found in `place`.
    pub(crate) fn open(path: &Path, place: Place) -> Result<Self, PrivateError> {
        let file = private::open_lock(path)?;
        Ok(Self { file, place })
    }

    /// Puts `state` into the file; what it held is wiped.
    pub(crate) fn replace(&mut self, state: &State) -> std::io::Result<()> {
        let (old, new) = (self.place, self.place.other());
        self.file.write_all_at(&state.encode(), new.offset())?;
        self.file.sync_data()?;
        self.place = new;
        self.file.write_all_at(&[0; WHOLE], old.offset())?;
        self.file.sync_data()
    }
}
