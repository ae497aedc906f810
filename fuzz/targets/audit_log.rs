//! The audit log, altered, and as somebody hostile writes it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_daemon::fuzzing::audit_log(bytes));
