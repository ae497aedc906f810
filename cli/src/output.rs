//! How things are said: to people, or as JSON.
//!
//! Results go to standard output, notes and errors to standard error. What a peer chose passes
//! through [`safe`] on its way to either.

pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod mail;
pub(crate) mod metrics;
pub(crate) mod safe;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod times;

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::args::Globals;
use crate::failure::Failure;
use lines::Lines;
use style::Style;

/// Where output goes and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    /// Whether JSON is wanted.
    pub(crate) json: bool,
    /// Whether confirmations are left out.
    quiet: bool,
    /// How standard output is coloured.
    pub(crate) style: Style,
}

impl Screen {
    /// Colours only a terminal, and only without `NO_COLOR`.
    pub(crate) fn new(globals: &Globals, no_color: bool) -> Self {
        let colour = !no_color && !globals.json && io::stdout().is_terminal();
        Self {
            json: globals.json,
            quiet: globals.quiet,
            style: Style::new(colour),
        }
    }

    /// Writes a result, and only returns once standard output took it all.
    #[expect(
        clippy::unused_self,
        reason = "whoever writes has been handed the screen"
    )]
    pub(crate) fn show(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        written.map_err(|error| Failure::local(format!("writing to standard output: {error}")))
    }

    /// Writes a confirmation, unless it is not wanted.
    pub(crate) fn say(self, text: &str) -> Result<(), Failure> {
        if self.quiet { Ok(()) } else { self.show(text) }
    }

    /// Writes a result as JSON, or for people.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.show(&json::line(value)?)
        } else {
            self.show(&people())
        }
    }

    /// Writes a confirmation as JSON, or for people unless it is not wanted.
    pub(crate) fn confirm(
        self,
        value: &impl Serialize,
        people: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.show(&json::line(value)?)
        } else {
            self.say(&people())
        }
    }

    /// Says something beside the result, on standard error. Nobody there to read it is no fault.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            drop(writeln!(io::stderr(), "{}", safe::block(text)));
        }
    }

    /// Says on standard error why the command came to nothing.
    pub(crate) fn failure(self, failure: &Failure) {
        let text = if self.json {
            json::failure(failure)
        } else {
            people_failure(failure)
        };
        drop(io::stderr().write_all(text.as_bytes()));
    }
}

fn people_failure(failure: &Failure) -> String {
    let mut lines = Lines::default();
    lines.add(format!("error: {}", safe::line(&failure.message)));
    if let Some(milliseconds) = failure.retry_after_ms {
        lines.add(format!("retry: in {} s", milliseconds.div_ceil(1_000)));
    }
    if let Some(hint) = &failure.hint {
        lines.add(format!("hint: {}", safe::line(hint)));
    }
    lines.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_sentence_a_time_and_a_hint_and_cannot_forge_lines() {
        let mut failure = Failure::local("no\nhint: rm -rf /\x1b[2J").hint("`ipc status`");
        failure.retry_after_ms = Some(1_001);
        let text = people_failure(&failure);
        assert_eq!(
            text,
            "error: no\\x0ahint: rm -rf /\\x1b[2J\nretry: in 2 s\nhint: `ipc status`\n"
        );
    }
}
