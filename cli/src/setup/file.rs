//! Files of a host, read with care and replaced as a whole.
//!
//! What always holds: a file is written only if it is the user's own regular file and still is what
//! was read; whoever reads meanwhile sees the old file or the new one. Mode and group stay.

use std::fs::{File, Metadata, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Gid, Mode, OFlags, fchown};
use tempfile::NamedTempFile;

use crate::failure::Failure;

/// Largest file that is touched, in bytes: the hosts' own are far smaller.
const MOST: u64 = 16 << 20;

/// A file as it was read.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Where it is; where a link stands at the host's path, what it leads to.
    pub(crate) path: PathBuf,
    /// What it holds; nothing where there is no file.
    pub(crate) text: Option<String>,
    facts: Option<Facts>,
}

#[derive(Debug, Clone, Copy)]
struct Facts {
    mode: u32,
    gid: u32,
}

/// What became of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The file is as wanted.
    Done,
    /// Somebody changed it since it was read; nothing was written.
    Changed,
}

/// A new version beside the file, on disk.
#[derive(Debug)]
pub(crate) struct Staged {
    file: NamedTempFile,
    made_directories: Vec<PathBuf>,
}

fn refuse(path: &Path, reason: &str) -> Failure {
    Failure::local(format!("{}: {reason}; nothing was written", path.display()))
}

/// Reads the file at `path`, following a link to a regular file of the user's.
pub(crate) fn read(path: &Path) -> Result<Seen, Failure> {
    let target = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(path),
        Err(error) => return Err(refuse(path, &error.to_string())),
        Ok(facts) if facts.is_symlink() => std::fs::canonicalize(path).map_err(|error| {
            refuse(path, &format!("it is a link that leads nowhere ({error})"))
                .hint("mend the link or remove it")
        })?,
        Ok(_) => path.to_owned(),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(&target, flags, Mode::empty())
        .map_err(|error| refuse(&target, &io::Error::from(error).to_string()))?;
    let file = File::from(file);
    let facts = file
        .metadata()
        .map_err(|error| refuse(&target, &error.to_string()))?;
    examine(&target, &facts)?;
    let text = contents(&target, file)?;
    Ok(Seen {
        path: target,
        text: Some(text),
        facts: Some(Facts {
            mode: facts.mode() & 0o7_777,
            gid: facts.gid(),
        }),
    })
}

fn absent(path: &Path) -> Result<Seen, Failure> {
    let directory = path.parent().unwrap_or(path);
    // A link in the place of a directory may lead to one that is not there.
    if directory.is_symlink() && !directory.exists() {
        let failure = refuse(path, "its directory is a link that leads nowhere");
        return Err(failure.hint("mend the link or remove it"));
    }
    Ok(Seen {
        path: path.to_owned(),
        text: None,
        facts: None,
    })
}

fn examine(path: &Path, facts: &Metadata) -> Result<(), Failure> {
    if !facts.is_file() {
        return Err(refuse(path, "it is not a regular file"));
    }
    if facts.uid() != rustix::process::geteuid().as_raw() {
        let reason = format!("it belongs to user {}, not to you", facts.uid());
        return Err(refuse(path, &reason));
    }
    if facts.mode() & 0o200 == 0 {
        return Err(refuse(path, "it is read-only").hint(format!(
            "`chmod u+w {}`, if that is not on purpose",
            path.display()
        )));
    }
    if facts.len() > MOST {
        return Err(refuse(
            path,
            &format!("it is larger than {} MiB", MOST >> 20),
        ));
    }
    Ok(())
}

fn contents(path: &Path, file: File) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = file.take(MOST.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| refuse(path, &error.to_string()))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MOST) {
        return Err(refuse(
            path,
            &format!("it is larger than {} MiB", MOST >> 20),
        ));
    }
    String::from_utf8(bytes).map_err(|_| refuse(path, "it is not text in UTF-8"))
}

impl Seen {
    /// Puts `text` beside the file, ready to take its place.
    pub(crate) fn stage(&self, text: &str) -> Result<Staged, Failure> {
        let failed = |error: io::Error| refuse(&self.path, &error.to_string());
        let directory = self.path.parent().unwrap_or(&self.path);
        let made_directories = make_directories(directory).map_err(failed)?;
        let staged = self.write_beside(directory, text);
        match staged {
            Ok(file) => Ok(Staged {
                file,
                made_directories,
            }),
            Err(error) => {
                remove_directories(&made_directories);
                Err(failed(error))
            }
        }
    }

    fn write_beside(&self, directory: &Path, text: &str) -> io::Result<NamedTempFile> {
        let mut file = tempfile::Builder::new()
            .prefix(".ipc-setup-")
            .permissions(Permissions::from_mode(0o600))
            .tempfile_in(directory)?;
        file.write_all(text.as_bytes())?;
        if let Some(facts) = self.facts {
            if file.as_file().metadata()?.gid() != facts.gid {
                fchown(file.as_file(), None, Some(Gid::from_raw(facts.gid)))?;
            }
            file.as_file()
                .set_permissions(Permissions::from_mode(facts.mode))?;
        }
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// Whether the file still is what was read.
    fn is_unchanged(&self) -> bool {
        read(&self.path).is_ok_and(|now| now.path == self.path && now.text == self.text)
    }

    /// Removes the file.
    pub(crate) fn remove(&self) -> Result<Outcome, Failure> {
        if !self.is_unchanged() {
            return Ok(Outcome::Changed);
        }
        std::fs::remove_file(&self.path)
            .map(|()| Outcome::Done)
            .map_err(|error| refuse(&self.path, &error.to_string()))
    }
}

impl Staged {
    /// The directories that were made for it, the outermost first.
    pub(crate) fn made_directories(&self) -> &[PathBuf] {
        &self.made_directories
    }

    /// Takes the place of what was read, if that is still there.
    pub(crate) fn replace(self, seen: &Seen) -> Result<Outcome, Failure> {
        if !seen.is_unchanged() {
            self.drop_it();
            return Ok(Outcome::Changed);
        }
        let directory = seen.path.parent().unwrap_or(&seen.path).to_owned();
        let persisted = if seen.text.is_some() {
            self.file.persist(&seen.path)
        } else {
            self.file.persist_noclobber(&seen.path)
        };
        match persisted {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Outcome::Changed);
            }
            Err(error) => return Err(refuse(&seen.path, &error.error.to_string())),
        }
        // It has taken its place; that it is not on disk yet is no reason to say otherwise.
        drop(File::open(&directory).and_then(|directory| directory.sync_all()));
        Ok(Outcome::Done)
    }

    /// Leaves nothing behind.
    pub(crate) fn drop_it(self) {
        drop(self.file);
        remove_directories(&self.made_directories);
    }
}

/// Makes `directory` and those above it that are not there; which were made, the outermost first.
fn make_directories(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut missing: Vec<_> = directory
        .ancestors()
        .take_while(|path| !path.as_os_str().is_empty() && !path.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    let mut made = Vec::new();
    for path in missing {
        if let Err(error) = std::fs::DirBuilder::new().mode(0o700).create(&path) {
            remove_directories(&made);
            return Err(error);
        }
        made.push(path);
    }
    Ok(made)
}

/// Removes directories that were made, as far as they are empty.
pub(crate) fn remove_directories(made: &[PathBuf]) {
    for path in made.iter().rev() {
        remove_if_empty(path);
    }
}

/// Whether the directory was empty and is gone.
pub(crate) fn remove_if_empty(directory: &Path) -> bool {
    std::fs::remove_dir(directory).is_ok()
}
