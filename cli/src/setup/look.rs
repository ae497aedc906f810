//! What stands in a host's file, for whoever only wants to know.

use serde_json::Value;

use super::document::{find, value_at};
use super::entry::Found;
use super::file;
use super::host::HostFile;
use crate::failure::Failure;

/// What a file has of what belongs in it.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// The entry of the server called ipc, whoever wrote it.
    pub(crate) server: Option<Value>,
    /// How many hooks are there.
    pub(crate) hooks: usize,
    /// How many belong there.
    pub(crate) wanted_hooks: usize,
}

/// Looks at the file.
pub(crate) fn look(file: &HostFile) -> Result<Looked, Failure> {
    let text = file::read(&file.path)?.text.unwrap_or_default();
    let failed = |error| Failure::local(format!("{}: {error}", file.path.display()));
    let mut looked = Looked::default();
    for entry in &file.entries {
        if entry.key.is_some() {
            looked.server = value_at(file.format, &text, entry).map_err(failed)?;
        } else {
            looked.wanted_hooks = looked.wanted_hooks.saturating_add(1);
            let found = find(file.format, &text, entry).map_err(failed)?;
            looked.hooks = looked
                .hooks
                .saturating_add(usize::from(found == Found::Same));
        }
    }
    Ok(looked)
}
