//! The configuration.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_daemon::fuzzing::config(bytes));
