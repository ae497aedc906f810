//! How much a test does: seconds in the ordinary command, minutes in the long run.

use std::io::Write;

/// Says how much was done; `--nocapture` shows it.
pub(crate) fn report(done: &str) {
    writeln!(std::io::stderr(), "{done}").unwrap();
}

/// `short`, or `long` where `IPC_TEST_SCALE` is `long`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where tests are told how long they may take"
)]
pub(crate) fn scale(short: usize, long: usize) -> usize {
    match std::env::var("IPC_TEST_SCALE") {
        Ok(wanted) if wanted == "long" => long,
        Ok(wanted) => panic!("IPC_TEST_SCALE is `long` or not set, not `{wanted}`"),
        Err(_) => short,
    }
}
