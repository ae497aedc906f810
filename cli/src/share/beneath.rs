//! Reading a file beneath a directory, through nothing but directories.
//!
//! Every step is taken from the directory that the last one opened, and refuses a link: whoever
//! swaps a part of the path meanwhile changes what is found, and never where it lies. This is what
//! `openat2(2)` does with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`, on systems without it too, and it
//! lets each directory be looked at on the way.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use super::NotShared;

/// Directories on the way to a file, at most: more are a trap.
const DEPTH: usize = 128;

/// Directories are passed through, not read: a home that others may only pass through is enough.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
const WAY: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
const WAY: OFlags = OFlags::RDONLY;

/// Which file it is, whatever it is called.
pub(super) type Identity = (u64, u64);

#[expect(
    clippy::useless_conversion,
    reason = "the fields have other types on other systems"
)]
fn of(facts: &Stat) -> Identity {
    let device = u64::try_from(facts.st_dev).unwrap_or(u64::MAX);
    (device, u64::from(facts.st_ino))
}

/// Which directory is at `path`, if there is one.
pub(super) fn identity(path: &Path) -> Option<Identity> {
    rustix::fs::stat(path).ok().map(|facts| of(&facts))
}

/// Reads the file at `inner` beneath `root`, at most `most` bytes; never from the directory `ours`.
pub(super) fn read(
    root: &Path,
    inner: &Path,
    ours: Option<Identity>,
    most: usize,
) -> Result<Vec<u8>, NotShared> {
    let name = inner.file_name().ok_or(NotShared::Path)?;
    let directories = inner.parent().ok_or(NotShared::Path)?;
    let mut at = enter(rustix::fs::CWD, OsStr::new("/"), ours)?;
    let way = root.components().chain(directories.components());
    for (depth, part) in way.enumerate() {
        match part {
            Component::Normal(name) if depth <= DEPTH => at = enter(&at, name, ours)?,
            Component::RootDir if depth == 0 => {}
            Component::Normal(_)
            | Component::RootDir
            | Component::Prefix(_)
            | Component::CurDir
            | Component::ParentDir => return Err(NotShared::Path),
        }
    }
    let file = open(&at, name)?;
    contents(file, most)
}

fn enter(
    from: impl std::os::fd::AsFd,
    name: &OsStr,
    ours: Option<Identity>,
) -> Result<OwnedFd, NotShared> {
    let flags = WAY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = openat(from, name, flags, Mode::empty()).map_err(refused)?;
    if ours.is_some() && Some(of(&fstat(&directory).map_err(refused)?)) == ours {
        return Err(NotShared::Denied(name.to_string_lossy().into_owned()));
    }
    Ok(directory)
}

/// Opens a regular file of one name. What is none is not even opened: opening a device can do
/// something.
fn open(directory: &OwnedFd, name: &OsStr) -> Result<File, NotShared> {
    let before = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map_err(refused)?;
    examine(&before)?;
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty()).map_err(refused)?;
    let now = fstat(&file).map_err(refused)?;
    examine(&now)?;
    if of(&before) != of(&now) {
        return Err(NotShared::Replaced);
    }
    check_disk(&file)?;
    Ok(file.into())
}

fn examine(facts: &Stat) -> Result<(), NotShared> {
    match FileType::from_raw_mode(facts.st_mode) {
        FileType::RegularFile if facts.st_nlink == 1 => Ok(()),
        FileType::RegularFile => Err(NotShared::Names),
        FileType::Symlink => Err(NotShared::Link),
        FileType::Directory
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => Err(NotShared::Kind),
    }
}

/// Refuses files that the system makes up as they are read, wherever they are mounted.
#[cfg(target_os = "linux")]
fn check_disk(file: &OwnedFd) -> Result<(), NotShared> {
    /// proc, sysfs, cgroup, cgroup2, debugfs, tracefs, securityfs, selinux, efivarfs, bpf, pstore,
    /// devpts, configfs (`statfs(2)`).
    const MADE_UP: [u64; 13] = [
        0x9fa0,
        0x6265_6572,
        0x0027_e0eb,
        0x6367_7270,
        0x6462_6720,
        0x7472_6163,
        0x7363_6673,
        0xf97c_ff8c,
        0xde5e_81e4,
        0xcafe_4a11,
        0x6165_676c,
        0x1cd1,
        0x6265_6570,
    ];
    let kind = rustix::fs::fstatfs(file).map_err(refused)?.f_type;
    let kind = u64::from(u32::try_from(kind & 0xffff_ffff).unwrap_or(u32::MAX));
    if MADE_UP.contains(&kind) {
        return Err(NotShared::Kind);
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn check_disk(_: &OwnedFd) -> Result<(), NotShared> {
    Ok(())
}

fn contents(file: File, most: usize) -> Result<Vec<u8>, NotShared> {
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    // It may grow while it is read, whatever it said of its size.
    file.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(NotShared::Large(most));
    }
    Ok(bytes)
}

fn refused(error: Errno) -> NotShared {
    match error {
        Errno::LOOP | Errno::NOTDIR => NotShared::Link,
        other => NotShared::Io(other.into()),
    }
}
