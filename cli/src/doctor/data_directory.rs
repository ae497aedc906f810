//! The data directory: whose it is, who else can reach it, and what it lies on.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ipc_daemon::deployment::unsafe_file_system;
use ipc_daemon::limits::FREE_SPACE_BYTES;
use ipc_protocol::private;

use super::Installation;
use super::finding::{Finding, as_root, word};
use crate::output::times;

const CHECK: &str = "data_directory";

/// Free space under which people should know, in bytes: some thousand long messages.
const LITTLE_SPACE_BYTES: u64 = FREE_SPACE_BYTES << 4;

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let root = &installation.root;
    let mut findings = above(root);
    let facts = match std::fs::symlink_metadata(root) {
        Ok(facts) => facts,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            findings.push(
                Finding::note(
                    CHECK,
                    format!(
                        "{} is not there yet; the first command makes it",
                        root.display()
                    ),
                )
                .fix(format!("{} daemon start", installation.ipc)),
            );
            return findings;
        }
        Err(error) => {
            findings.push(Finding::problem(
                CHECK,
                format!("{}: {error}", root.display()),
            ));
            return findings;
        }
    };
    if let Some(problem) = trouble(root, &facts) {
        findings.push(problem);
    } else {
        let what = format!("{} is yours alone", root.display());
        findings.push(Finding::good(CHECK, what));
        findings.extend(file_system(root));
    }
    findings
}

fn trouble(root: &Path, facts: &Metadata) -> Option<Finding> {
    let (shown, path) = (root.display(), word(root));
    if !facts.is_dir() {
        let what = if facts.is_symlink() {
            "a link"
        } else {
            "no directory"
        };
        return Some(
            Finding::problem(
                CHECK,
                format!("{shown} is {what}; only a directory is trusted"),
            )
            .fix(format!("mv {path} {path}.old")),
        );
    }
    let own = rustix::process::geteuid().as_raw();
    if facts.uid() != own {
        return Some(
            Finding::problem(
                CHECK,
                format!("{shown} belongs to user {}, not to you", facts.uid()),
            )
            .fix(format!("{}chown -R {own} {path}", as_root())),
        );
    }
    let mode = facts.mode() & 0o7_777;
    (mode & 0o077 != 0).then(|| {
        Finding::problem(
            CHECK,
            format!("{shown} has mode {mode:04o}; others can reach it"),
        )
        .fix(format!("chmod 700 {path}"))
    })
}

/// A directory above that others may write to lets them put another in the place of ours.
fn above(root: &Path) -> Vec<Finding> {
    let own = rustix::process::geteuid().as_raw();
    let trouble = |directory: &Path| {
        let facts = std::fs::metadata(directory).ok()?;
        let mode = facts.mode() & 0o7_777;
        let is_open = mode & 0o022 != 0 && mode & 0o1_000 == 0;
        let is_foreign = facts.uid() != own && facts.uid() != 0;
        let (shown, path) = (directory.display(), word(directory));
        if is_open {
            let what = format!(
                "{shown}, above the data, has mode {mode:04o}: others can exchange what is in it"
            );
            Some(Finding::problem(CHECK, what).fix(format!("chmod go-w {path}")))
        } else if is_foreign {
            let what = format!("{shown}, above the data, belongs to user {}", facts.uid());
            Some(Finding::note(CHECK, what))
        } else {
            None
        }
    };
    root.ancestors().skip(1).filter_map(trouble).collect()
}

fn file_system(root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Ok(directory) = private::open_directory(root) else {
        return findings;
    };
    if let Some(kind) = unsafe_file_system(&directory) {
        let what = format!(
            "{} is on a {kind} file system, where locks do not hold",
            root.display()
        );
        findings.push(
            Finding::problem("file_system", what).fix("export IPC_DATA_DIR=/var/tmp/ipc-$(id -u)"),
        );
    }
    let Ok(facts) = rustix::fs::fstatvfs(&directory) else {
        return findings;
    };
    let free = facts.f_bavail.saturating_mul(facts.f_frsize);
    findings.push(space(root, free));
    findings
}

/// What so many free bytes mean.
fn space(root: &Path, free: u64) -> Finding {
    let shown = times::bytes(free);
    match free {
        n if n < FREE_SPACE_BYTES => {
            Finding::problem("free_space", format!("{shown} free: mail is refused"))
                .fix(format!("df -h {}", word(root)))
        }
        n if n < LITTLE_SPACE_BYTES => Finding::note("free_space", format!("{shown} free")),
        _ => Finding::good("free_space", format!("{shown} free")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    #[test]
    fn space_under_which_mail_is_refused_is_a_problem() {
        let level = |free| space(Path::new("/x"), free).level;
        assert_eq!(level(FREE_SPACE_BYTES - 1), Level::Problem);
        assert_eq!(level(FREE_SPACE_BYTES), Level::Note);
        assert_eq!(level(LITTLE_SPACE_BYTES), Level::Good);
    }
}
