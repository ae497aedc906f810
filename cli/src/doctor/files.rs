//! What lies in the data directory: each file and directory the user's alone, and no links.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Installation;
use super::finding::{Finding, as_root, word};

const CHECK: &str = "files";

/// Most that is looked at. Agents are the most numerous: two files each.
const MOST: usize = 50_000;

/// Most findings that are told; mending them shows the next.
const MOST_TOLD: usize = 20;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let mut left = vec![installation.root.clone()];
    let mut findings = Vec::new();
    let mut seen = 0_usize;
    while let Some(directory) = left.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            seen = seen.saturating_add(1);
            if seen > MOST || findings.len() >= MOST_TOLD {
                findings.push(Finding::note(
                    CHECK,
                    "there is more, which was not looked at",
                ));
                return findings;
            }
            findings.extend(trouble(&path, &mut left));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::good(
            CHECK,
            format!("{seen} in the data directory, all yours alone"),
        ));
    }
    findings
}

fn trouble(path: &Path, left: &mut Vec<PathBuf>) -> Option<Finding> {
    // It may have gone meanwhile: the daemon works in here.
    let facts = std::fs::symlink_metadata(path).ok()?;
    let (shown, typed) = (path.display(), word(path));
    if facts.is_symlink() {
        let what = format!("{shown} is a link; only files are trusted");
        return Some(Finding::problem(CHECK, what).fix(format!("rm {typed}")));
    }
    let own = rustix::process::geteuid().as_raw();
    if facts.uid() != own {
        let what = format!("{shown} belongs to user {}, not to you", facts.uid());
        return Some(
            Finding::problem(CHECK, what).fix(format!("{}chown {own} {typed}", as_root())),
        );
    }
    let wanted = if facts.is_dir() { 700 } else { 600 };
    let mode = facts.mode() & 0o7_777;
    if facts.is_dir() {
        left.push(path.to_owned());
    }
    (mode & 0o077 != 0).then(|| {
        Finding::problem(
            CHECK,
            format!("{shown} has mode {mode:04o}; others can reach it"),
        )
        .fix(format!("chmod {wanted} {typed}"))
    })
}
