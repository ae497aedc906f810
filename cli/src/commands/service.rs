//! `ipc service`: systemd user units that keep the daemon running.
//!
//! The socket unit listens from login on and starts the service with the first connection, so
//! that nothing depends on who comes first. The strict unit is tried before it stays: which of its
//! lines a machine lets a user's service have is known to nobody but the machine.

mod systemctl;
mod trial;

use std::io;
use std::path::{Path, PathBuf};

use ipc_daemon::systemd::{self, Confinement};
use ipc_protocol::private;
use serde::Serialize;

use super::daemon;
use crate::args::{ServiceCommand, ServiceInstallArguments};
use crate::autostart;
use crate::configuration;
use crate::context::Context;
use crate::environment::Environment;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::secret;
use systemctl::{activity, systemctl};

/// The units, in the order in which they are stopped.
const UNITS: [&str; 2] = ["ipc.socket", "ipc.service"];

/// Where the drop-ins of the service are, beside the units.
const DROP_INS: &str = "ipc.service.d";

/// The user that stands for all that a user namespace does not know, where the system names none
/// (`user_namespaces(7)`).
const OVERFLOW_USER: u32 = 65_534;

/// How the service is, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(crate) struct ServiceStatus {
    /// Whether the unit files are there.
    pub(crate) installed: bool,
    /// Whether the strict drop-in is there.
    pub(crate) strict: bool,
    /// What systemd says of the socket, for example `active`.
    pub(crate) socket: String,
    /// What systemd says of the service.
    pub(crate) service: String,
    /// Where the unit files are.
    pub(crate) directory: PathBuf,
}

/// Does what was asked for.
pub(crate) fn run(context: &mut Context, command: &ServiceCommand) -> Result<ExitStatus, Failure> {
    match command {
        ServiceCommand::Install(arguments) => install(context, arguments),
        ServiceCommand::Uninstall => uninstall(context),
        ServiceCommand::Status => status(context),
    }
}

fn install(
    context: &mut Context,
    arguments: &ServiceInstallArguments,
) -> Result<ExitStatus, Failure> {
    let confinement = confinement(context, arguments.strict)?;
    let program = autostart::own_program()
        .map_err(|error| Failure::local(format!("this program's own path: {error}")))?;
    let units = systemd::units(&program, &context.data_dir, confinement).ok_or_else(|| {
        Failure::usage("a path of the program or the data has characters that a unit cannot hold")
            .hint("install and keep data under plain paths")
    })?;
    // First of all: without a service manager nothing is written.
    systemctl(&["show-environment"])?;
    drop(private::ensure_directory(context.data_dir.root())?);
    keep_secret(context)?;
    let directory = unit_directory(&context.environment)?;
    write(&directory, &units)?;
    systemctl(&["daemon-reload"])?;
    // A daemon that a command started holds the socket's path; one of the service runs the old unit.
    daemon::end(context)?;
    systemctl(&["enable", "--now", UNITS[0]])?;
    let strictly = if confinement == Confinement::Strict {
        trial::run(context, &directory)?;
        ", confined strictly: tried, and it answers"
    } else {
        ""
    };
    context.screen.confirm(&report(&context.environment)?, || {
        format!(
            "installed{strictly}: systemd listens and starts the daemon when it is needed\n\
             to keep it while you are logged out: loginctl enable-linger\n"
        )
    })?;
    Ok(ExitStatus::Done)
}

/// Keeps the secret of the variable where a service that has never run finds it: a unit has not
/// the environment of whoever installs it, and would make one of its own.
fn keep_secret(context: &Context) -> Result<(), Failure> {
    let file = context.data_dir.secret();
    if file.exists() || context.data_dir.daemon_key().exists() {
        return Ok(());
    }
    if let Some(secret) = secret::of_environment(context)? {
        private::write_file(&file, secret.expose())?;
    }
    Ok(())
}

/// How the service is to be confined, if it can be.
fn confinement(context: &Context, strict: bool) -> Result<Confinement, Failure> {
    let old_port = configuration::load(context)?.legacy.is_some();
    if !strict {
        return Ok(if old_port {
            Confinement::WithOldPort
        } else {
            Confinement::Portable
        });
    }
    if old_port {
        return Err(Failure::usage(
            "the strict unit has no network, and `[legacy] tcp` in config.toml opens the old port",
        )
        .hint("take `[legacy]` out of config.toml, or install without `--strict`"));
    }
    if rustix::process::geteuid().as_raw() == overflow_user() {
        return Err(Failure::usage(
            "in the strict unit's user namespace every other user would look like this one",
        )
        .hint("run the daemon as a user of its own, or install without `--strict`"));
    }
    Ok(Confinement::Strict)
}

fn overflow_user() -> u32 {
    let said = std::fs::read_to_string("/proc/sys/kernel/overflowuid");
    let said = said.ok().and_then(|text| text.trim_end().parse().ok());
    said.unwrap_or(OVERFLOW_USER)
}

/// Puts the units there, and takes away the drop-ins that are not among them.
fn write(directory: &Path, units: &[(&str, String)]) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(directory.join(DROP_INS)).and_then(|()| {
        units
            .iter()
            .try_for_each(|(name, text)| std::fs::write(directory.join(name), text))
    });
    written.map_err(|error| Failure::local(format!("{}: {error}", directory.display())))?;
    for drop_in in Confinement::DROP_INS {
        if !units.iter().any(|(name, _)| *name == drop_in) {
            remove(&directory.join(drop_in))?;
        }
    }
    remove_if_empty(&directory.join(DROP_INS));
    Ok(())
}

fn uninstall(context: &Context) -> Result<ExitStatus, Failure> {
    let directory = unit_directory(&context.environment)?;
    let mut files = UNITS.iter().chain(&Confinement::DROP_INS);
    if files.any(|file| directory.join(file).exists()) {
        systemctl(&["disable", "--now", UNITS[0], UNITS[1]])?;
        for file in Confinement::DROP_INS.iter().chain(&UNITS) {
            remove(&directory.join(file))?;
        }
        remove_if_empty(&directory.join(DROP_INS));
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
        let installed = match (status.installed, status.strict) {
            (true, true) => "installed, strict",
            (true, false) => "installed, portable",
            (false, _) => "not installed",
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
    let installed = is_installed(&directory);
    let [strict, _] = Confinement::DROP_INS;
    Ok(ServiceStatus {
        installed,
        strict: installed && directory.join(strict).is_file(),
        socket: activity(UNITS[0]),
        service: activity(UNITS[1]),
        directory,
    })
}

fn is_installed(directory: &Path) -> bool {
    UNITS.iter().all(|unit| directory.join(unit).is_file())
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

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::local(format!("{}: {error}", path.display())))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A directory of drop-ins may hold some of the user's own: then it stays.
fn remove_if_empty(directory: &Path) {
    drop(std::fs::remove_dir(directory));
}
