//! Searches, as the full-text index takes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_daemon::fuzzing::index(bytes));
