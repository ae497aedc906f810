//! Finding out what is wrong, for `ipc doctor`.
//!
//! What always holds: nothing is mended, made or started here, and no secret is shown; each family
//! of checks has a file of its own and hands back findings. A finding that can be mended by a
//! command carries that very command.

mod clock;
mod daemon;
mod data_directory;
mod files;
pub(crate) mod finding;
mod hosts;
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
pub(crate) struct Installation {
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
    let installation = Installation {
        root,
        environment,
        ipc,
    };
    let mut findings = program::check(&installation);
    let directory = data_directory::check(&installation);
    // What stands in a directory that is not to be trusted says nothing.
    let is_sound = directory.iter().all(Finding::is_fine) && installation.root.is_dir();
    findings.extend(directory);
    let socket = installation.environment.socket.as_deref();
    let socket = socket.map(context::absolute).transpose()?;
    let data_dir = DataDir::new(installation.root.clone(), socket);
    findings.extend(socket::check(&installation, &data_dir));
    if is_sound {
        let inside = files::check(&installation);
        let is_readable = inside.iter().all(Finding::is_fine);
        findings.extend(inside);
        findings.extend(clock::check(&installation));
        if is_readable && let Ok(data_dir) = &data_dir {
            findings.extend(secret::check(&installation, data_dir));
        }
    }
    findings.extend(hosts::check(&installation, data_dir.as_ref().ok()));
    findings.extend(service::check(&installation));
    if is_sound && data_dir.is_ok() {
        let ipc = installation.ipc.clone();
        let mut context = Context::new(globals, installation.environment, screen, random)?;
        findings.extend(daemon::check(&mut context, &ipc));
    }
    Ok(findings)
}
