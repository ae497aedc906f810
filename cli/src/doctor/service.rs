//! The service, where it is installed.

use super::Installation;
use super::finding::{Finding, word};
use super::program;
use crate::commands::service;

const CHECK: &str = "service";

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let Ok(status) = service::report(&installation.environment) else {
        return Vec::new();
    };
    if !status.installed {
        return Vec::new();
    }
    let unit = status.directory.join("ipc.service");
    let text = std::fs::read_to_string(unit).unwrap_or_default();
    let own = program::own();
    let names_this = text.contains(&format!("\"{}\"", own.display()));
    vec![if !names_this {
        let what = format!(
            "the service's unit does not run this program, {}",
            own.display()
        );
        Finding::problem(CHECK, what).fix(format!("{} service install", word(&own)))
    } else if status.socket != "active" {
        let what = format!("systemd does not listen: ipc.socket is {}", status.socket);
        Finding::problem(CHECK, what).fix("systemctl --user restart ipc.socket")
    } else {
        Finding::good(CHECK, "systemd listens for it")
    }]
}
