//! Requests of the old port.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_daemon::fuzzing::old_port(bytes));
