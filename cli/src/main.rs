//! The program `ipc`: what people and scripts type.
//!
//! The way of a command: [`args`] parses it, [`context`] gathers its world (environment, data
//! directory, randomness, screen), [`commands`] has one file for each, [`front`] finds out whose
//! mailbox it is and opens a proved connection ([`autostart`] starts the daemon if need be), and
//! [`output`] says the reply to people or as JSON. Every way out is an [`exit::ExitStatus`].
//!
//! What always holds: text of a peer reaches the terminal only through `output::safe`; mail is
//! acknowledged only after standard output took it; only [`environment`] reads the environment
//! and only [`clock`] the clock.

mod args;
mod autostart;
mod clock;
mod commands;
mod configuration;
mod context;
mod doctor;
mod environment;
mod exit;
mod failure;
mod front;
mod notices;
mod output;
mod phrases;
mod place;
#[cfg(test)]
mod seeds;
mod setup;
mod share;
mod stop;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};

use args::{Arguments, Command};
use context::Context;
use environment::Environment;
use exit::ExitStatus;
use failure::Failure;
use output::Screen;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(_) if is_unseen_hook() => {
            commands::hook::hear_out();
            return ExitStatus::Done.into();
        }
        Err(error) => return commands::help::say(&error).into(),
    };
    let is_hook = matches!(arguments.command, Command::Hook(_));
    let environment = Environment::read();
    let screen = Screen::new(&arguments.globals, environment.no_color);
    match run(arguments, environment, screen) {
        Ok(status) => status.into(),
        // What a hook says goes to an agent, and a status other than 0 can stop it.
        Err(_) if is_hook => {
            commands::hook::hear_out();
            ExitStatus::Done.into()
        }
        Err(failure) => {
            screen.failure(&failure);
            failure.status.into()
        }
    }
}

fn run(
    arguments: Arguments,
    environment: Environment,
    screen: Screen,
) -> Result<ExitStatus, Failure> {
    // Need no home, no daemon and no randomness: they run while a package is being built.
    if let Command::Completions(shell) = &arguments.command {
        return commands::completions::run(screen, shell);
    }
    if let Command::Help(help) = &arguments.command {
        return commands::help::run(screen, help);
    }
    let random = StdRng::try_from_rng(&mut SysRng)
        .map_err(|_| Failure::local("the system gives no random numbers"))?;
    // Looks at what a context would refuse.
    if let Command::Doctor = &arguments.command {
        return commands::doctor::run(&arguments.globals, environment, screen, random);
    }
    let context = Context::new(&arguments.globals, environment, screen, random)?;
    commands::run(context, arguments.command)
}

/// Whether a host runs this as a hook and typed it wrongly: a newer one's configuration, perhaps.
/// Status 2 would stop the agent. A person at a terminal is told.
fn is_unseen_hook() -> bool {
    let mut words = std::env::args_os().skip(1);
    let mut command = words.next();
    while let Some(word) = command {
        let text = word.to_string_lossy();
        if !text.starts_with('-') {
            return text == "hook" && !std::io::stdin().is_terminal();
        }
        let has_value = matches!(text.as_ref(), "--as" | "--data-dir");
        command = if has_value {
            words.nth(1)
        } else {
            words.next()
        };
    }
    false
}
