//! `ipc completions`: made from the same definitions as the help.

use clap::CommandFactory;

use crate::args::{Arguments, CompletionsArguments};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::Screen;

/// Prints the script for a shell.
pub(crate) fn run(screen: Screen, arguments: &CompletionsArguments) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut Arguments::command(),
        "ipc",
        &mut script,
    );
    screen.show(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Done)
}
