//! `ipc service`: systemd user units that keep the daemon running.
//!
//! The socket unit listens from login on and starts the service with the first connection, so
//! that nothing depends on who comes first.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ipc_daemon::systemd;
use ipc_protocol::private;
use serde::Serialize;

use super::daemon;
use crate::args::ServiceCommand;
use crate::autostart;
use crate::context::Context;
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// The units, in the order in which they are stopped.
const UNITS: [&str; 2] = ["ipc.socket", "ipc.service"];

/// How the service is, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct ServiceStatus {
    /// Whether the unit files are there.
    pub(crate) installed: bool,
    /// What systemd says of the socket, for example `active`.
    pub(crate) socket: String,
    /// What systemd says of the service.
    pub(crate) service: String,
    /// Where the unit files are.
    pub(crate) directory: PathBuf,
}

/// Does what was asked for.
pub(crate) fn run(context: &Context, command: &ServiceCommand) -> Result<ExitStatus, Failure> {
    match command {
        ServiceCommand::Install => install(context),
        ServiceCommand::Uninstall => uninstall(context),
        ServiceCommand::Status => status(context),
    }
}

fn install(context: &Context) -> Result<ExitStatus, Failure> {
    let program = autostart::own_program()
        .map_err(|error| Failure::local(format!("this program's own path: {error}")))?;
    let units = systemd::units(&program, &context.data_dir).ok_or_else(|| {
        Failure::usage("a path of the program or the data has characters that a unit cannot hold")
            .hint("install and keep data under plain paths")
    })?;
    // First of all: without a service manager nothing is written.
    systemctl(&["show-environment"])?;
    drop(private::ensure_directory(context.data_dir.root())?);
    let directory = unit_directory(&context.environment)?;
    let written = std::fs::create_dir_all(&directory).and_then(|()| {
        units
            .iter()
            .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
    });
    written.map_err(|error| Failure::local(format!("{}: {error}", directory.display())))?;
    systemctl(&["daemon-reload"])?;
    // A daemon that a command started holds the socket's path.
    daemon::end(context)?;
    systemctl(&["enable", "--now", "ipc.socket"])?;
    context.screen.confirm(&report(&context.environment)?, || {
        "installed: systemd listens and starts the daemon when it is needed\n\
         to keep it while you are logged out: loginctl enable-linger\n"
            .to_owned()
    })?;
    Ok(ExitStatus::Done)
}

fn uninstall(context: &Context) -> Result<ExitStatus, Failure> {
    let directory = unit_directory(&context.environment)?;
    if is_installed(&directory) {
        systemctl(&["disable", "--now", UNITS[0], UNITS[1]])?;
        for unit in UNITS {
            remove(&directory.join(unit))?;
        }
        systemctl(&["daemon-reload"])?;
    }
    let directory = context.data_dir.root().display().to_string();
    context.screen.confirm(&report(&context.environment)?, || {
        format!("uninstalled; the data is still in {directory}\n")
    })?;
    Ok(ExitStatus::Done)
}

fn status(context: &Context) -> Result<ExitStatus, Failure> {
    let status = report(&context.environment)?;
    context.screen.result(&status, || {
        let installed = if status.installed {
            "installed"
        } else {
            "not installed"
        };
        format!(
            "units    {installed} ({})\nsocket   {}\nservice  {}\n",
            status.directory.display(),
            status.socket,
            status.service
        )
    })?;
    Ok(ExitStatus::Done)
}

/// How the service is.
pub(crate) fn report(environment: &Environment) -> Result<ServiceStatus, Failure> {
    let directory = unit_directory(environment)?;
    Ok(ServiceStatus {
        installed: is_installed(&directory),
        socket: activity(UNITS[0]),
        service: activity(UNITS[1]),
        directory,
    })
}

fn is_installed(directory: &Path) -> bool {
    UNITS.iter().all(|unit| directory.join(unit).is_file())
}

/// What systemd calls the state of `unit`; `unknown` where there is no systemd.
fn activity(unit: &str) -> String {
    let said = invoke(&["is-active", unit])
        .map(|output| output.stdout)
        .unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    if said.is_empty() {
        "unknown".to_owned()
    } else {
        said
    }
}

/// Where a user's units are (`systemd.unit(5)`).
fn unit_directory(environment: &Environment) -> Result<PathBuf, Failure> {
    let in_home = || environment.home.as_ref().map(|home| home.join(".config"));
    let configuration = environment.config_home.clone().or_else(in_home);
    let configuration = configuration.ok_or_else(|| {
        Failure::usage("HOME is not set, so there is no place for units").hint("set HOME")
    })?;
    Ok(configuration.join("systemd/user"))
}

fn systemctl(arguments: &[&str]) -> Result<(), Failure> {
    let output = invoke(arguments).map_err(|error| {
        Failure::local(format!("systemctl cannot be run: {error}"))
            .hint("without systemd nothing is needed: the first command starts the daemon")
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("no reason given").to_owned();
    Err(
        Failure::local(format!("systemctl --user {}: {said}", arguments.join(" ")))
            .hint("without systemd nothing is needed: the first command starts the daemon"),
    )
}

fn invoke(arguments: &[&str]) -> io::Result<Output> {
    Command::new("systemctl")
        .arg("--user")
        .args(arguments)
        .output()
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::local(format!("{}: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
