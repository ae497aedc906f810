//! `ipc setup`: what is written into the files of the hosts, and that exactly it is taken back.

mod properties;
mod refusals;
mod shapes;
mod writing;

use std::path::{Path, PathBuf};

use crate::harness::{Home, Said};

/// A host, and the files of it that are written.
pub(crate) struct Host {
    pub(crate) word: &'static str,
    pub(crate) files: [&'static str; 2],
}

/// The hosts. Gemini CLI has one file, so it stands here twice.
pub(crate) const HOSTS: [Host; 3] = [
    Host {
        word: "claude",
        files: [".claude.json", ".claude/settings.json"],
    },
    Host {
        word: "gemini",
        files: [".gemini/settings.json", ".gemini/settings.json"],
    },
    Host {
        word: "codex",
        files: [".codex/config.toml", ".codex/hooks.json"],
    },
];

impl Host {
    pub(crate) fn setup(&self, home: &Home) -> String {
        home.ok(&["setup", self.word])
    }

    pub(crate) fn uninstall(&self, home: &Home) -> String {
        home.ok(&["setup", self.word, "--uninstall"])
    }

    fn refused(&self, home: &Home, words: &[&str]) {
        let said = home.run(&["setup", self.word]);
        said.refused(1, words);
    }
}

pub(crate) fn write(home: &Home, file: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = home.path().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn bytes(home: &Home, file: &str) -> Vec<u8> {
    std::fs::read(home.path().join(file)).unwrap()
}

fn text(home: &Home, file: &str) -> String {
    String::from_utf8(bytes(home, file)).unwrap()
}

pub(crate) fn json(home: &Home, file: &str) -> serde_json::Value {
    let text = text(home, file);
    serde_json::from_str(text.trim_start_matches('\u{FEFF}')).unwrap()
}

/// Every file and directory of a home, with contents.
fn everything(home: &Home) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    fn walk(at: &Path, found: &mut Vec<(PathBuf, Option<Vec<u8>>)>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.push((path.clone(), None));
                walk(&path, found);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.push((path, Some(bytes)));
            }
        }
    }
    let mut found = Vec::new();
    walk(home.path(), &mut found);
    found.sort();
    found
}

fn with(home: &Home, line: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = home.command(line);
    command.envs(variables.iter().copied());
    Said::of(&command.output().unwrap())
}
