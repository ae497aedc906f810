//! Any file as the database of the Python server.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_daemon::fuzzing::migration_file(bytes));
