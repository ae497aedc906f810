//! The files of a directory that were changed last, looked for within bounds.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::clock::Deadline;

/// Files that are named.
const NAMED: usize = 3;

/// Entries that are looked at: a summary is a hint, and a home directory has millions.
const ENTRIES: usize = 5_000;

/// Directories below the one that was asked about: sources lie deep in some languages.
const DEPTH: usize = 6;

/// How long the looking may take: a network's file system may be slow.
const PATIENCE: Duration = Duration::from_millis(500);

/// Directories of what is made, not written.
const MADE: [&str; 5] = ["target", "node_modules", "build", "dist", "__pycache__"];

/// Paths below `root` of the files that were changed last, the latest first. Links are not
/// followed; what is hidden or was made by a build is passed over. The nearest directories come
/// first, so that the bounds cut off what lies deepest.
pub(super) fn files(root: &Path) -> Vec<String> {
    let deadline = Deadline::after(PATIENCE);
    let mut directories = VecDeque::from([(root.to_owned(), 0)]);
    let mut found: Vec<(SystemTime, String)> = Vec::new();
    let mut left = ENTRIES;
    while let Some((directory, depth)) = directories.pop_front() {
        let Ok(entries) = directory.read_dir() else {
            continue;
        };
        for entry in entries.flatten() {
            left = left.saturating_sub(1);
            if left == 0 || deadline.remaining().is_none() {
                return latest(found);
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // Of the entry itself: a link is neither file nor directory.
            let Ok(facts) = entry.metadata() else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            if facts.is_dir() {
                if depth < DEPTH && !MADE.contains(&name.as_ref()) {
                    directories.push_back((entry.path(), depth.saturating_add(1)));
                }
            } else if let (true, Ok(changed)) = (facts.is_file(), facts.modified()) {
                let path = entry.path();
                let path = path.strip_prefix(root).unwrap_or(&path);
                found.push((changed, path.to_string_lossy().into_owned()));
            }
        }
    }
    latest(found)
}

fn latest(mut found: Vec<(SystemTime, String)>) -> Vec<String> {
    found.sort_by(|(one, first), (other, second)| other.cmp(one).then(first.cmp(second)));
    found.truncate(NAMED);
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn write(root: &Path, path: &str, seconds: u64) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = File::create(path).unwrap();
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        file.set_modified(at.unwrap()).unwrap();
    }

    #[test]
    fn the_latest_are_named_and_what_is_hidden_made_or_linked_is_not() {
        let (room, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = room.path();
        write(root, "src/old.rs", 1);
        write(root, "src/deep/new.rs", 9);
        write(root, "README.md", 5);
        write(root, "a.txt", 3);
        for passed_over in ["target/x", "node_modules/m/y.js", ".env", ".git/HEAD"] {
            write(root, passed_over, 99);
        }
        write(elsewhere.path(), "secret", 99);
        std::os::unix::fs::symlink(elsewhere.path(), root.join("link")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("secret"), root.join("file")).unwrap();
        assert_eq!(files(root), ["src/deep/new.rs", "README.md", "a.txt"]);
    }

    #[test]
    fn looking_ends_however_much_there_is() {
        let room = tempfile::tempdir().unwrap();
        let mut deep = room.path().to_owned();
        for _ in 0..DEPTH + 2 {
            deep = deep.join("d");
        }
        fs::create_dir_all(&deep).unwrap();
        File::create(deep.join("too deep")).unwrap();
        assert!(files(room.path()).is_empty());
        assert!(files(&room.path().join("nowhere")).is_empty());
    }
}
