//! Calls: strict JSON and typed requests.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::request(bytes));
