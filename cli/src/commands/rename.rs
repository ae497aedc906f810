//! `ipc rename`: another name for the agent, and for its file of credentials.

use ipc_protocol::client::AgentFiles;
use ipc_protocol::name::Name;
use ipc_protocol::request::{Rename, Renamed};
use ipc_protocol::time::Timestamp;

use crate::args::RenameArguments;
use crate::clock;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::Front;
use crate::output::lines::Lines;
use crate::output::times;

/// Renames the agent, and leaves a pointer where its credentials were.
pub(crate) fn run(
    context: &mut Context,
    arguments: RenameArguments,
) -> Result<ExitStatus, Failure> {
    let mut front = Front::open(context)?;
    let files = context.agent_files();
    let old_name = front.name.clone();
    let renamed = rename(&files, &old_name, arguments.new_name, |request| {
        front.call(request)
    })?;
    context
        .screen
        .confirm(&renamed, || people(&renamed, clock::now()))?;
    Ok(ExitStatus::Done)
}

/// Both files are locked before the daemon is asked, always in the order of their names, so that
/// two renames that cross do not wait for each other.
pub(crate) fn rename(
    files: &AgentFiles,
    old_name: &Name,
    new_name: Name,
    mut ask: impl FnMut(&Rename) -> Result<Renamed, Failure>,
) -> Result<Renamed, Failure> {
    if old_name.same_as(&new_name) {
        let lock = files.lock(old_name)?;
        let renamed = ask(&Rename { new_name })?;
        if let Some(mut record) = lock.read()? {
            record.name = renamed.name.clone();
            lock.write(record)?;
        }
        return Ok(renamed);
    }
    let (old, new) = if old_name.folded() < new_name.folded() {
        let old = files.lock(old_name)?;
        (old, files.lock(&new_name)?)
    } else {
        let new = files.lock(&new_name)?;
        (files.lock(old_name)?, new)
    };
    let renamed = ask(&Rename { new_name })?;
    if let Some(mut record) = old.read()? {
        record.name = renamed.name.clone();
        new.write(record)?;
        old.write_moved(renamed.name.clone())?;
    }
    Ok(renamed)
}

fn people(renamed: &Renamed, now: Timestamp) -> String {
    let (old, new) = (&renamed.old_name, &renamed.name);
    let mut lines = Lines::default();
    lines.add(format!("{old} is called {new} now"));
    if let Some(until) = renamed.forwards_until_ms {
        let until = times::relative(until, now);
        lines.add(format!("mail to {old} is forwarded; that ends {until}"));
    }
    match renamed.adopted {
        0 => {}
        1 => lines.add(format!("1 message waited for {new}: `ipc check`")),
        n => lines.add(format!("{n} messages waited for {new}: `ipc check`")),
    }
    lines.into_text()
}
