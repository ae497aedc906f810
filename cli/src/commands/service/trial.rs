//! Trying the strict unit: the service is started in it and asked something; if either fails, the
//! portable unit is put back and runs as before.

use std::path::Path;

use ipc_daemon::systemd::Confinement;
use ipc_protocol::request::Status;

use super::systemctl::{property, systemctl};
use super::{DROP_INS, UNITS, remove, remove_if_empty};
use crate::autostart;
use crate::context::Context;
use crate::failure::Failure;
use crate::front;

/// What the service manager ends a service with that it could not confine
/// (`systemd.exec(5)`, "Process Exit Codes").
const STATUSES: [(&str, &str); 9] = [
    ("203", "the program cannot be run there"),
    ("205", "a limit cannot be set"),
    ("217", "a user namespace cannot be made"),
    ("218", "capabilities cannot be dropped"),
    ("225", "a network of its own cannot be made"),
    ("226", "its view of the files cannot be made"),
    ("227", "new privileges cannot be ruled out"),
    ("228", "system calls cannot be filtered"),
    (
        "232",
        "the kernel refuses a restriction of address families",
    ),
];

/// Starts the service in the strict unit, which is installed, and asks it something.
pub(super) fn run(context: &mut Context, directory: &Path) -> Result<(), Failure> {
    let Err(why) = attempt(context) else {
        return Ok(());
    };
    let tried = format!("the strict unit does not work on this machine: {why}");
    Err(match go_back(directory) {
        Ok(()) => Failure::local(format!("{tried}; the portable unit is back and runs")).hint(
            "`journalctl --user -u ipc` may say more; without `--strict` the portable unit stays",
        ),
        Err(failure) => Failure::local(format!(
            "{tried}; going back to the portable unit failed as well: {}",
            failure.message
        ))
        .hint("`ipc service uninstall`; without the service the first command starts the daemon"),
    })
}

/// What keeps the service from working as it is installed, if something does.
fn attempt(context: &mut Context) -> Result<(), String> {
    let [_, service] = UNITS;
    if let Err(failure) = systemctl(&["restart", service]) {
        return Err(end_of_service().unwrap_or(failure.message));
    }
    // Whoever answers must be the service: a command would start a daemon of its own.
    let served_by = property(service, "MainPID");
    drop(autostart::try_connect(context).map_err(|error| error.to_string())?);
    match front::ask_as_anyone(context, &Status {}) {
        Ok(report) if report.pid.to_string() == served_by => Ok(()),
        Ok(report) => Err(format!(
            "process {} answers, and the service is {served_by}",
            report.pid
        )),
        // To say no is to answer.
        Err(failure) if failure.code.is_some() => Ok(()),
        Err(failure) => Err(failure.message),
    }
}

/// How the service has ended, in words.
fn end_of_service() -> Option<String> {
    let [_, service] = UNITS;
    let result = property(service, "Result");
    if result.is_empty() || result == "success" {
        return None;
    }
    if result != "exit-code" {
        return Some(format!("its start came to `{result}`"));
    }
    let status = property(service, "ExecMainStatus");
    let known = STATUSES.iter().find(|(number, _)| *number == status);
    Some(match known {
        Some((_, meaning)) => format!("{meaning} (status {status})"),
        None => format!("the daemon ended with status {status}"),
    })
}

/// Takes the strict drop-in away and has the service run without it.
fn go_back(directory: &Path) -> Result<(), Failure> {
    let [socket, service] = UNITS;
    let [strict, _] = Confinement::DROP_INS;
    remove(&directory.join(strict))?;
    remove_if_empty(&directory.join(DROP_INS));
    systemctl(&["daemon-reload"])?;
    // It may try again meanwhile, and have used up its tries; the socket is closed then, too.
    systemctl(&["stop", service])?;
    drop(systemctl(&["reset-failed", socket, service]));
    systemctl(&["restart", socket])?;
    systemctl(&["restart", service])
}
