//! Asking the user's service manager.

use std::io;
use std::process::{Command, Output};

use crate::failure::Failure;

/// Has it do something.
pub(super) fn systemctl(arguments: &[&str]) -> Result<(), Failure> {
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

/// What it calls the state of `unit`; `unknown` where there is no systemd.
pub(super) fn activity(unit: &str) -> String {
    let said = said(&["is-active", unit]);
    if said.is_empty() {
        "unknown".to_owned()
    } else {
        said
    }
}

/// What it says that the property of `unit` is; empty where it says nothing.
pub(super) fn property(unit: &str, name: &str) -> String {
    said(&["show", "--value", "-p", name, unit])
}

fn said(arguments: &[&str]) -> String {
    let said = invoke(arguments)
        .map(|output| output.stdout)
        .unwrap_or_default();
    String::from_utf8_lossy(&said).trim().to_owned()
}

fn invoke(arguments: &[&str]) -> io::Result<Output> {
    Command::new("systemctl")
        .arg("--user")
        .args(arguments)
        .output()
}
