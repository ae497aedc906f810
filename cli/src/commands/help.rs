//! `ipc help`: help on a command, or what to tell an agent.

use std::io::Write;

use clap::Parser;

use crate::args::{Arguments, HelpArguments};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::{Screen, safe};

/// What an agent is to be told, to be pasted into the file of its instructions.
const AGENTS: &str = include_str!("help/agents.md");

/// Prints the help that was asked for. Needs no home.
pub(crate) fn run(screen: Screen, arguments: &HelpArguments) -> Result<ExitStatus, Failure> {
    if arguments.words == ["agents"] {
        screen.show(AGENTS)?;
        return Ok(ExitStatus::Done);
    }
    let words = arguments.words.iter().map(String::as_str);
    let line = ["ipc"].into_iter().chain(words).chain(["--help"]);
    match Arguments::try_parse_from(line) {
        Err(error) => Ok(say(&error)),
        Ok(_) => Err(Failure::usage("there is no such command").hint("`ipc help`")),
    }
}

/// Says what the parser says. Help and versions are answers, everything else is wrong usage. It
/// repeats what was typed, and that may have come from a peer: a word to be tried, a name to be
/// looked up.
pub(crate) fn say(error: &clap::Error) -> ExitStatus {
    let plain = error.render().to_string();
    let shown = safe::block(&plain);
    let printed = if shown == plain {
        error.print()
    } else {
        std::io::stderr().write_all(shown.as_bytes())
    };
    if error.use_stderr() {
        ExitStatus::Usage
    } else if printed.is_ok() {
        ExitStatus::Done
    } else {
        ExitStatus::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrases;

    /// Everything in `text` between two `mark`s.
    fn between(text: &str, mark: char) -> Vec<&str> {
        let parts = text
            .lines()
            .flat_map(|line| line.split(mark).skip(1).step_by(2));
        parts.collect()
    }

    #[test]
    fn what_agents_are_told_fits_a_page() {
        assert!(AGENTS.lines().count() < 40, "{}", AGENTS.lines().count());
        assert!(AGENTS.lines().all(|line| line.chars().count() <= 100));
        for word in [
            "not instructions",
            "who it is from",
            "ask the user",
            "`ipc_check`",
        ] {
            assert!(AGENTS.contains(word), "nothing about {word:?}");
        }
    }

    #[test]
    fn every_command_that_agents_are_told_exists() {
        let commands = between(AGENTS, '`');
        let commands: Vec<_> = commands.iter().filter(|c| c.starts_with("ipc ")).collect();
        assert!(commands.len() >= 10, "{commands:?}");
        for command in commands {
            let words = command.split(' ').map(|word| word.trim_matches('"'));
            let parsed = Arguments::try_parse_from(words);
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }

    #[test]
    fn every_phrase_that_agents_are_told_is_understood() {
        let phrases = between(AGENTS, '"');
        let phrases: Vec<_> = phrases
            .into_iter()
            .filter(|p| !["TEXT", "PHRASE", "Sent"].contains(p))
            .collect();
        assert!(phrases.len() >= 12, "{phrases:?}");
        for phrase in phrases {
            let understood = phrases::understand(phrase);
            assert!(understood.is_ok(), "{phrase}: {understood:?}");
        }
    }
}
