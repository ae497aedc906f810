//! Credentials in texts and in attached data.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ipc_protocol::fuzzing::leak(bytes));
