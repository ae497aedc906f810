//! `ipc admin restore`: a backup in the place of the store, while no daemon runs. It is looked into
//! only after this process has shut itself in.

use std::path::{Path, PathBuf};

use ipc_daemon::foreign::Foreign;
use ipc_daemon::store::backup::{self, BackupError};
use ipc_daemon::store::restore;
use serde::Serialize;

use super::inside;
use crate::args::RestoreArguments;
use crate::clock;
use crate::configuration;
use crate::context::{self, Context};
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::output::safe;

/// What was done, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Restored {
    /// The backup that is the store now.
    from: PathBuf,
    /// Where the former store is, if there was one.
    former: Option<PathBuf>,
}

/// Restores the named backup, else the newest good one.
pub(crate) fn run(
    context: &mut Context,
    arguments: &RestoreArguments,
) -> Result<ExitStatus, Failure> {
    let lock = inside::lock(context, "its store cannot be replaced under it")?;
    let config = configuration::load(context)?;
    let named = arguments.file.as_deref().map(context::led_to);
    let named = named.transpose()?;
    let named = named.as_deref();
    let elsewhere = named.filter(|file| inside::lies_elsewhere(context, file));
    let elsewhere = elsewhere.map(Foreign::open_backup).transpose();
    let elsewhere = elsewhere.map_err(|error| failed(&error.into()))?;
    let inside = inside::shut_in(&config, None)?;
    let from = match named {
        Some(file) => file.to_owned(),
        None => newest_good(context)?,
    };
    let now = clock::now();
    let data_dir = &context.data_dir;
    let former = match &elsewhere {
        Some(foreign) => restore::restore_foreign(data_dir, foreign, now, &inside),
        None => restore::restore(data_dir, &from, now, &inside),
    };
    let former = former.map_err(|error| failed(&error))?;
    ipc_daemon::audit::note_done(&context.data_dir, now, &mut context.random, &lock).map_err(
        |error| {
            Failure::local(format!("restored, and not in the audit log yet: {error}"))
                .hint("the next start of the daemon writes it there")
        },
    )?;
    drop(lock);
    let restored = Restored { from, former };
    context.screen.confirm(&restored, || people(&restored))?;
    Ok(ExitStatus::Done)
}

fn failed(error: &BackupError) -> Failure {
    let hint = match error {
        BackupError::NotGood { .. } => "the store is as it was",
        BackupError::Io { .. } | BackupError::Private(_) | BackupError::Sqlite { .. } => {
            "the store is as it was, or beside its place as `messages.db.replaced-…`; `ipc admin restore` may be repeated"
        }
    };
    Failure::local(error.to_string()).hint(hint)
}

fn people(restored: &Restored) -> String {
    let former = restored
        .former
        .as_ref()
        .map(|path| format!("former store: {}\n", shown(path)));
    let former = former.unwrap_or_default();
    format!(
        "restored {}\n{former}sessions are over, names are kept\n",
        shown(&restored.from)
    )
}

fn shown(path: &Path) -> String {
    safe::line(&path.display().to_string())
}

fn newest_good(context: &Context) -> Result<PathBuf, Failure> {
    let backups = backup::list(&context.data_dir).map_err(|e| Failure::local(e.to_string()))?;
    for path in backups {
        match backup::verify(&path) {
            Ok(()) => return Ok(path),
            Err(error) => context.screen.note(&format!("passed over: {error}")),
        }
    }
    let directory = context.data_dir.backups();
    Err(Failure::local(format!(
        "there is no good backup in {}",
        directory.display()
    ))
    .hint("`ipc admin restore FILE` takes one from elsewhere"))
}
