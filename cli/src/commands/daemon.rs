//! `ipc daemon start|stop|restart`: the daemon in the background.

mod process;

use std::time::Duration;

use ipc_protocol::private;
use rustix::fs::{FlockOperation, flock};
use serde_json::json;

use crate::autostart;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use process::Process;

/// How long a daemon may take to leave: it finishes what it has and writes its last checkpoint.
const STOP_PATIENCE: Duration = Duration::from_secs(20);

/// Bytes of the file `lock`, at most: a process id and a newline.
const LOCK_BYTES: u64 = 32;

/// Starts the daemon unless it runs.
pub(crate) fn start(context: &Context) -> Result<ExitStatus, Failure> {
    let started = autostart::start(context)?;
    let is_new = started.pid.is_some();
    let value = json!({"pid": started.pid, "started": is_new});
    context.screen.confirm(&value, || match started.pid {
        Some(pid) => format!("started the daemon (pid {pid})\n"),
        None => "the daemon runs already\n".to_owned(),
    })?;
    Ok(ExitStatus::Done)
}

/// Stops the daemon if it runs.
pub(crate) fn stop(context: &Context) -> Result<ExitStatus, Failure> {
    let stopped = end(context)?;
    let value = json!({"pid": stopped, "stopped": stopped.is_some()});
    context.screen.confirm(&value, || match stopped {
        Some(pid) => format!("stopped the daemon (pid {pid})\n"),
        None => "no daemon runs\n".to_owned(),
    })?;
    Ok(ExitStatus::Done)
}

/// Stops the daemon and starts it.
pub(crate) fn restart(context: &Context) -> Result<ExitStatus, Failure> {
    end(context)?;
    start(context)
}

/// Ends the daemon and waits until it is gone; its process id, if there was one.
pub(super) fn end(context: &Context) -> Result<Option<u32>, Failure> {
    if !context.data_dir.daemon_lock().exists() {
        return Ok(None);
    }
    // Looking at the daemon's lock takes it for a moment; nobody may start a daemon meanwhile.
    let path = context.data_dir.start_lock();
    let lock = private::open_lock(&path)?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| Failure::local(format!("{}: {error}", path.display())))?;
    let Some(pid) = running(context)? else {
        return Ok(None);
    };
    let Some(process) = Process::open(pid).map_err(|error| cannot_stop(pid, &error))? else {
        return Ok(None);
    };
    // Ids are used again. The handle is the daemon's if the lock still names its id.
    if running(context)? != Some(pid) {
        return Ok(None);
    }
    process
        .ask_to_end()
        .map_err(|error| cannot_stop(pid, &error))?;
    if process
        .await_end(STOP_PATIENCE)
        .map_err(|error| cannot_stop(pid, &error))?
    {
        remove_socket_elsewhere(context);
        drop(lock);
        return Ok(Some(pid));
    }
    let waited = STOP_PATIENCE.as_secs();
    Err(Failure::local(format!(
        "the daemon (pid {pid}) did not end within {waited} s"
    ))
    .hint(format!("`kill -9 {pid}`; what it confirmed is on disk")))
}

/// From inside its sandbox a daemon removes no socket that is not in the data directory. One that
/// cannot be removed now is no obstacle to the next start; one that a service manager holds stays.
fn remove_socket_elsewhere(context: &Context) {
    let data_dir = &context.data_dir;
    if data_dir.socket().parent() != Some(data_dir.root()) {
        drop(ipc_daemon::remove_dead_socket(data_dir));
    }
}

fn cannot_stop(pid: u32, error: &std::io::Error) -> Failure {
    Failure::local(format!("stopping the daemon (pid {pid}): {error}"))
}

/// The process id of the daemon that holds the lock.
fn running(context: &Context) -> Result<Option<u32>, Failure> {
    let path = context.data_dir.daemon_lock();
    let lock = private::open_lock(&path)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => return Ok(None),
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        Err(error) => return Err(Failure::local(format!("{}: {error}", path.display()))),
    }
    let text = private::read_file(&path, LOCK_BYTES)?;
    let pid = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.trim_end().parse().ok());
    pid.map(Some).ok_or_else(|| {
        Failure::local(format!(
            "{} does not say which process holds it",
            path.display()
        ))
        .hint(format!("`fuser {}` does", path.display()))
    })
}
