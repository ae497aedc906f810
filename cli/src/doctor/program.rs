//! Whether `ipc` on `PATH` is this program.

use std::path::PathBuf;

use super::Installation;
use super::finding::{Finding, word};
use crate::args::Globals;
use crate::autostart;
use crate::environment::Environment;
use crate::setup::program::{is_same, on_search_path, quoted};

const CHECK: &str = "program";

/// This program as it is typed, with the data directory where that was typed.
pub(super) fn typed(globals: &Globals, environment: &Environment) -> String {
    let found = on_search_path(environment);
    let own = own();
    let program = match found {
        Some(found) if is_same(&found, &own) => "ipc".to_owned(),
        Some(_) | None => word(&own),
    };
    match &globals.data_dir {
        Some(directory) => format!("{program} --data-dir {}", word(directory)),
        None => program,
    }
}

/// This program's path.
pub(super) fn own() -> PathBuf {
    autostart::own_program().unwrap_or_else(|_| PathBuf::from("ipc"))
}

pub(super) fn check(installation: &Installation) -> Vec<Finding> {
    let own = own();
    let shown = own.display();
    let finding = match on_search_path(&installation.environment) {
        Some(found) if is_same(&found, &own) => {
            return vec![Finding::good(
                CHECK,
                format!("{shown}, version {}", env!("CARGO_PKG_VERSION")),
            )];
        }
        Some(found) => Finding::problem(
            CHECK,
            format!(
                "`ipc` on PATH is {}, this program is {shown}",
                found.display()
            ),
        ),
        None => Finding::note(CHECK, format!("this program, {shown}, is not on PATH")),
    };
    let Some(directory) = own
        .parent()
        .filter(|_| own.file_name().is_some_and(|name| name == "ipc"))
    else {
        return vec![finding];
    };
    let directory = quoted(&directory.display().to_string());
    vec![finding.fix(format!("export PATH={directory}:\"$PATH\""))]
}
