//! The repository's files, and what stands in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates, in the order in which they may use one another: each only those before it.
pub(super) const CRATES: [&str; 5] = ["protocol", "daemon", "mcp", "cli", "bench"];

pub(crate) fn root() -> PathBuf {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    cli.parent().unwrap().to_owned()
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file under `directory` whose name ends in `suffix`, relative to the root, sorted.
pub(crate) fn files(directory: &str, suffix: &str) -> Vec<PathBuf> {
    fn walk(at: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if name != "target" && name != ".git" {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let (root, mut found) = (root(), Vec::new());
    walk(&root.join(directory), &mut found);
    found.retain(|path| path.to_string_lossy().ends_with(suffix));
    found.sort();
    let relative = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_owned();
    found.iter().map(relative).collect()
}

pub(super) fn sources() -> Vec<PathBuf> {
    CRATES.iter().flat_map(|name| files(name, ".rs")).collect()
}

/// The text between a heading line and the next one of the same or a higher level.
pub(super) fn section(text: &str, heading: &str) -> String {
    let level = |line: &str| line.bytes().take_while(|byte| *byte == b'#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading);
    assert!(lines.next().is_some(), "no section `{heading}`");
    let ends = |line: &&str| level(line) == 0 || level(line) > level(heading);
    lines.take_while(ends).collect::<Vec<_>>().join("\n")
}

/// The first cells of the rows of all tables in `text`.
pub(super) fn rows(text: &str) -> BTreeMap<String, Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim_start_matches('|').trim_end_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let lines = text.lines().filter(|line| line.starts_with('|'));
    lines.map(cells).map(|row| (row[0].clone(), row)).collect()
}

/// Everything between backquotes in `text`.
pub(super) fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
