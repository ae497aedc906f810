//! What a check has found.

use std::path::Path;

use serde::Serialize;

use crate::setup::program::quoted;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Something does not work, or is not safe.
    Problem,
}

/// One thing that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    /// Which check found it.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) level: Level,
    /// What it is.
    pub(crate) what: String,
    /// The command that mends it, ready to be pasted.
    pub(crate) fix: Option<String>,
}

impl Finding {
    /// All is well.
    pub(crate) fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Good, what)
    }

    /// Worth knowing.
    pub(crate) fn note(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Note, what)
    }

    /// To be mended.
    pub(crate) fn problem(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Problem, what)
    }

    fn new(check: &'static str, level: Level, what: impl Into<String>) -> Self {
        Self {
            check,
            level,
            what: what.into(),
            fix: None,
        }
    }

    /// The same with the command that mends it.
    #[must_use]
    pub(crate) fn fix(mut self, command: impl Into<String>) -> Self {
        self.fix = Some(command.into());
        self
    }

    /// Whether it is no problem.
    pub(crate) fn is_fine(&self) -> bool {
        self.level != Level::Problem
    }
}

/// The path as a word of a command.
pub(super) fn word(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// The beginning of a command that needs the rights of root.
pub(super) fn as_root() -> &'static str {
    if rustix::process::geteuid().is_root() {
        ""
    } else {
        "sudo "
    }
}
