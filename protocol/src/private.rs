//! Files and directories that belong to one user alone.
//!
//! What always holds: nothing is read from, or written into, a place that another user could have
//! put there or can look into. A loose mode is reported with the command that mends it, never
//! mended silently: somebody may already have read the file.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

/// Why a path cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The system call failed.
    #[error("{path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
    /// It is a symbolic link, or not what should be there.
    #[error("{path} is not a {wanted}, or is a symbolic link")]
    Kind {
        /// Where.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
    /// Another user owns it.
    #[error("{path} belongs to user {uid}, not to you")]
    Owner {
        /// Where.
        path: PathBuf,
        /// Whose it is.
        uid: u32,
    },
    /// Others may look into it.
    #[error("{path} has mode {mode:04o}; others can reach it")]
    Mode {
        /// Where.
        path: PathBuf,
        /// The mode it has.
        mode: u32,
        /// The mode it should have.
        wanted: u32,
    },
    /// It holds more than it may.
    #[error("{path} is larger than {most} bytes")]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// What it may hold.
        most: u64,
    },
}

impl PrivateError {
    /// Whether there is simply nothing at the path.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn io_at(path: &Path) -> impl Fn(io::Error) -> PrivateError {
    let path = path.to_owned();
    move |source| PrivateError::Io {
        path: path.clone(),
        source,
    }
}

/// Opens the directory at `path` and checks that it is this user's alone (mode 0700).
///
/// # Errors
/// [`PrivateError`] for a link, another owner, or a mode that lets others in.
pub fn open_directory(path: &Path) -> Result<OwnedFd, PrivateError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = open(path, flags, "directory")?;
    check(path, &directory, 0o700)?;
    Ok(directory.into())
}

/// Makes the directory at `path` with mode 0700 unless it is there, and opens it checked.
///
/// # Errors
/// As [`open_directory`], and those of making it.
pub fn ensure_directory(path: &Path) -> Result<OwnedFd, PrivateError> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io_at(path)(error)),
    }
    open_directory(path)
}

/// Reads the file at `path`, which must be this user's alone and hold at most `most` bytes.
///
/// # Errors
/// [`PrivateError`] for a link, anything but a regular file, another owner, a loose mode, a size.
pub fn read_file(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, PrivateError> {
    // NONBLOCK: a FIFO in this place must not hang us.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = open(path, flags, "regular file")?;
    check(path, &file, 0o600)?;
    // With room for all of it: a vector that grows leaves what it held behind.
    let length = file.metadata().map_err(io_at(path))?.len().min(most);
    let room = usize::try_from(length).unwrap_or(0).saturating_add(64);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(io_at(path))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= most) {
        Ok(bytes)
    } else {
        Err(PrivateError::TooLarge {
            path: path.to_owned(),
            most,
        })
    }
}

/// Puts a file with these bytes and mode 0600 at `path`, all or nothing, on disk on return.
///
/// # Errors
/// [`PrivateError::Io`]; what was there before is still there.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), PrivateError> {
    let directory = path.parent().unwrap_or_else(|| Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(directory)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|e| e.error)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(io_at(path))
}

/// Opens (making it if need be, mode 0600) the file at `path` to be locked; nothing is written.
///
/// # Errors
/// [`PrivateError`] for a link, another owner, a loose mode.
pub fn open_lock(path: &Path) -> Result<File, PrivateError> {
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = open(path, flags, "regular file")?;
    check(path, &file, 0o600)?;
    Ok(file)
}

/// Opens (making it if need be, mode 0600) the file at `path` to be appended to.
///
/// # Errors
/// [`PrivateError`] for a link, another owner, a loose mode.
pub fn open_append(path: &Path) -> Result<File, PrivateError> {
    let flags = OFlags::WRONLY
        | OFlags::APPEND
        | OFlags::CREATE
        | OFlags::NOFOLLOW
        | OFlags::CLOEXEC
        | OFlags::NONBLOCK;
    let file = open(path, flags, "regular file")?;
    check(path, &file, 0o600)?;
    Ok(file)
}

