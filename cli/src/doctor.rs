//! Finding out what is wrong, for `ipc doctor`.
//!
//! What always holds: nothing is mended, made or started here, and no secret is shown; each family
//! of checks has a file of its own and hands back findings. A finding that can be mended by a
//! command carries that very command.

mod clock;
mod daemon;
mod files;
pub(crate) mod finding;
mod hosts;
mod place;
mod program;
mod secret;
mod service;
mod socket;

use std::path::PathBuf;

use ipc_protocol::paths::DataDir;
use rand::rngs::StdRng;

use crate::args::Globals;
use crate::context::{self, Context};
use crate::environment::Environment;
use crate::failure::Failure;
use crate::output::Screen;
use finding::Finding;

/// What the checks look at.
#[derive(Debug)]
pub(crate) struct Patient {
    /// The data directory.
    root: PathBuf,
    /// The environment.
    environment: Environment,
    /// This program, as it is typed in a command that mends.
    ipc: String,
}

/// Looks at everything.
pub(crate) fn examine(
    globals: &Globals,
    environment: Environment,
    screen: Screen,
    random: StdRng,
) -> Result<Vec<Finding>, Failure> {
    let root = context::root(globals, &environment)?;
    let ipc = program::typed(globals, &environment);
    let patient = Patient {
        root,
        environment,
        ipc,
    };
    let mut findings = program::check(&patient);
    let place = place::check(&patient);
    // What stands in a directory that is not to be trusted says nothing.
    let is_sound = place.iter().all(Finding::is_fine) && patient.root.is_dir();
    findings.extend(place);
    let socket = patient.environment.socket.as_deref();
    let socket = socket.map(context::absolute).transpose()?;
    let data_dir = DataDir::new(patient.root.clone(), socket);
    findings.extend(socket::check(&patient, &data_dir));
    if is_sound {
        let inside = files::check(&patient);
        let is_readable = inside.iter().all(Finding::is_fine);
        findings.extend(inside);
        findings.extend(clock::check(&patient));
        if is_readable && let Ok(data_dir) = &data_dir {
            findings.extend(secret::check(&patient, data_dir));
        }
    }
    findings.extend(hosts::check(&patient, data_dir.as_ref().ok()));
    findings.extend(service::check(&patient));
    if is_sound && data_dir.is_ok() {
        let ipc = patient.ipc.clone();
        let mut context = Context::new(globals, patient.environment, screen, random)?;
        findings.extend(daemon::check(&mut context, &ipc));
    }
    Ok(findings)
}
