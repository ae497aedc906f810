//! The deployment: its directory, its lock, its key, its secret.
//!
//! There is no open mode. The first start makes whatever is missing, a random secret included, and
//! later starts never make it a second time.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::thread;

use data_encoding::BASE64URL_NOPAD;
use ipc_protocol::auth::{Kdf, OutOfRange};
use ipc_protocol::limits::SECRET_BYTES;
use ipc_protocol::paths::DataDir;
use ipc_protocol::private::{self, PrivateError};
use ipc_protocol::request::Enrolment;
use ipc_protocol::secret::{InvalidSecret, SharedSecret};
use rand::rngs::StdRng;
use rand::{CryptoRng, Rng};
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};
use zeroize::Zeroizing;

use crate::clock::Now;
use crate::key::DeploymentKey;
use crate::limits::{LOCK_PAUSE, LOCK_TRIES};
use crate::locked::KeptSecret;
use crate::store::credentials;
use crate::store::open::{self, OpenError};
use crate::store::past::Past;
use crate::store::verifiers::{self, SecretVerifier};

/// Why a deployment cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DeploymentError {
    /// Directory or file cannot be trusted or reached.
    #[error(transparent)]
    Private(#[from] PrivateError),
    /// Another daemon has it.
    #[error("another daemon already serves {0}")]
    AlreadyRunning(PathBuf),
    /// The file system cannot be relied on.
    #[error("{path} is on a {kind} file system, where locks and the write-ahead log are unsafe")]
    FileSystem {
        /// Where.
        path: PathBuf,
        /// Which.
        kind: &'static str,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The secret cannot be one.
    #[error("{origin}: {source}")]
    Secret {
        /// Where it came from.
        origin: String,
        /// What is wrong with it.
        source: InvalidSecret,
    },
    /// SQLite could not.
    #[error("store: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Files failed.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// The built-in parameters are outside the bounds: never, but not worth a panic.
    #[error(transparent)]
    Kdf(#[from] OutOfRange),
}

/// The one daemon's hold on the directory, until dropped. The file is never unlinked: a second
/// file of the same name would be a second lock.
#[derive(Debug)]
pub struct DaemonLock {
    _file: File,
}

impl DaemonLock {
    /// Opens the directory, making it if need be, and takes the lock.
    ///
    /// # Errors
    /// [`DeploymentError`]: not ours alone, an unsafe file system, or another daemon has it.
    pub fn take(data_dir: &DataDir) -> Result<Self, DeploymentError> {
        let directory = private::ensure_directory(data_dir.root())?;
        if let Some(kind) = unsafe_file_system(&directory) {
            return Err(DeploymentError::FileSystem {
                path: data_dir.root().to_owned(),
                kind,
            });
        }
        let path = data_dir.daemon_lock();
        let failed = |source| DeploymentError::Io {
            path: path.clone(),
            source,
        };
        let mut file = private::open_lock(&path)?;
        if !lock_soon(&file).map_err(failed)? {
            return Err(DeploymentError::AlreadyRunning(data_dir.root().to_owned()));
        }
        // For `ipc daemon stop`: whom to tell.
        let note = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        note.map_err(|source| DeploymentError::Io { path, source })?;
        Ok(Self { _file: file })
    }
}

/// Whether `file` could be locked: not when somebody has it and keeps it. A daemon that was killed
/// may hold its lock a moment longer than its socket, so it is tried again for a little. A wait
/// could be given up only in a thread of its own, and there must be none before the sandbox.
fn lock_soon(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) => thread::sleep(LOCK_PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// An opened deployment.
#[derive(Debug)]
pub(crate) struct Deployment {
    pub(crate) db: Connection,
    pub(crate) key: DeploymentKey,
    pub(crate) id: [u8; 16],
    pub(crate) verifiers: Vec<SecretVerifier>,
    pub(crate) enrolment: Enrolment,
    /// The secret, if one is known: what is slow about it is done after the daemon is ready.
    pub(crate) secret: Option<KeptSecret>,
    /// Who served it before this start.
    pub(crate) past: Past,
}

/// Opens the deployment in `data_dir`, making it if there is none.
pub(crate) fn open(
    data_dir: &DataDir,
    handed_over: Option<KeptSecret>,
    now: Now,
    rng: &mut StdRng,
    _lock: &DaemonLock,
) -> Result<Deployment, DeploymentError> {
    // Before anything is made, so that a start that is refused leaves nothing behind.
    let from_file = read_secret(&data_dir.secret())?;
    let key = DeploymentKey::read(data_dir)?;
    let open::Opened { db, past } = open::open_telling_past(data_dir, key.is_some(), now.wall)?;
    let key = if let Some(key) = key {
        key
    } else {
        // The first start, or the key was lost: then everybody enrols again, and mail is kept.
        credentials::clear(&db)?;
        DeploymentKey::create(data_dir, rng)?
    };
    let id = match verifiers::deployment(&db)? {
        Some(id) => id,
        None => found(&db, now, rng)?,
    };
    let mut known = verifiers::all(&db, &key)?;
    let has_file = from_file.is_some();
    let mut secret = handed_over.or_else(|| from_file.map(KeptSecret::new));
    let mut enrolment = Enrolment::Unchecked;
    if known.is_empty() {
        let made = secret.take().map_or_else(|| random_secret(rng), Ok)?;
        if !has_file {
            private::write_file(&data_dir.secret(), made.expose())?;
        }
        let verifier = derive(&made, Kdf::ARGON2ID, "k1".to_owned(), rng)?;
        verifiers::add(&db, &key, &verifier, now)?;
        known.push(verifier);
        secret = Some(made);
        enrolment = Enrolment::Open;
    }
    if secret.as_ref().is_some_and(|kept| kept.is_weak()) {
        tracing::warn!(
            "the shared secret is under {} bytes: easy to guess",
            SECRET_BYTES.1
        );
    }
    Ok(Deployment {
        db,
        key,
        id,
        verifiers: known,
        enrolment,
        secret,
        past,
    })
}

fn found(db: &Connection, now: Now, rng: &mut StdRng) -> rusqlite::Result<[u8; 16]> {
    let mut id = [0; 16];
    rng.fill_bytes(&mut id);
    verifiers::found(db, id, now)?;
    Ok(id)
}

/// Reads the `secret` file; `None` when there is none.
pub(crate) fn read_secret(path: &Path) -> Result<Option<SharedSecret>, DeploymentError> {
    let (_, _, longest) = SECRET_BYTES;
    let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    match private::read_file(path, most) {
        Ok(bytes) => SharedSecret::new(bytes.to_vec())
            .map(Some)
            .map_err(|source| DeploymentError::Secret {
                origin: path.display().to_string(),
                source,
            }),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// 256 random bits, as text that survives an environment variable.
fn random_secret(rng: &mut impl CryptoRng) -> Result<KeptSecret, DeploymentError> {
    let mut bits = Zeroizing::new([0; 32]);
    rng.fill_bytes(&mut *bits);
    let text = BASE64URL_NOPAD.encode(&*bits).into_bytes();
    let secret = SharedSecret::new(text).map_err(|source| DeploymentError::Secret {
        origin: "a random secret".to_owned(),
        source,
    })?;
    Ok(KeptSecret::new(secret))
}

/// Makes what proofs of `secret` are checked with. Slow on purpose.
pub(crate) fn derive(
    secret: &SharedSecret,
    kdf: Kdf,
    kid: String,
    rng: &mut impl CryptoRng,
) -> Result<SecretVerifier, OutOfRange> {
    let mut salt = vec![0; 16];
    rng.fill_bytes(&mut salt);
    let verifier = kdf.derive(secret, &salt)?.verifier();
    Ok(SecretVerifier {
        kid,
        kdf,
        salt,
        verifier,
    })
}

/// Whether `secret` is the one that `known` was made from. Slow on purpose.
pub(crate) fn is_same(secret: &SharedSecret, known: &SecretVerifier) -> bool {
    use subtle::ConstantTimeEq;
    known.kdf.derive(secret, &known.salt).is_ok_and(|key| {
        key.verifier()
            .stored_key
            .ct_eq(&known.verifier.stored_key)
            .into()
    })
}

/// The kind of the file system under `directory`, where locks or shared memory do not hold.
#[cfg(target_os = "linux")]
pub fn unsafe_file_system(directory: &impl std::os::fd::AsFd) -> Option<&'static str> {
    // Magic numbers of statfs(2).
    const UNSAFE: [(i64, &str); 9] = [
        (0x6969, "NFS"),
        (0x517B, "SMB"),
        (0xFE53_4D42, "SMB"),
        (0xFF53_4D42, "CIFS"),
        (
            0x0102_1997,
            "9P (a Windows drive or a virtual machine's share)",
        ),
        (0x6573_5546, "FUSE"),
        (0x00C3_6400, "Ceph"),
        (0x5346_414F, "AFS"),
        (0x0BD0_0BD0, "Lustre"),
    ];
    let facts = rustix::fs::fstatfs(directory).ok()?;
    let magic = facts.f_type;
    UNSAFE
        .into_iter()
        .find_map(|(number, kind)| (number == magic).then_some(kind))
}

#[cfg(not(target_os = "linux"))]
pub fn unsafe_file_system(_: &impl std::os::fd::AsFd) -> Option<&'static str> {
    None
}
