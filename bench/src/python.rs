//! The Python client, as a whole process, beside a bare connection that another one makes by hand.
//!
//! Both run in the same Python and ask for the same thing over the session that is there. What
//! Python itself takes to start, and its library to be imported, is on both sides.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};

use super::PROCESSES;
use crate::daemon::Daemon;
use crate::figures::{Figure, median, timed};

/// The same by hand: the name of the data directory and of the agent are its arguments.
const BARE: &str = include_str!("python/bare.py");

/// The same with the package.
const SHIM: &str = "import sys
from claude_ipc import Client
room, name = sys.argv[1:]
with Client(name, data_dir=room) as client:
    assert client.whoami().name == name";

/// Nothing at all: Python's own start.
const NOTHING: &str = "pass";

/// What the package adds to a connection, and to Python's own start.
pub(crate) fn figures(daemon: &Daemon) -> Result<[Figure; 2], Box<dyn Error>> {
    daemon.command(&["register", "python"])?;
    let (mut shims, mut bares, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    // Once before it counts: Python writes down what it compiled.
    run(daemon, SHIM)?;
    for _ in 0..PROCESSES {
        shims.push(timed(|| run(daemon, SHIM))?);
        bares.push(timed(|| run(daemon, BARE))?);
        starts.push(timed(|| run(daemon, NOTHING))?);
    }
    let shim = median(&mut shims).as_secs_f64() * 1_000.0;
    let over = |floor: &mut [std::time::Duration]| shim - median(floor).as_secs_f64() * 1_000.0;
    Ok([
        Figure::new(
            "a Python call over a bare connection, ms",
            over(&mut bares),
            3.0,
        ),
        Figure::new(
            "the same over Python's own start, ms",
            over(&mut starts),
            // Four fifths of it are Python's own library; here to be watched.
            30.0,
        ),
    ])
}

/// Runs `code` to its end.
fn run(daemon: &Daemon, code: &str) -> Result<(), Box<dyn Error>> {
    let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python-shim");
    let mut command = Command::new("python3");
    command
        // Without `site`: what a machine's administrator imports at every start is not measured.
        .args(["-S", "-c", code])
        .arg(daemon.room())
        .arg("python")
        .env("PYTHONPATH", shim)
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .stdin(Stdio::null());
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}
