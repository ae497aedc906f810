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
mod context;
mod environment;
mod exit;
mod failure;
mod front;
mod output;

use std::io::Write;
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
        Err(error) => return usage(&error),
    };
    let environment = Environment::read();
    let screen = Screen::new(&arguments.globals, environment.no_color);
    match run(arguments, environment, screen) {
        Ok(status) => status.into(),
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
    // Needs no home, no daemon and no randomness: it runs while a package is being built.
    if let Command::Completions(shell) = &arguments.command {
        return commands::completions::run(screen, shell);
    }
    let random = StdRng::try_from_rng(&mut SysRng)
        .map_err(|_| Failure::local("the system gives no random numbers"))?;
    let context = Context::new(&arguments.globals, environment, screen, random)?;
    commands::run(context, arguments.command)
}

/// Help and versions are answers, everything else that clap says is wrong usage. It repeats what
/// was typed, and that may have come from a peer: a word to be tried, a name to be looked up.
fn usage(error: &clap::Error) -> ExitCode {
    let plain = error.render().to_string();
    let shown = output::safe::block(&plain);
    let printed = if shown == plain {
        error.print()
    } else {
        std::io::stderr().write_all(shown.as_bytes())
    };
    if error.use_stderr() {
        ExitStatus::Usage.into()
    } else if printed.is_ok() {
        ExitStatus::Done.into()
    } else {
        ExitStatus::Refused.into()
    }
}
