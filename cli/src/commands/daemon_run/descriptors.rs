//! What `ipc daemon run` was started with open: it would be within reach from inside the sandbox, and a
//! pipe that the daemon holds never ends.
//!
//! To close a descriptor that one has no value of takes `unsafe`, which is forbidden here. So all of
//! them are marked close-on-exec, and the same process runs the same program once more.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use ipc_daemon::systemd::HandedOver;

use crate::failure::Failure;

/// The first descriptor after the three that every program has.
const FIRST: i32 = 3;

/// How the second run is told that it is the second.
const ALONE: &str = "--alone";

/// Begins anew without what the starter had open, if there is anything but a socket that was handed
/// over to this very process. Comes back if there is nothing.
pub(super) fn leave_behind(handed_over: HandedOver<'_>) -> Result<(), Failure> {
    let kept = handed_over.descriptors(std::process::id());
    let kept = kept.map_err(|error| Failure::local(error.to_string()))?;
    if close_fds::iter_open_fds(FIRST).all(|open| kept.contains(&open)) {
        return Ok(());
    }
    close_fds::set_fds_cloexec_threadsafe(FIRST, kept);
    let failed = |error| Failure::local(format!("starting without what was open: {error}"));
    let mut words = std::env::args_os();
    let called = words.next().unwrap_or_default();
    let mut words: Vec<_> = words.collect();
    let end_of_options = words.iter().position(|word| word == "--");
    words.insert(end_of_options.unwrap_or(words.len()), ALONE.into());
    let program = std::env::current_exe().map_err(failed)?;
    // This very program, if there is another one in its place by now.
    let program = if program.exists() {
        program
    } else {
        PathBuf::from("/proc/self/exe")
    };
    Err(failed(
        Command::new(program).arg0(called).args(words).exec(),
    ))
}
