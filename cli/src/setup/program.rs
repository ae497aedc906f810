//! How a host is told to call this program.
//!
//! Always by an absolute path: what a host finds on its `PATH` may be another's program, and a
//! project can change that `PATH`. The secret is never part of it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ipc_protocol::paths::{DEFAULT_DIRECTORY, DataDir};
use serde_json::{Map, Value, json};

use crate::autostart;
use crate::environment::Environment;
use crate::failure::Failure;

/// This program as a host calls it.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// Its absolute path.
    path: String,
    /// What must be in its environment, in order.
    environment: Vec<(&'static str, String)>,
}

impl Program {
    /// This very program, for this data directory and socket.
    pub(crate) fn of(environment: &Environment, data_dir: &DataDir) -> Result<Self, Failure> {
        let path = stable_path(environment)?;
        let mut carried = Vec::new();
        if !is_default_place(environment, data_dir) {
            carried.push(("IPC_DATA_DIR", writable(data_dir.root())?));
        }
        if environment.socket.is_some() {
            carried.push(("IPC_SOCKET", writable(data_dir.socket())?));
        }
        Ok(Self {
            path: writable(&path)?,
            environment: carried,
        })
    }

    /// The members of an MCP server's entry.
    pub(crate) fn server(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("command".to_owned(), json!(self.path));
        members.insert("args".to_owned(), json!(["mcp"]));
        if !self.environment.is_empty() {
            let pair = |(name, value): &(&str, String)| ((*name).to_owned(), json!(value));
            let variables: Map<_, _> = self.environment.iter().map(pair).collect();
            members.insert("env".to_owned(), Value::Object(variables));
        }
        members
    }

    /// A line for a shell that runs `words` of this program.
    pub(crate) fn line(&self, words: &str) -> String {
        let variables = self.environment.iter();
        let variables = variables.map(|(name, value)| format!("{name}={} ", quoted(value)));
        let variables: String = variables.collect();
        format!("{variables}{} {words}", quoted(&self.path))
    }
}

/// Whether the data is where it is unless somebody says otherwise.
fn is_default_place(environment: &Environment, data_dir: &DataDir) -> bool {
    let home = environment.home.as_deref();
    home.is_some_and(|home| data_dir.root() == home.join(DEFAULT_DIRECTORY))
}

/// The path by which this program is found on `PATH`, else the one that it runs from. The former
/// outlives an update that moves the program and its link.
fn stable_path(environment: &Environment) -> Result<PathBuf, Failure> {
    let own = autostart::own_program()
        .map_err(|error| Failure::local(format!("this program's own path: {error}")))?;
    Ok(match on_search_path(environment) {
        Some(found) if is_same(&found, &own) => found,
        Some(_) | None => own,
    })
}

/// The first `ipc` on `PATH`. Directories that depend on where a command runs are left out.
pub(crate) fn on_search_path(environment: &Environment) -> Option<PathBuf> {
    let directories = environment.search_path.as_deref()?;
    std::env::split_paths(directories)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join("ipc"))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|facts| facts.is_file() && facts.mode() & 0o111 != 0)
}

/// Whether both paths lead to one file.
pub(crate) fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path);
    matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
}

/// The path as text that every host takes as it is: some put variables in for `$`.
fn writable(path: &Path) -> Result<String, Failure> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(|c: char| c == '$' || c == '`' || c.is_control()));
    text.map(str::to_owned).ok_or_else(|| {
        let shown = path.display();
        Failure::usage(format!(
            "{shown:?} has characters that a host's file cannot hold"
        ))
        .hint("install and keep data under plain paths")
    })
}

/// The word as a shell reads it.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word_in_a_shell() {
        assert_eq!(quoted("/usr/bin/ipc"), "/usr/bin/ipc");
        assert_eq!(quoted("/a b/ipc"), "'/a b/ipc'");
        assert_eq!(quoted("/it's"), r"'/it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn what_a_host_would_change_is_not_written() {
        for path in ["/a$HOME/ipc", "/a\nb", "/a`b`"] {
            assert!(writable(Path::new(path)).is_err(), "{path}");
        }
        assert!(writable(Path::new("/a b/ü's")).is_ok());
    }
}