fn open(path: &Path, flags: OFlags, wanted: &'static str) -> Result<File, PrivateError> {
    match rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR) {
        Ok(fd) => Ok(fd.into()),
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => Err(PrivateError::Kind {
            path: path.to_owned(),
            wanted,
        }),
        Err(error) => Err(io_at(path)(error.into())),
    }
}

fn check(path: &Path, file: &File, wanted: u32) -> Result<(), PrivateError> {
    let facts = file.metadata().map_err(io_at(path))?;
    let path = path.to_owned();
    if wanted == 0o600 && !facts.is_file() {
        return Err(PrivateError::Kind {
            path,
            wanted: "regular file",
        });
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        return Err(PrivateError::Owner {
            path,
            uid: facts.uid(),
        });
    }
    let mode = facts.mode() & 0o7_777;
    if mode & 0o077 != 0 {
        return Err(PrivateError::Mode { path, mode, wanted });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn room() -> tempfile::TempDir {
        tempfile::Builder::new().prefix("ipc-").tempdir().unwrap()
    }

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_written_file_is_private_and_read_back() {
        let room = room();
        let path = room.path().join("secret");
        write_file(&path, b"first").unwrap();
        write_file(&path, b"second").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(*read_file(&path, 10).unwrap(), b"second");
        assert!(matches!(
            read_file(&path, 5),
            Err(PrivateError::TooLarge { .. })
        ));
        assert_eq!(
            std::fs::read_dir(room.path()).unwrap().count(),
            1,
            "no leftovers"
        );
    }

    #[test]
    fn a_loose_mode_is_reported_and_left_alone() {
        let room = room();
        let path = room.path().join("secret");
        write_file(&path, b"secret").unwrap();
        for mode in [0o640, 0o604, 0o601] {
            set_mode(&path, mode);
            assert!(
                matches!(read_file(&path, 10), Err(PrivateError::Mode { .. })),
                "{mode:o}"
            );
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
        set_mode(room.path(), 0o755);
        assert!(matches!(
            open_directory(room.path()),
            Err(PrivateError::Mode { .. })
        ));
        set_mode(room.path(), 0o700);
    }

    #[test]
    fn a_file_of_another_user_is_not_read() {
        let room = room();
        let path = room.path().join("secret");
        write_file(&path, b"secret").unwrap();
        // Only root can give a file away; everybody else has files of root at hand.
        let given_away = std::os::unix::fs::chown(&path, Some(12_345), None).is_ok();
        let foreign = if given_away {
            path.as_path()
        } else {
            Path::new("/etc/passwd")
        };
        let refused = read_file(foreign, 1_048_576).unwrap_err();
        assert!(matches!(refused, PrivateError::Owner { .. }), "{refused}");
    }

    #[test]
    fn links_and_pipes_are_not_followed_or_waited_for() {
        let room = room();
        let (file, link) = (room.path().join("file"), room.path().join("link"));
        write_file(&file, b"x").unwrap();
        symlink(&file, &link).unwrap();
        assert!(matches!(
            read_file(&link, 10),
            Err(PrivateError::Kind { .. })
        ));
        assert!(matches!(open_lock(&link), Err(PrivateError::Kind { .. })));
        let directory = room.path().join("directory");
        symlink(room.path(), &directory).unwrap();
        assert!(matches!(
            open_directory(&directory),
            Err(PrivateError::Kind { .. })
        ));
        let pipe = room.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert!(matches!(
            read_file(&pipe, 10),
            Err(PrivateError::Kind { .. })
        ));
    }

    #[test]
    fn nothing_there_is_told_apart_from_trouble() {
        assert!(
            read_file(&room().path().join("none"), 10)
                .unwrap_err()
                .is_missing()
        );
    }
}
