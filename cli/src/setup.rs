//! Making an agent's host use this program: entries in the host's own files, and taking them back.
//!
//! What always holds: only bytes that were put in here are changed or taken out; a file that cannot
//! be read safely and understood whole is refused as it is; nothing of a host's file is copied
//! elsewhere, and no secret is written into one. [`host`] says what belongs where, [`document`]
//! edits text, [`mod@file`] reads and replaces files, [`record`] remembers, [`plan`] puts them together.

mod document;
mod entry;
pub(crate) mod file;
#[cfg(test)]
mod fuzzing;
pub(crate) mod host;
mod json;
mod look;
pub(crate) mod plan;
pub(crate) mod program;
pub(crate) mod record;
mod text;
mod toml;

pub(crate) use host::Host;
pub(crate) use look::look;
