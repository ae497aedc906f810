//! A disk without power: what it holds of the files that a process wrote.
//!
//! What is assumed: a flush that ended well put on disk whatever was written to that file before it
//! began. Of everything else, any sector of 512 bytes may be there or not, a length as well, and a
//! name that was made, moved or removed since the directory was flushed, too. Room that a file
//! has grown by without its bytes holds anything. A flush that failed leaves of what it was to
//! bring what it likes, and no later flush brings it: the system has forgotten that it is not there.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::trace::{Event, Inode};

/// What a disk writes as a whole, in bytes.
const SECTOR: usize = 512;

/// A file of ours: the system's numbers come again when a file is gone.
type File = usize;

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

/// One file: what is on disk for certain, and what was done since, with the number of each.
#[derive(Debug, Default, Clone)]
struct Content {
    flushed: Vec<u8>,
    since: Vec<(usize, Change)>,
}

#[derive(Debug, Clone)]
enum Naming {
    Gone(String),
    Is(String, File),
    Moved(String, String, File),
}

/// The disk at one moment.
#[derive(Debug, Default, Clone)]
pub(super) struct Disk {
    files: Vec<Content>,
    by_inode: BTreeMap<Inode, File>,
    /// The directory as it is on disk, as the process sees it, and what lies between.
    flushed: BTreeMap<String, File>,
    names: BTreeMap<String, File>,
    since: Vec<(usize, Naming)>,
    /// Flushes under way: of a file or of the directory, and what had been done when they began.
    flushes: BTreeMap<u64, (Option<File>, usize)>,
    listed: bool,
    done: usize,
}

