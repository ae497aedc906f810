//! Where an agent works: its directory, the repository that this is in, and what goes on there.
//!
//! Files are read, and no program is run: `.git` is looked for upwards, a worktree leads to the
//! repository that it shares with the others. Only what can be compared leaves this program
//! (`ipc_protocol::profile::Place`), and the summary that somebody asked for.

mod recent;

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ipc_protocol::profile::{Place, PlaceId, SummaryText};

/// Directories above one that are looked at for a repository.
const ABOVE: usize = 64;

/// Bytes of `.git`, `HEAD` and `commondir` that are read: a path and a word fit.
const GIT_FILE_BYTES: u64 = 8_192;

/// The repository that a directory is in.
#[derive(Debug, PartialEq, Eq)]
struct Repository {
    /// What this worktree has of its own: `HEAD` for one.
    own: PathBuf,
    /// What all worktrees share.
    common: PathBuf,
}

/// Where an agent works whose directory is `directory`; nothing if that is not there.
pub(crate) fn of(directory: &Path) -> Option<Place> {
    let directory = directory.canonicalize().ok()?;
    let id = |path: &Path| PlaceId::of(path.as_os_str().as_bytes());
    Some(Place {
        directory: id(&directory),
        repository: repository(&directory).map(|repository| id(&repository.common)),
    })
}

/// What goes on in `directory`: its name, the branch, and the files that were changed last. Made
/// of what lies there, and of nothing else.
pub(crate) fn summary(directory: &Path) -> SummaryText {
    let directory = directory.canonicalize();
    let directory = directory.unwrap_or_default();
    let name = directory.file_name().unwrap_or(directory.as_os_str());
    let mut text = format!("in {}", name.to_string_lossy());
    if let Some(branch) = repository(&directory).and_then(|found| branch(&found.own)) {
        text.push_str(", branch ");
        text.push_str(&branch);
    }
    let files = recent::files(&directory);
    if !files.is_empty() {
        text.push_str("; changed last: ");
        text.push_str(&files.join(", "));
    }
    SummaryText::fitting(&text)
}

/// The repository that `directory` is in, as `gitrepository-layout(5)` has it.
fn repository(directory: &Path) -> Option<Repository> {
    directory.ancestors().take(ABOVE).find_map(|above| {
        let entry = above.join(".git");
        let own = if entry.is_dir() {
            entry
        } else {
            let text = short_text(&entry)?;
            above.join(text.strip_prefix("gitdir: ")?)
        };
        let common = short_text(&own.join("commondir")).map(|path| own.join(path));
        let common = common.unwrap_or_else(|| own.clone()).canonicalize().ok()?;
        // A directory that happens to be called `.git` is none.
        let is_repository = common.join("objects").is_dir() && own.join("HEAD").is_file();
        is_repository.then_some(Repository { own, common })
    })
}

/// The branch that is checked out; nothing when none is.
fn branch(own: &Path) -> Option<String> {
    let head = short_text(&own.join("HEAD"))?;
    head.strip_prefix("ref: refs/heads/").map(str::to_owned)
}

/// The line in a short file. What is no plain file (a pipe could hold us up) is not opened.
fn short_text(path: &Path) -> Option<String> {
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = File::open(path).ok()?;
    file.take(GIT_FILE_BYTES).read_to_string(&mut text).ok()?;
    Some(text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A repository at `at`, with a worktree beside it at `worktree`.
    fn repository_with_worktree(room: &Path) -> (PathBuf, PathBuf) {
        let (main, worktree) = (room.join("main"), room.join("worktree"));
        fs::create_dir_all(main.join(".git/objects")).unwrap();
        fs::create_dir_all(main.join("src/deep")).unwrap();
        fs::write(main.join(".git/HEAD"), "ref: refs/heads/feature/x\n").unwrap();
        let own = main.join(".git/worktrees/worktree");
        fs::create_dir_all(&own).unwrap();
        fs::write(own.join("commondir"), "../..\n").unwrap();
        fs::write(own.join("HEAD"), "0123456789abcdef\n").unwrap();
        fs::create_dir_all(&worktree).unwrap();
        let pointer = format!("gitdir: {}\n", own.display());
        fs::write(worktree.join(".git"), pointer).unwrap();
        (main, worktree)
    }

    #[test]
    fn all_worktrees_of_a_repository_are_one_place_and_their_directories_are_not() {
        let room = tempfile::tempdir().unwrap();
        let (main, worktree) = repository_with_worktree(room.path());
        let places = [&main, &main.join("src/deep"), &worktree].map(|path| of(path).unwrap());
        assert!(places.iter().all(|place| place.repository.is_some()));
        assert!(
            places
                .iter()
                .all(|place| place.repository == places[0].repository)
        );
        assert_ne!(places[0].directory, places[1].directory);
        assert_ne!(places[0].directory, places[2].directory);
    }

    #[test]
    fn a_link_to_a_directory_is_that_directory() {
        let room = tempfile::tempdir().unwrap();
        let (main, _) = repository_with_worktree(room.path());
        let link = room.path().join("link");
        std::os::unix::fs::symlink(&main, &link).unwrap();
        assert_eq!(of(&link), of(&main));
    }

    #[test]
    fn what_only_looks_like_a_repository_is_none() {
        let room = tempfile::tempdir().unwrap();
        let case = |name: &str| {
            let directory = room.path().join(name);
            fs::create_dir(&directory).unwrap();
            directory
        };
        let (empty, garbage, gone, large) = (case("a"), case("b"), case("c"), case("d"));
        fs::create_dir(empty.join(".git")).unwrap();
        fs::write(garbage.join(".git"), [0xff, 0xfe]).unwrap();
        fs::write(gone.join(".git"), "gitdir: /nowhere/at/all\n").unwrap();
        fs::write(large.join(".git"), "gitdir: ".repeat(100_000)).unwrap();
        for directory in [empty, garbage, gone, large] {
            assert_eq!(of(&directory).unwrap().repository, None, "{directory:?}");
        }
        assert_eq!(of(&room.path().join("nowhere")), None);
    }

    #[test]
    fn a_summary_names_directory_branch_and_files() {
        let room = tempfile::tempdir().unwrap();
        let (main, worktree) = repository_with_worktree(room.path());
        fs::write(main.join("src/list\x1b[2J.rs"), "x").unwrap();
        let said = summary(&main);
        assert_eq!(
            said.as_str(),
            "in main, branch feature/x; changed last: src/list[2J.rs"
        );
        assert_eq!(
            summary(&worktree).as_str(),
            "in worktree",
            "a detached head"
        );
    }
}
