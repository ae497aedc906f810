//! `ipc admin backup`, `release`, `revoke`: proved by the shared secret, as nobody in particular.

use std::time::Duration;

use ipc_protocol::name::{Name, Recipient};
use ipc_protocol::request::{AdminBackup, AdminRelease, AdminRevoke};

use crate::args::RevokeAdminArguments;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::front::enrol::prove_secret;
use crate::output::{safe, times};

/// Longest that a backup may take: it copies the whole store and checks the copy.
const BACKUP_PATIENCE: Duration = Duration::from_mins(15);

/// Makes a backup.
pub(crate) fn backup(context: &mut Context) -> Result<ExitStatus, Failure> {
    let mut client = prove_secret(context)?;
    let made = client.call_waiting(&AdminBackup {}, BACKUP_PATIENCE)?;
    context.screen.confirm(&made, || {
        let path = context.data_dir.backups().join(&made.file);
        format!(
            "{} ({}, verified)\n",
            safe::line(&path.display().to_string()),
            times::bytes(made.bytes)
        )
    })?;
    Ok(ExitStatus::Done)
}

/// Frees a name.
pub(crate) fn release(context: &mut Context, name: Name) -> Result<ExitStatus, Failure> {
    let released = prove_secret(context)?.call(&AdminRelease { name })?;
    // What is kept here for that agent is good for nothing now, and would only be offered as a
    // choice. A pointer to an agent's new name is not touched.
    let files = context.agent_files();
    let lock = files.lock(&released.name)?;
    if lock.read()?.is_some() {
        lock.remove()?;
    }
    context
        .screen
        .confirm(&released, || match released.refused {
            0 => format!("{} is free\n", released.name),
            n => format!(
                "{} is free; {n} unread refused, their senders are told\n",
                released.name
            ),
        })?;
    Ok(ExitStatus::Done)
}

/// Ends the sessions and the resume credential of an agent, or of everybody.
pub(crate) fn revoke(
    context: &mut Context,
    arguments: RevokeAdminArguments,
) -> Result<ExitStatus, Failure> {
    let name = arguments.agent.unwrap_or(Recipient::All);
    let shown = match &name {
        Recipient::All => None,
        name => Some(String::from(name.clone())),
    };
    let revoked = prove_secret(context)?.call(&AdminRevoke { name })?;
    let number = revoked.sessions;
    context.screen.confirm(&revoked, || match shown {
        Some(name) => format!(
            "ended the sessions of {name} ({number}); `ipc register {name}` makes new credentials\n"
        ),
        None => format!(
            "ended all sessions ({number}) and all credentials; everybody registers again: \
             `ipc register NAME`\n"
        ),
    })?;
    Ok(ExitStatus::Done)
}
