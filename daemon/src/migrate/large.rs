//! Messages that the Python server put into files: their whole text, from files that nobody but
//! this user can have written.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ipc_protocol::paths::DataDir;
use rustix::fs::{Mode, OFlags, openat};

use super::error::MigrateError;
use super::source::OldMessage;

/// What stands between a summary and the path of the file.
const MARK: &str = " Full content saved to: ";

/// What stands between the header of a file and the text.
const CONTENT: &str = "\n## Content\n";

/// Characters of the summary that the text must begin with: the server overwrote a file when two
/// were saved in one second.
const SAME: usize = 24;

/// Bytes of a file that are looked at beyond what a text may have: its header.
const HEADER: usize = 4_096;

/// The directory that large messages lie in, if it can be trusted.
#[derive(Debug)]
pub(super) struct Directory(Option<File>);

/// What became of the text in a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whole {
    /// The message has no file.
    None,
    /// Here it is.
    Text(String),
    /// It cannot be had, and why. The summary remains.
    Lost(&'static str),
}

impl Directory {
    /// The directory `large-messages` beside the database at `original`.
    pub(super) fn beside(original: &Path) -> Self {
        let path = original
            .parent()
            .map(|parent| parent.join("large-messages"));
        Self(path.and_then(|path| open_trusted(&path)))
    }

    /// The directory itself.
    pub(super) const fn file(&self) -> Option<&File> {
        self.0.as_ref()
    }

    /// The whole text of `message`, of at most `most` bytes.
    pub(super) fn whole(&self, message: &OldMessage, most: usize) -> Whole {
        let named = message.content.rsplit_once(MARK);
        let path = message
            .file
            .as_deref()
            .or_else(|| named.map(|(_, path)| path));
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return Whole::None;
        };
        let name = Path::new(path.trim_end()).file_name();
        let (Some(directory), Some(name)) = (&self.0, name) else {
            return Whole::Lost("its file is not beside the database");
        };
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = openat(directory, Path::new(name), flags, Mode::empty()) else {
            return Whole::Lost("its file is not there");
        };
        let file = File::from(file);
        if !is_trusted(&file, false) {
            return Whole::Lost("its file is not only yours");
        }
        let limit = most.saturating_add(HEADER);
        let mut text = String::new();
        let read = file
            .take(u64::try_from(limit).unwrap_or(u64::MAX))
            .read_to_string(&mut text);
        if read.is_err() {
            return Whole::Lost("its file is no text");
        }
        let summary = match named {
            Some((text, _)) => text,
            None => message.summary.as_deref().unwrap_or_default(),
        };
        match content(&text, message, summary) {
            Some(text) if text.len() <= most => Whole::Text(text.to_owned()),
            Some(_) => Whole::Lost("it is larger than a message may be"),
            None => Whole::Lost("its file holds another message"),
        }
    }
}

/// The text in a file, if the file is that of `message`.
fn content<'a>(file: &'a str, message: &OldMessage, summary: &str) -> Option<&'a str> {
    let (header, text) = file.split_once(CONTENT)?;
    let says = |field: &str, value: &str| header.contains(&format!("\n{field}: {value}\n"));
    let text = text.strip_suffix('\n').unwrap_or(text);
    let beginning: String = summary.trim().chars().take(SAME).collect();
    let beginning = beginning.trim_end_matches("...").trim_end();
    let same = text.trim_start().starts_with(beginning);
    (says("From", &message.from) && says("To", &message.to) && same).then_some(text)
}

fn open_trusted(path: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
    is_trusted(&directory, true).then_some(directory)
}

/// Whether it is this user's, of the right kind, and writable by nobody else.
fn is_trusted(file: &File, directory: bool) -> bool {
    file.metadata().is_ok_and(|facts| {
        let kind = if directory {
            facts.is_dir()
        } else {
            facts.is_file()
        };
        kind && facts.uid() == rustix::process::geteuid().as_raw() && facts.mode() & 0o022 == 0
    })
}

/// Takes from others what the Python server let them do in our directory of large messages. Its
/// parent is this user's alone, so nobody can have been there. Says where, if it changed anything.
pub(super) fn close_directory(data_dir: &DataDir) -> Result<Option<PathBuf>, MigrateError> {
    let path = data_dir.large_messages();
    let Some(directory) = open_trusted(&path) else {
        return Ok(None);
    };
    let facts = directory.metadata().map_err(MigrateError::io(&path))?;
    if Mode::from_raw_mode(facts.mode())
        .intersection(Mode::RWXG | Mode::RWXO)
        .is_empty()
    {
        return Ok(None);
    }
    directory
        .set_permissions(std::fs::Permissions::from_mode(0o700))
        .map_err(MigrateError::io(&path))?;
    Ok(Some(path))
}