impl Disk {
    /// The files of `directory`, all of them on disk.
    pub(super) fn of(directory: &Path) -> Self {
        let mut disk = Self::default();
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                let file = disk.begin(entry.metadata().unwrap().ino());
                disk.files[file].flushed = std::fs::read(entry.path()).unwrap();
                let name = entry.file_name().into_string().unwrap();
                disk.flushed.insert(name.clone(), file);
                disk.names.insert(name, file);
            }
        }
        disk
    }

    fn begin(&mut self, inode: Inode) -> File {
        let file = self.files.len();
        self.files.push(Content::default());
        self.by_inode.insert(inode, file);
        file
    }

    /// The file of this number; one that was not seen to begin is empty.
    fn file(&mut self, inode: Inode) -> File {
        match self.by_inode.get(&inode) {
            Some(file) => *file,
            None => self.begin(inode),
        }
    }

    /// What `event` does; `rng` decides what a flush that fails leaves.
    pub(super) fn apply(&mut self, event: &Event, rng: &mut StdRng) {
        self.done += 1;
        match event {
            Event::Opened(inode, name) => {
                let file = self.file(*inode);
                self.name(name, file);
            }
            Event::Created(inode, name) => {
                let file = self.begin(*inode);
                self.name(name, file);
            }
            Event::Written(inode, offset, bytes) => {
                self.change(*inode, Change::Write(*offset, bytes.clone()));
            }
            Event::Truncated(inode, length) => self.change(*inode, Change::Length(*length)),
            Event::Listed(entries) => self.list(entries),
            Event::FlushBegun(inode, flush) => {
                let of_directory = std::mem::take(&mut self.listed);
                let file = (!of_directory).then(|| self.file(*inode));
                self.flushes.insert(*flush, (file, self.done));
            }
            Event::FlushEnded(flush, error) => self.flushed(*flush, *error, rng),
            Event::Unlinked(name) => {
                if self.names.remove(name).is_some() {
                    self.since.push((self.done, Naming::Gone(name.clone())));
                }
            }
            Event::Renamed(from, to) => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                    let moved = Naming::Moved(from.clone(), to.clone(), file);
                    self.since.push((self.done, moved));
                }
            }
            Event::Replied(..) => {}
        }
    }

    fn change(&mut self, inode: Inode, change: Change) {
        let file = self.file(inode);
        self.files[file].since.push((self.done, change));
    }

    fn name(&mut self, name: &str, file: File) {
        if self.names.insert(name.to_owned(), file) != Some(file) {
            self.since
                .push((self.done, Naming::Is(name.to_owned(), file)));
        }
    }

    /// What came about by calls that the library does not see shows when the directory is listed.
    fn list(&mut self, entries: &[(Inode, String)]) {
        for (inode, name) in entries {
            let file = self.file(*inode);
            self.name(name, file);
        }
        let is_there = |name: &String| entries.iter().any(|(_, listed)| listed == name);
        let gone: Vec<_> = self
            .names
            .keys()
            .filter(|name| !is_there(name))
            .cloned()
            .collect();
        for name in gone {
            self.names.remove(&name);
            self.since.push((self.done, Naming::Gone(name)));
        }
        self.listed = true;
    }

    fn flushed(&mut self, flush: u64, error: u32, rng: &mut StdRng) {
        let Some((file, until)) = self.flushes.remove(&flush) else {
            return;
        };
        let all = error == 0;
        match file {
            Some(file) => {
                let content = &mut self.files[file];
                let later = content.since.partition_point(|(done, _)| *done < until);
                let rest = content.since.split_off(later);
                let chance = if all { 1.0 } else { 0.5 };
                for (_, change) in std::mem::replace(&mut content.since, rest) {
                    reach(&mut content.flushed, &change, chance, rng);
                }
            }
            None if all => {
                let later = self.since.partition_point(|(done, _)| *done < until);
                let rest = self.since.split_off(later);
                for (_, naming) in std::mem::replace(&mut self.since, rest) {
                    take_name(&mut self.flushed, &naming);
                }
            }
            None => {}
        }
    }

    /// Puts into `directory` what the disk may hold if the power goes now.
    pub(super) fn cut(&self, directory: &Path, rng: &mut StdRng) {
        // From nothing of what is not certain, to all of it.
        let chance = [0.0, 0.1, 0.5, 0.9, 1.0][rng.random_range(0..5)];
        let mut names = self.flushed.clone();
        for (_, naming) in &self.since {
            if rng.random_bool(chance) {
                take_name(&mut names, naming);
            }
        }
        for (name, file) in names {
            let content = &self.files[file];
            let mut bytes = content.flushed.clone();
            for (_, change) in &content.since {
                reach(&mut bytes, change, chance, rng);
            }
            let path = directory.join(name);
            std::fs::write(&path, bytes).unwrap();
            std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// Brings each sector of `change` to the disk with this chance.
fn reach(bytes: &mut Vec<u8>, change: &Change, chance: f64, rng: &mut StdRng) {
    match change {
        Change::Length(length) => {
            if rng.random_bool(chance) {
                bytes.resize(usize::try_from(*length).unwrap(), 0);
            }
        }
        Change::Write(offset, written) => {
            let start = usize::try_from(*offset).unwrap();
            let mut from = 0;
            while from < written.len() {
                // To the end of the sector that it is in.
                let until = ((start + from) / SECTOR + 1) * SECTOR - start;
                let part = &written[from..until.min(written.len())];
                if rng.random_bool(chance) {
                    grow(bytes, start + from + part.len(), chance, rng);
                    bytes[start + from..start + from + part.len()].copy_from_slice(part);
                }
                from += part.len();
            }
        }
    }
}

/// Makes `bytes` at least `length` long; what is between is zero, or whatever was there before.
fn grow(bytes: &mut Vec<u8>, length: usize, chance: f64, rng: &mut StdRng) {
    let old = bytes.len();
    if old < length {
        bytes.resize(length, 0);
        if chance < 1.0 && rng.random_bool(0.5) {
            rng.fill_bytes(&mut bytes[old..]);
        }
    }
}

fn take_name(names: &mut BTreeMap<String, File>, naming: &Naming) {
    match naming {
        Naming::Gone(name) => {
            names.remove(name);
        }
        Naming::Is(name, file) => {
            names.insert(name.clone(), *file);
        }
        Naming::Moved(from, to, file) => {
            names.remove(from);
            names.insert(to.clone(), *file);
        }
    }
}
