//! `ipc doctor`: each fault is made for real, found, and cured by the very command that is named.

mod faults;
mod hosts;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{Home, Said, program};

/// A home in which `ipc` on `PATH` is the program under test.
pub(super) struct Practice {
    pub(super) home: Home,
    path: String,
}

impl Practice {
    pub(super) fn new() -> Self {
        let home = Home::new();
        let bin = home.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(program(), bin.join("ipc")).unwrap();
        let path = format!("{}:/usr/bin:/bin", bin.display());
        Self { home, path }
    }

    /// One with a deployment, and no daemon.
    pub(super) fn used() -> Self {
        let practice = Self::new();
        practice.home.register("alice");
        practice.home.ok(&["daemon", "stop"]);
        practice
    }

    /// Runs a script in a shell at this home, with `ipc` on its `PATH`.
    pub(super) fn shell(&self, script: &str) -> Said {
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(script).env_clear();
        shell.env("HOME", self.home.path()).env("PATH", &self.path);
        Said::of(&shell.output().unwrap())
    }

    /// What the doctor finds after `before` was done in the same shell.
    pub(super) fn findings_after(&self, before: &str) -> Vec<Value> {
        let said = self.shell(&format!("{before}\nipc doctor --json"));
        let report: Value = serde_json::from_str(said.out.lines().last().unwrap_or_default())
            .unwrap_or_else(|_| panic!("{said:?}"));
        let findings = report["findings"].as_array().unwrap().clone();
        let is_fine = findings.iter().all(|finding| finding["level"] != "problem");
        assert_eq!(
            (said.status, &report["ok"]),
            (i32::from(!is_fine), &Value::from(is_fine))
        );
        findings
    }

    /// The findings that are not `good`.
    pub(super) fn bad_after(&self, before: &str) -> Vec<Value> {
        let mut findings = self.findings_after(before);
        findings.retain(|finding| finding["level"] != "good");
        findings
    }

    /// Finds `what` with `level`, in a shell in which `before` was done, and does what it says: then
    /// it is not found any more.
    #[track_caller]
    pub(super) fn cured(&self, before: &str, level: &str, what: &str) {
        let is_it = |finding: &&Value| {
            let said = finding["what"].as_str().unwrap();
            finding["level"] == level && said.contains(what)
        };
        let findings = self.bad_after(before);
        let found = findings.iter().find(is_it);
        let found = found.unwrap_or_else(|| panic!("no {level} {what:?} in {findings:#?}"));
        let fix = found["fix"]
            .as_str()
            .unwrap_or_else(|| panic!("no fix: {found}"));
        let after = self.bad_after(&format!("{before}\n{fix} >&2"));
        assert!(
            !after.iter().any(|finding| is_it(&finding)),
            "`{fix}` left {after:#?}"
        );
    }

    pub(super) fn root(&self) -> PathBuf {
        self.home.data_dir().root().to_owned()
    }
}

#[test]
fn a_fresh_home_and_a_running_deployment_are_well() {
    let practice = Practice::new();
    let root = practice.root();
    let notes = practice.bad_after("");
    assert!(
        notes.iter().all(|finding| finding["level"] == "note"),
        "{notes:#?}"
    );
    assert!(!root.exists(), "nothing is made");
    practice.home.register("alice");
    let findings = practice.findings_after("");
    assert!(
        findings.iter().all(|finding| finding["level"] == "good"),
        "{findings:#?}"
    );
    let said = practice.shell("ipc doctor");
    assert!(said.out.ends_with("nothing has to be mended\n"), "{said:?}");
}

#[test]
fn nothing_is_changed_or_started_and_no_secret_is_shown() {
    let practice = Practice::used();
    let secret = std::fs::read_to_string(practice.home.data_dir().secret()).unwrap();
    let before = practice.home.files();
    let facts = |files: &[PathBuf]| -> Vec<_> {
        files
            .iter()
            .map(|file| std::fs::read(file).unwrap())
            .collect()
    };
    let contents = facts(&before);
    let said = practice.shell("ipc doctor; ipc doctor --json");
    assert_eq!(practice.home.files(), before);
    assert_eq!(facts(&before), contents);
    assert_eq!(
        practice.home.run(&["status"]).status,
        3,
        "no daemon was started"
    );
    assert!(
        !said.out.contains(&secret) && !said.err.contains(&secret),
        "{said:?}"
    );
}

#[test]
fn people_read_each_finding_with_its_fix() {
    let practice = Practice::used();
    let said = practice.shell("chmod 755 ~/.claude-ipc-data; ipc doctor");
    assert_eq!(said.status, 1, "{said:?}");
    let root = practice.root();
    let fix = format!("         fix: chmod 700 {}\n", root.display());
    assert!(
        said.out.contains("problem  data_directory: ") && said.out.contains(&fix),
        "{said:?}"
    );
    assert!(said.out.ends_with("1 problem\n"), "{said:?}");
}
