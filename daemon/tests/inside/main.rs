//! Probes from inside the sandbox: each runs in a process of its own that shuts itself in as the
//! daemon does and then tries what somebody would who had taken it over.
//!
//! A test binary with a `main` of its own, because the sandbox is entered before the first thread,
//! and a test of the standard harness is one.

#[cfg(test)]
#[cfg(target_os = "linux")]
mod foreign;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod older;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod probes;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [mark, name, room] if mark == probes::MARK => probes::act(name, room.as_ref()),
        _ => probes::run_all(&words),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("there is no sandbox on this system: nothing to look at from inside");
    ExitCode::SUCCESS
}
