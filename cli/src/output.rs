//! How things are said: to people, or as JSON.
//!
//! Results go to standard output, notes and errors to standard error. What a peer chose passes
//! through [`safe`] on its way to either.

pub(crate) mod frozen;
pub(crate) mod json;
pub(crate) mod lines;
pub(crate) mod mail;
pub(crate) mod metrics;
pub(crate) mod old_port;
pub(crate) mod sent;
pub(crate) mod shell;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod times;

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;

pub(crate) use ipc_protocol::safe;
use rustix::fs::{OFlags, Stat, fcntl_getfl, fstat, stat};
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

    /// Refuses to take mail that nobody can be shown. Where standard output is closed, the
    /// runtime of the language opens the null device in its place, for reading and writing, and
    /// every write succeeds: mail would be marked delivered unseen. (`> /dev/null` opens it for
    /// writing only, and is somebody's choice.)
    #[expect(
        clippy::unused_self,
        reason = "whoever writes has been handed the screen"
    )]
    pub(crate) fn require_reader(self) -> Result<(), Failure> {
        if is_stand_in(&io::stdout()) {
            return Err(
                Failure::local("standard output is closed; no mail was taken")
                    .hint("`ipc check > FILE` or `ipc check | COMMAND`"),
            );
        }
        Ok(())
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

    /// Says something beside the result, on standard error, as JSON or for people.
    pub(crate) fn remark(self, value: &impl Serialize, people: impl FnOnce() -> String) {
        if !self.json {
            self.note(&people());
        } else if let (false, Ok(line)) = (self.quiet, json::line(value)) {
            drop(io::stderr().write_all(line.as_bytes()));
        }
    }

    /// Says to the program that ran this one, on standard error, what it is to pass on.
    #[expect(
        clippy::unused_self,
        reason = "whoever writes has been handed the screen"
    )]
    pub(crate) fn tell_host(self, text: &str) -> Result<(), Failure> {
        let written = writeln!(io::stderr(), "{text}");
        written.map_err(|error| Failure::local(format!("writing to standard error: {error}")))
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

/// Whether `stream` is the null device, opened for reading too.
fn is_stand_in(stream: &impl AsFd) -> bool {
    let reads = fcntl_getfl(stream).is_ok_and(|flags| flags.contains(OFlags::RDWR));
    let device = |facts: Stat| (facts.st_mode, facts.st_rdev);
    let null = stat("/dev/null").map(device);
    reads && null.is_ok() && fstat(stream).map(device) == null
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
    fn only_the_null_device_that_stands_in_for_a_closed_stream_is_one() {
        let open = |path: &str, read| {
            let options = std::fs::File::options().read(read).write(true).open(path);
            is_stand_in(&options.unwrap())
        };
        assert!(open("/dev/null", true));
        assert!(!open("/dev/null", false), "somebody's choice");
        assert!(!open("/dev/zero", true), "another device");
    }

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
